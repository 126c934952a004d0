"""Just enough PromQL to evaluate the project's alert rules; whatever else is written is refused.

    comparison  sum [ ( == | > | < ) sum ]            a comparison filters, as without `bool`
    sum         product { - product }
    product     term { * term }
    term        NUMBER | time() | ( comparison ) | SELECTOR
                | rate(SELECTOR[RANGE]) | increase(SELECTOR[RANGE])
                | sum(comparison) | sum by (LABELS) (comparison)
                | histogram_quantile(NUMBER, comparison)

A selector takes label="value" pairs only. Times are seconds; ranges are open at their older end.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Expression", "Labels", "NotOfTheSubset", "Samples", "Vector", "parse", "seconds"]


class NotOfTheSubset(ValueError):
    """An expression, or what it meets, that the evaluator does not know."""


LOOKBACK_S = 300.0
"""How old the newest sample of a series may be."""

STALE = object()
"""Stands in a series where a scrape did not have it any more."""

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Value = float | Vector
Evaluate = Callable[["Samples", float], Value]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e\d+)?(?![\w.]))|(?P<range>\d+[smh](?!\w))"
    r'|(?P<word>[a-zA-Z_]\w*)|(?P<text>"[^"\\]*")|(?P<mark>==|[-*><(){}\[\],=]))'
)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A duration such as `5m`, in seconds."""
    if not re.fullmatch(r"\d+[smh]", text):
        raise NotOfTheSubset(f"not a duration of the subset: {text}")
    return int(text[:-1]) * _UNITS[text[-1]]


@dataclass
class _Series:
    times: list[float] = field(default_factory=list)
    values: list[float | object] = field(default_factory=list)


class Samples:
    """Every sample of every series, in the order of time."""

    def __init__(self) -> None:
        self._series: dict[str, dict[Labels, _Series]] = {}

    def add(self, at: float, scraped: Mapping[tuple[str, Labels], float]) -> None:
        """Keep one scrape of everything; what was there before and is not now becomes stale."""
        for name, found in self._series.items():
            for labels, series in found.items():
                if (name, labels) not in scraped and series.values[-1] is not STALE:
                    series.times.append(at)
                    series.values.append(STALE)
        for (name, labels), value in scraped.items():
            series = self._series.setdefault(name, {}).setdefault(labels, _Series())
            if series.times and series.times[-1] >= at:
                raise NotOfTheSubset("a scrape is not after the one before")
            series.times.append(at)
            series.values.append(value)

    def names(self) -> set[str]:
        """Every metric that was ever scraped."""
        return set(self._series)

    def newest(self, name: str, wanted: Labels, now: float) -> Iterator[tuple[Labels, float]]:
        """The value of each series at `now`, unless it is stale or too old."""
        for labels, series in self._matching(name, wanted):
            at = bisect_right(series.times, now) - 1
            if at >= 0 and series.times[at] > now - LOOKBACK_S:
                value = series.values[at]
                if isinstance(value, float):
                    yield labels, value

    def during(
        self, name: str, wanted: Labels, now: float, range_s: float
    ) -> Iterator[tuple[Labels, list[tuple[float, float]]]]:
        """The samples of each series in the range that ends at `now`."""
        for labels, series in self._matching(name, wanted):
            first, end = bisect_right(series.times, now - range_s), bisect_right(series.times, now)
            found = [
                (time, value)
                for time, value in zip(
                    series.times[first:end], series.values[first:end], strict=True
                )
                if isinstance(value, float)
            ]
            if found:
                yield labels, found

    def _matching(self, name: str, wanted: Labels) -> Iterator[tuple[Labels, _Series]]:
        for labels, series in self._series.get(name, {}).items():
            if wanted <= labels:
                yield labels, series


@dataclass(frozen=True)
class Expression:
    """An expression that was understood; `ranges` are those it looks back over, in seconds."""

    text: str
    evaluate: Evaluate
    ranges: tuple[float, ...]
    metrics: frozenset[str]

    def at(self, samples: Samples, now: float) -> Vector:
        """What the expression gives at `now`; refuses one that is a number."""
        value = self.evaluate(samples, now)
        if isinstance(value, float):
            raise NotOfTheSubset(f"a rule gives a vector: {self.text}")
        return value


