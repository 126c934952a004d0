"""The packs that are shipped, read strictly; each is a file of this folder, named as the regime.

Source: ISO/TS 12812-2:2017, 6.1; B
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from tallystick.kernel.errors import NotFound
from tallystick.kernel.money import currency_exponent
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import FOREVER, Channel, Kind, Operation
from tallystick.process.policy.regimes.model import (
    AttemptCap,
    Exemption,
    FactorFloor,
    IdleCap,
    Pause,
    Regime,
    TierCap,
)
from tallystick.process.yamltext.quantities import day, share
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import read_nodes

T = TypeVar("T")

RELATIONS = ("trusted", "series")
NO_CURRENCY = "none"
_HERE = Path(__file__).parent
_SECTIONS = ("regime", "factors", "sessions", "attempts", "tiers", "pauses", "exemptions")
_HEADER = ("title", "effective_from", "currency", "source", "notice")
_RULE = ("article", "from", "until")
_TIER = ("tier", "label", "kinds", "per_payment", "day", "month", "balance")
_EXEMPTION = ("id", "per_payment", "cumulative", "count", "life", "fraud_share", "relation")
_OPERATIONS = tuple(operation.value for operation in Operation)
_CHANNELS = tuple(channel.value for channel in Channel)
_KINDS = tuple(kind.value for kind in Kind)


@cache
def regime_names() -> tuple[str, ...]:
    """The ids of the shipped regimes, in order.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return tuple(sorted(file.stem for file in _HERE.glob("*.yaml")))


@cache
def regime(name: str) -> Regime:
    """The shipped regime of this id.

    Raises NotFound.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    if name not in regime_names():
        raise NotFound(f"no regime is called {name[:40]!r}", remedy=", ".join(regime_names()))
    return read_regime(name, (_HERE / f"{name}.yaml").read_text(encoding="utf-8"))


def read_regime(name: str, text: str) -> Regime:
    """The regime `name` in `text`.

    Raises Malformed with every defect, each with line and column.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    defects = Defects(remedy="correct the pack")
    root = Section(read_nodes(text, "regime", decimals=True), "", defects, _SECTIONS)
    header = root.section("regime", _HEADER)
    currency = header.text("currency", r"^(?:[A-Z]{3}|none)$", "an ISO 4217 code, or none")
    if currency and currency != NO_CURRENCY:
        currency_exponent(currency)
    found = Regime(
        id=name,
        title=header.text("title"),
        effective_from=day(header, "effective_from"),
        currency="" if currency == NO_CURRENCY else currency,
        source=header.text("source"),
        notice=header.text("notice"),
        factors=_rules(root, "factors", ("operations", "categories"), _factor_floor),
        sessions=_rules(root, "sessions", ("idle",), _idle_cap),
        attempts=_rules(root, "attempts", ("limit",), _attempt_cap),
        tiers=_rules(root, "tiers", _TIER, _tier_cap),
        pauses=_rules(root, "pauses", ("operations", "channels", "sim_age_below"), _pause),
        exemptions=_rules(root, "exemptions", _EXEMPTION, _exemption),
    )
    if not found.currency and (found.tiers or found.exemptions):
        defects.add(header.position("currency"), "a regime that states amounts has a currency")
    defects.refuse()
    return found


def _rules(
    root: Section, name: str, words: tuple[str, ...], read: Callable[[Section], T]
) -> tuple[T, ...]:
    return tuple(read(one) for one in root.sections(name, (*words, *_RULE)))


def _article(section: Section) -> str:
    return section.text("article", r"^\S.{1,79}$", "the place in a text, such as RTS 4(1)")


def _start(section: Section) -> int:
    return day(section, "from") if "from" in section else 0


def _end(section: Section) -> int:
    return day(section, "until") if "until" in section else FOREVER


def _amount(section: Section, word: str) -> int:
    return section.integer(word, 1) if word in section else FOREVER


def _factor_floor(section: Section) -> FactorFloor:
    return FactorFloor(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        operations=section.choices("operations", _OPERATIONS),
        categories=section.integer("categories", 1, 3),
    )


def _idle_cap(section: Section) -> IdleCap:
    return IdleCap(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        idle_ms=section.duration("idle", 1000, DAY_MS),
    )


def _attempt_cap(section: Section) -> AttemptCap:
    return AttemptCap(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        limit=section.integer("limit", 1, 100),
    )


def _tier_cap(section: Section) -> TierCap:
    return TierCap(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        tier=section.integer("tier", 0, 99),
        label=section.text("label"),
        kinds=section.choices("kinds", _KINDS),
        per_payment_minor=_amount(section, "per_payment"),
        day_minor=_amount(section, "day"),
        month_minor=_amount(section, "month"),
        balance_minor=_amount(section, "balance"),
    )


def _pause(section: Section) -> Pause:
    return Pause(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        operations=section.choices("operations", _OPERATIONS),
        channels=section.choices("channels", _CHANNELS),
        sim_age_ms=section.duration("sim_age_below", 1000),
    )


def _exemption(section: Section) -> Exemption:
    fraud_share: Decimal | None = (
        share(section, "fraud_share") if "fraud_share" in section else None
    )
    return Exemption(
        article=_article(section),
        start=_start(section),
        end=_end(section),
        id=section.text("id", r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", "a slug such as contactless"),
        per_payment_minor=_amount(section, "per_payment"),
        cumulative_minor=_amount(section, "cumulative"),
        count=_amount(section, "count"),
        life_ms=section.duration("life", 1000) if "life" in section else FOREVER,
        fraud_share=fraud_share,
        relation=section.choice("relation", RELATIONS) if "relation" in section else "",
    )
