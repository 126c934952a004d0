"""A scraper and its alerts, as the project's rules need them: real scrapes, a clock that is moved.

with the clock at T: scrape /metrics -> samples -> every rule -> pending since, firing since
"""

import re
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.support.partners import MovedClock
from tests.support.promql import Expression, Labels, NotOfTheSubset, Samples, parse, seconds

__all__ = ["RULES", "Prometheus", "Rule", "read_exposition", "read_rules"]

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "tallystick.rules.yaml"
STEP_S = 15.0
_KEYS = {"alert", "expr", "for", "labels", "annotations"}
_LINE = re.compile(r"([a-zA-Z_]\w*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="([^"\\\n]*)"(?:,(?=.)|$)')


@dataclass(frozen=True)
class Rule:
    """One alert: its expression and for how long that must hold."""

    name: str
    expression: Expression
    for_s: float

    @property
    def delay_s(self) -> float:
        """How long after its cause it fires at the latest: its time, what a rate looks back over
        until it has risen, and two scrapes."""
        return self.for_s + max(self.expression.ranges, default=0.0) + 2 * STEP_S


def read_rules(text: str) -> list[Rule]:
    """The alerts of a file of rules; raises NotOfTheSubset for what the evaluator does not know."""
    found: list[Rule] = []
    for group in YAML(typ="safe").load(text)["groups"]:
        for rule in group["rules"]:
            if not {"alert", "expr"} <= set(rule) <= _KEYS:
                raise NotOfTheSubset(f"not an alert of the subset: {sorted(rule)}")
            found.append(Rule(rule["alert"], parse(rule["expr"]), _for(rule)))
    return found


def _for(rule: Mapping[str, Any]) -> float:
    return seconds(rule["for"]) if "for" in rule else 0.0


def read_exposition(text: str, more: Labels) -> dict[tuple[str, Labels], float]:
    """Every series of an exposition and its value, `more` among its labels."""
    found: dict[tuple[str, Labels], float] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise NotOfTheSubset(f"not a line of an exposition: {line}")
        labels = _LABEL.findall(match[2] or "")
        if ",".join(f'{name}="{value}"' for name, value in labels) != (match[2] or ""):
            raise NotOfTheSubset(f"not labels: {line}")
        series = match[1], frozenset(labels) | more
        if series in found:
            raise NotOfTheSubset(f"twice in one exposition: {line}")
        found[series] = float(match[3])
    return found


@dataclass
class Prometheus:
    """Scrapes the provider at `url` and watches the project's rules, by `clock`."""

    url: str
    clock: MovedClock
    rules: list[Rule] = field(default_factory=lambda: read_rules(RULES.read_text()))
    samples: Samples = field(default_factory=Samples)
    pending: dict[tuple[str, Labels], float] = field(default_factory=dict)
    fired: dict[str, float] = field(default_factory=dict)
    caused: float = 0.0

    @property
    def now(self) -> float:
        """The time by the clock, in seconds."""
        return self.clock.now() / 1000

    def scrape(self) -> None:
        """Take one scrape, then look at every rule."""
        now, target = self.now, frozenset({("job", "tallystick"), ("instance", self.url)})
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as reply:
                scraped = read_exposition(reply.read().decode(), target)
        except OSError:
            scraped = {}
        scraped["up", target] = float(bool(scraped))
        self.samples.add(now, scraped)
        self._evaluate(now)

    def _evaluate(self, now: float) -> None:
        holding: dict[tuple[str, Labels], float] = {}
        for rule in self.rules:
            for labels in rule.expression.at(self.samples, now):
                since = holding[rule.name, labels] = self.pending.get((rule.name, labels), now)
                if now - since >= rule.for_s:
                    self.fired.setdefault(rule.name, now)
        self.pending = holding

    def steps(self, count: int, during: Iterable[Callable[[], object]] = ()) -> None:
        """Let `count` scrapes pass; before each, all of `during` is done."""
        for _ in range(count):
            for one in during:
                one()
            self.clock.off_ms += int(STEP_S * 1000)
            self.scrape()

    def cause(self) -> None:
        """Say that what an alert is to be about begins now."""
        self.scrape()
        self.caused = self.now

    def until_fired(self, name: str, *during: Callable[[], object]) -> None:
        """Let scrapes pass until the alert `name` fires, or would be late."""
        rule = next(one for one in self.rules if one.name == name)
        while name not in self.fired and self.now - self.caused <= rule.delay_s + STEP_S:
            self.steps(1, during)

    def delay_of(self, name: str) -> float:
        """How long after its cause the alert `name` fired."""
        return self.fired[name] - self.caused