def parse(text: str) -> Expression:
    """`text` as an expression; raises NotOfTheSubset for all that is not of the subset."""
    parser = _Parser(text)
    evaluate = parser.comparison()
    parser.expect("")
    return Expression(text, evaluate, tuple(parser.ranges), frozenset(parser.metrics))


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self.ranges: list[float] = []
        self.metrics: set[str] = set()

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def expect(self, mark: str) -> None:
        """Take the token `mark`, empty for the end."""
        found = self._next()[1]
        if found != mark:
            raise NotOfTheSubset(f"{mark or 'the end'} is expected, not {found or 'the end'}")

    def _kind(self, kind: str) -> str:
        found = self._next()
        if found[0] != kind:
            raise NotOfTheSubset(f"a {kind} is expected, not {found[1] or 'the end'}")
        return found[1]

    def comparison(self) -> Evaluate:
        left = self._difference()
        sign = self._peek()[1]
        if sign not in _COMPARED:
            return left
        self._next()
        return _comparing(left, _COMPARED[sign], self._difference())

    def _difference(self) -> Evaluate:
        left = self._product()
        while self._peek()[1] == "-":
            self._next()
            left = _computing(left, lambda one, other: one - other, self._product())
        return left

    def _product(self) -> Evaluate:
        left = self._term()
        while self._peek()[1] == "*":
            self._next()
            left = _computing(left, lambda one, other: one * other, self._term())
        return left

    def _term(self) -> Evaluate:
        kind, text = self._next()
        if kind == "number":
            number = float(text)
            return lambda samples, now: number
        if text == "(":
            inner = self.comparison()
            self.expect(")")
            return inner
        if kind != "word":
            raise NotOfTheSubset(f"not of the subset: {text or 'the end'}")
        if text in {"time", "rate", "increase", "histogram_quantile"}:
            return self._call(text)
        return self._sum() if text == "sum" else self._instant(text)

    def _call(self, name: str) -> Evaluate:
        self.expect("(")
        if name == "time":
            self.expect(")")
            return lambda samples, now: float(now)
        if name == "histogram_quantile":
            quantile = float(self._kind("number"))
            self.expect(",")
            buckets = self.comparison()
            self.expect(")")
            return lambda samples, now: quantiles(quantile, _vector(buckets(samples, now)))
        metric, wanted = self._selector(self._kind("word"))
        self.expect("[")
        range_s = seconds(self._kind("range"))
        self.expect("]")
        self.expect(")")
        self.ranges.append(range_s)
        per = range_s if name == "rate" else 1.0
        return lambda samples, now: {
            labels: grown / per
            for labels, found in samples.during(metric, wanted, now, range_s)
            if (grown := increase(found, now - range_s, now)) is not None
        }

    def _sum(self) -> Evaluate:
        kept: list[str] = []
        if self._peek()[1] == "by":
            self._next()
            self.expect("(")
            kept.append(self._kind("word"))
            while self._peek()[1] == ",":
                self._next()
                kept.append(self._kind("word"))
            self.expect(")")
        self.expect("(")
        inner = self.comparison()
        self.expect(")")
        return lambda samples, now: _summed(_vector(inner(samples, now)), kept)

    def _instant(self, name: str) -> Evaluate:
        metric, wanted = self._selector(name)
        return lambda samples, now: {
            labels | {("__name__", metric)}: value
            for labels, value in samples.newest(metric, wanted, now)
        }

    def _selector(self, name: str) -> tuple[str, Labels]:
        if self._peek()[1] == "(":
            raise NotOfTheSubset(f"not a function of the subset: {name}")
        self.metrics.add(name)
        wanted: set[tuple[str, str]] = set()
        if self._peek()[1] == "{":
            while self._next()[1] in {"{", ","}:
                label = self._kind("word")
                self.expect("=")
                wanted.add((label, self._kind("text")[1:-1]))
            self._at -= 1
            self.expect("}")
        return name, frozenset(wanted)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotOfTheSubset(f"not of the subset: {text[at:].strip()}")
        yield str(found.lastgroup), found[str(found.lastgroup)]
        at = found.end()
    yield "end", ""


_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "==": lambda one, other: one == other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
}


