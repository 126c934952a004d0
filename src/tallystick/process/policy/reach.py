"""How much a class of devices may pay under a policy, and which clause stops what is above.

    reach_of(policy, trust, tier)     by kind of payment: the most that passes, what stops one more
    narrowed(was, now, people)        whom another policy gives less, counted by class

It is asked of the policy itself and not of recorded payments, so that a class that nobody is in yet
has an answer as well. What is asked is the easiest payment of its kind: at noon, to a payee who was
paid before, by an account and a device known for long, with two factors and nothing failing. Where
a policy counts the factors that are shown, a class that was counted by them is asked with its own.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; 8.1.1
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tallystick.kernel.model import Record
from tallystick.process.policy.compile import CompiledPolicy, Decision
from tallystick.process.policy.facts import (
    FOREVER,
    AccountStatus,
    Channel,
    DeviceTrust,
    Factor,
    Facts,
    Grade,
    Kind,
    Operation,
    Outcome,
)
from tallystick.process.policy.language.lives import AS_SHOWN

KINDS: Final = (Kind.P2P.value, Kind.MERCHANT.value, Kind.CASH_OUT.value)
"""What people pay."""

_PASSES: Final = frozenset({Outcome.ALLOW, Outcome.DELAY})
_LONG_MS: Final = 365 * 86_400_000
_DOORS: Final = {
    DeviceTrust.ATTESTED_HARDWARE.value: (Channel.APP.value, Grade.DEVICE_SIGNED_ATTESTED.value),
    DeviceTrust.NONE.value: (Channel.USSD.value, Grade.PIN_VERIFIED.value),
}
_SIGNED: Final = (Channel.APP.value, Grade.DEVICE_SIGNED.value)
_TWO: Final = (Factor.POSSESSION.value, Factor.KNOWLEDGE.value)


class _Class(NamedTuple):
    """A class of people as it is asked for."""

    trust: str
    tier: int
    factors: tuple[str, ...]


class Reach(Record, frozen=True, kw_only=True):
    """The most that one payment of `kind` moves, in minor units; 0 for nothing at all.

    One unit more comes to `outcome` by the row or limit `by`; empty where nothing stops it.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    kind: str
    most_minor: int
    outcome: str
    by: str
    because: str


class People(Record, frozen=True, kw_only=True):
    """How many devices of one trust, and customers with them, there are in one tier.

    `factors` are the categories that the places of their keys show, and the PIN of those who have
    one; empty where nobody looked.
    Source: ISO/TS 12812-2:2017, 7.2.6; 14.2.2
    """

    trust: str
    tier: int
    devices: int
    customers: int
    factors: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The trust, and the factors that these people can show where they were counted by them.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
        """
        return f"{self.trust}: {', '.join(self.factors)}" if self.factors else self.trust


class Narrowed(Record, frozen=True, kw_only=True):
    """People whom `now` lets pay less than `was` in one kind of payment, and what stops them.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    people: People
    was: Reach
    now: Reach


def reach_of(
    policy: CompiledPolicy, trust: str, tier: int, factors: tuple[str, ...] = ()
) -> tuple[Reach, ...]:
    """What customers of `tier` with devices of `trust` may pay, one for each of `KINDS`.

    `factors` are what they can show, which counts where the policy counts that; two if empty.
    Source: ISO/TS 12812-2:2017, 7.3.3; 8.1.1
    """
    amounts = sorted(_amounts(policy))
    asked = _Class(trust, tier, _counted(policy, trust, factors))
    return tuple(_reach(policy, asked, kind, amounts) for kind in KINDS)


def counts_as_shown(policy: CompiledPolicy) -> bool:
    """Whether `policy` counts for a signed order only the factors that are shown.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
    """
    return policy.policy.devices.factors == AS_SHOWN


def _counted(policy: CompiledPolicy, trust: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    dialled = trust == DeviceTrust.NONE.value
    return shown if shown and not dialled and counts_as_shown(policy) else _TWO


def narrowed(
    was: CompiledPolicy, now: CompiledPolicy, people: Iterable[People]
) -> tuple[Narrowed, ...]:
    """Whom of `people` the policy `now` gives less than `was`, in the order of `people`.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    return tuple(
        Narrowed(people=one, was=before, now=after)
        for one in people
        for before, after in zip(
            reach_of(was, one.trust, one.tier, one.factors),
            reach_of(now, one.trust, one.tier, one.factors),
            strict=True,
        )
        if after.most_minor < before.most_minor
    )


def _amounts(policy: CompiledPolicy) -> Iterator[int]:
    """Amounts at which a decision may turn: every bound, cap and window, and one more."""
    yield 1
    rules = policy.policy
    bounds = [
        one
        for row in (*rules.decisions, rules.default)
        for bound in row.bounds
        if bound.field == "amount_minor"
        for one in (bound.low - 1, bound.high)
    ]
    caps = [one.per_payment_minor for one in rules.limits]
    held = [one.bound.value for one in policy.baseline.amounts]
    windows = [window.max_amount for one in rules.limits for window in one.windows]
    lowered = [one.reduced_limit_minor for one in rules.dependencies.values()]
    steps = [step.per_payment_minor for one in rules.incentives for step in one.steps]
    for one in {*bounds, *caps, *held, *windows, *lowered, *steps}:
        if 0 < one < FOREVER:
            yield one
            yield one + 1


def _reach(policy: CompiledPolicy, asked: _Class, kind: str, amounts: Iterable[int]) -> Reach:
    for amount in amounts:
        decision = policy.decide(
            _facts(policy, asked.trust, asked.tier, kind, amount, asked.factors)
        )
        if decision.outcome not in _PASSES:
            return Reach(
                kind=kind,
                most_minor=amount - 1,
                outcome=decision.outcome.value,
                by=decision.row,
                because=decision.because,
            )
        full = _full(decision, amount)
        if full is not None:
            return Reach(
                kind=kind, most_minor=amount - 1, outcome="deny", by=full[0], because=full[1]
            )
    return Reach(kind=kind, most_minor=FOREVER, outcome="allow", by="", because="")


def _full(decision: Decision, amount: int) -> tuple[str, str] | None:
    """The window that `amount` alone does not fit into."""
    found = [one for one in decision.limits if amount > one.max_amount or one.max_count < 1]
    return (found[0].id, found[0].because) if found else None


def _facts(
    policy: CompiledPolicy,
    trust: str,
    tier: int,
    kind: str,
    amount: int,
    factors: tuple[str, ...] = _TWO,
) -> Facts:
    channel, grade = _DOORS.get(trust, _SIGNED)
    return Facts(
        operation=Operation.PAY.value,
        channel=channel,
        tier=tier,
        device_trust=trust,
        account_status=AccountStatus.ACTIVE.value,
        kind=kind,
        grade=grade,
        factors=factors,
        amount_minor=amount,
        currency=policy.policy.header.currency,
        payee_known=True,
        device_age_ms=_LONG_MS,
        account_age_ms=_LONG_MS,
        factor_age_ms=0,
    )
