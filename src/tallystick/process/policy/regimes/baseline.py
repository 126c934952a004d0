"""What several regimes together ask at one moment: of every demand the strictest, with its origin.

Source: ISO/TS 12812-2:2017, 6.1; B
"""

from collections.abc import Iterable, Iterator

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.regimes.model import Regime, Rule, TierCap

PER_PAYMENT, DAY, MONTH, BALANCE = MEASURES = ("per payment", "in a day", "in 30 days", "balance")


class Bound(Record, frozen=True, kw_only=True):
    """A number that a policy keeps to, the article that says so and its regime.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    value: int
    regime: str
    article: str

    @property
    def origin(self) -> str:
        """Regime and article, as errors and decisions name them.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return f"regime {self.regime}, {self.article}"


class AmountCap(Record, frozen=True, kw_only=True):
    """A cap on what accounts of `tiers` pay (for `kinds`) or keep; `measure` is of `MEASURES`.

    Source: ISO/TS 12812-2:2017, B
    """

    measure: str
    tiers: tuple[int, ...]
    kinds: tuple[str, ...]
    bound: Bound


class Waiting(Record, frozen=True, kw_only=True):
    """How long after a change of SIM nothing of `operations` over `channels` is allowed, in ms.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    operations: tuple[str, ...]
    channels: tuple[str, ...]
    bound: Bound


class Baseline(Record, frozen=True, kw_only=True):
    """What a policy may not be below: floors of factors, caps of the rest; empty without regimes.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    factors: dict[str, Bound]
    idle: Bound | None
    attempts: Bound | None
    amounts: tuple[AmountCap, ...]
    pauses: tuple[Waiting, ...]


NO_BASELINE = Baseline(factors={}, idle=None, attempts=None, amounts=(), pauses=())


def baseline_of(
    regimes: Iterable[Regime], *, at: int, currency: str, tiers: Iterable[int]
) -> Baseline:
    """The strictest of what `regimes` ask at `at` (ms) of a policy with this currency and tiers.

    A tier that a regime does not number is held to its next tier below, or else to its lowest.
    Raises Malformed where a regime states its amounts in another currency.
    Source: ISO/TS 12812-2:2017, 6.1; B
    """
    found = tuple(one for one in regimes if one.effective_from <= at)
    for one in found:
        if one.tiers and one.currency != currency:
            raise Malformed(
                f"regime {one.id} states its amounts in {one.currency}, the policy in {currency}",
                remedy="name the regimes of the policy's own currency",
            )
    idle = [(whose, rule, rule.idle_ms) for whose in found for rule in whose.sessions]
    attempts = [(whose, rule, rule.limit) for whose in found for rule in whose.attempts]
    return Baseline(
        factors=_highest(found, at),
        idle=_lowest(idle, at),
        attempts=_lowest(attempts, at),
        amounts=_caps(found, at, tuple(sorted(tiers))),
        pauses=_longest(found, at),
    )


def _origin(whose: Regime, rule: Rule, value: int) -> Bound:
    return Bound(value=value, regime=whose.id, article=rule.article)


def _lowest(rules: Iterable[tuple[Regime, Rule, int]], at: int) -> Bound | None:
    bounds = [_origin(whose, rule, value) for whose, rule, value in rules if rule.in_force(at)]
    return min(bounds, key=lambda one: one.value, default=None)


def _highest(regimes: Iterable[Regime], at: int) -> dict[str, Bound]:
    factors: dict[str, Bound] = {}
    for whose in regimes:
        for rule in whose.factors:
            bound = _origin(whose, rule, rule.categories)
            for operation in rule.operations if rule.in_force(at) else ():
                known = factors.setdefault(operation, bound)
                if bound.value > known.value:
                    factors[operation] = bound
    return factors


def _caps(regimes: Iterable[Regime], at: int, tiers: tuple[int, ...]) -> tuple[AmountCap, ...]:
    strictest: dict[tuple[str, int, tuple[str, ...]], Bound] = {}
    for whose in regimes:
        rules = [rule for rule in whose.tiers if rule.in_force(at)]
        for tier in tiers:
            for rule in _of_tier(rules, tier):
                for measure, value in _measured(rule):
                    kinds = () if measure == BALANCE else tuple(sorted(rule.kinds))
                    bound = _origin(whose, rule, value)
                    known = strictest.setdefault((measure, tier, kinds), bound)
                    if bound.value < known.value:
                        strictest[measure, tier, kinds] = bound
    grouped: dict[tuple[str, tuple[str, ...], Bound], list[int]] = {}
    for (measure, tier, kinds), bound in strictest.items():
        grouped.setdefault((measure, kinds, bound), []).append(tier)
    return tuple(
        AmountCap(measure=measure, tiers=tuple(of), kinds=kinds, bound=bound)
        for (measure, kinds, bound), of in grouped.items()
    )


def _of_tier(rules: Iterable[TierCap], tier: int) -> list[TierCap]:
    numbers = {rule.tier for rule in rules}
    below = [number for number in numbers if number <= tier]
    number = max(below) if below else min(numbers, default=0)
    return [rule for rule in rules if rule.tier == number]


def _measured(rule: TierCap) -> Iterator[tuple[str, int]]:
    values = (rule.per_payment_minor, rule.day_minor, rule.month_minor, rule.balance_minor)
    for measure, value in zip(MEASURES, values, strict=True):
        if value < FOREVER:
            yield measure, value


def _longest(regimes: Iterable[Regime], at: int) -> tuple[Waiting, ...]:
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], Bound] = {}
    for whose in regimes:
        for rule in whose.pauses:
            if rule.in_force(at):
                place = (rule.operations, rule.channels)
                bound = _origin(whose, rule, rule.sim_age_ms)
                known = found.setdefault(place, bound)
                if bound.value > known.value:
                    found[place] = bound
    return tuple(
        Waiting(operations=operations, channels=channels, bound=bound)
        for (operations, channels), bound in found.items()
    )