def _vector(value: Value) -> Vector:
    if isinstance(value, float):
        raise NotOfTheSubset("a vector is expected, not a number")
    return value


def _nameless(labels: Labels) -> Labels:
    return frozenset(one for one in labels if one[0] != "__name__")


def _unnamed(vector: Vector) -> Vector:
    found: Vector = {}
    for labels, value in vector.items():
        if _nameless(labels) in found:
            raise NotOfTheSubset("two series differ by their name alone")
        found[_nameless(labels)] = value
    return found


def _comparing(left: Evaluate, holds: Callable[[float, float], bool], right: Evaluate) -> Evaluate:
    """Those of the left side of which the comparison holds; the right may be a number."""

    def evaluate(samples: Samples, now: float) -> Value:
        one, other = _vector(left(samples, now)), right(samples, now)
        if isinstance(other, float):
            return {labels: value for labels, value in one.items() if holds(value, other)}
        _unnamed(one)
        matched = _unnamed(other)
        return {
            labels: value
            for labels, value in one.items()
            if _nameless(labels) in matched and holds(value, matched[_nameless(labels)])
        }

    return evaluate


def _computing(
    left: Evaluate, operate: Callable[[float, float], float], right: Evaluate
) -> Evaluate:
    """An operation between numbers and vectors; between two vectors is refused."""

    def evaluate(samples: Samples, now: float) -> Value:
        one, other = left(samples, now), right(samples, now)
        if isinstance(one, float):
            if isinstance(other, float):
                return operate(one, other)
            return {labels: operate(one, value) for labels, value in _unnamed(other).items()}
        if not isinstance(other, float):
            raise NotOfTheSubset("arithmetic between two vectors is not of the subset")
        return {labels: operate(value, other) for labels, value in _unnamed(one).items()}

    return evaluate


def _summed(vector: Vector, kept: Iterable[str]) -> Vector:
    wanted, found = set(kept), dict[Labels, float]()
    for labels, value in vector.items():
        group = frozenset(one for one in labels if one[0] in wanted)
        found[group] = found.get(group, 0.0) + value
    return found


def increase(found: list[tuple[float, float]], start: float, end: float) -> float | None:
    """By how much a counter grew from `start` to `end`, of which `found` are samples; None of one.

    A fall is a new beginning at 0. The growth between the first and the last sample is stretched to
    the ends of the range where samples come close to them, else by half a step, and never to before
    the counter was 0.
    """
    if len(found) < 2:
        return None
    (first, low), (last, high) = found[0], found[-1]
    grown = high - low
    for (_, before), (_, after) in pairwise(found):
        if after < before:
            grown += before
    span = last - first
    step = span / (len(found) - 1)
    lead, trail = first - start, end - last
    lead = lead if lead < 1.1 * step else step / 2
    trail = trail if trail < 1.1 * step else step / 2
    if grown > 0 and low >= 0:
        lead = min(lead, span * low / grown)
    return grown * (span + lead + trail) / span


def quantiles(quantile: float, buckets: Vector) -> Vector:
    """The quantile of each histogram whose cumulative buckets are told apart by `le`."""
    grouped: dict[Labels, dict[float, float]] = {}
    for labels, count in buckets.items():
        bounds = [float(value) for name, value in labels if name == "le"]
        group = frozenset(one for one in labels if one[0] not in {"le", "__name__"})
        if len(bounds) == 1:
            grouped.setdefault(group, {})[bounds[0]] = count
    return {group: _quantile(quantile, sorted(found.items())) for group, found in grouped.items()}


def _quantile(quantile: float, buckets: list[tuple[float, float]]) -> float:
    if not 0 <= quantile <= 1:
        raise NotOfTheSubset("a quantile is from 0 to 1")
    bounds, counts = [one for one, _ in buckets], [one for _, one in buckets]
    if bounds[-1] != math.inf or len(bounds) < 2 or not counts[-1] > 0:
        return math.nan
    rank = quantile * counts[-1]
    at = bisect_left(counts, rank)
    if at == len(bounds) - 1:
        return bounds[-2]
    low, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    if counts[at] == below:
        return bounds[at]
    return low + (bounds[at] - low) * (rank - below) / (counts[at] - below)
