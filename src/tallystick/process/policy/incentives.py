"""Steps of incentives: what a subject's step gives, and when it rises or falls. Pure rules.

    stepped(ladders, facts)       caps, rolling limits and commission of the steps in the facts
    why_not_rise, falls_by        dwell and evidence, never more than one step; findings at once

A step only adds limits to those of the policy: a payment passes if all of them let it, so that no
step gives more than the officers' own limits and regimes do.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import FOREVER, Facts, Kind, Merit, SubjectClass
from tallystick.process.policy.language.model import Asked, Finding, Ladder, LimitRule, Step

STANDING: Final = frozenset(
    {
        Merit.TRAINING_DAYS,
        Merit.ATTESTED_PERMILLE,
        Merit.COPIES,
        Merit.VERIFIED_DAYS,
        Merit.SERVICE_LEVEL,
    }
)
"""Measures of a state that lasts: a finding on one lets a subject fall once, until it has risen."""

RISEN: Final = "risen"
FALLEN: Final = "fallen"
SET: Final = "set"
"""How a subject came to its step."""


class Counted(Record, frozen=True, kw_only=True):
    """What was counted of one subject at one moment; a measure that is missing is not known.

    `begun` (ms) is since when the subject is there.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    begun: int
    measures: dict[str, int]

    def value(self, merit: Merit) -> int | None:
        """The measure `merit`, or None where it is not known.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.measures.get(merit.value)

    def said(self) -> str:
        """The measures in words, as the record keeps them.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return ", ".join(f"{name} {value}" for name, value in sorted(self.measures.items()))


class Standing(Record, frozen=True, kw_only=True):
    """Where a subject stands on a ladder, since when (ms), and how it came there.

    Facts count from `counted_from` (ms) on, the last fall or the last time that people set it.
    `finding` is the id of the finding by which it fell last and has not risen since.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    ladder: str
    subject: str
    step: int
    since: int
    counted_from: int
    how: str
    finding: str
    because: str
    version: int
    event: int


class Stepped(Record, frozen=True, kw_only=True):
    """What the steps of one payment come to: the lowest cap, who says so, rules, commission.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    cap_minor: int = FOREVER
    by: str = ""
    because: str = ""
    limits: tuple[LimitRule, ...] = ()
    commission_minor: int = 0


def standing_id(ladder: str, subject: str) -> str:
    """Under which id the standing of `subject` on `ladder` is kept.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return f"{ladder}/{subject}"


def touched(ladders: Iterable[Ladder], facts: Mapping[str, object]) -> tuple[Ladder, ...]:
    """The ladders that touch a payment with these enumerated facts.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return tuple(
        one
        for one in ladders
        if all(facts[words.field] in words.words for words in one.words)
        and (one.subject is not SubjectClass.DEVICE_CLASS or facts["device_trust"] == one.of)
    )


def step_of(ladder: Ladder, number: int) -> tuple[int, Step]:
    """The step `number` of `ladder`; of a ladder that became shorter its highest.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    place = max(0, min(number, len(ladder.steps) - 1))
    return place, ladder.steps[place]


def stepped(ladders: Iterable[Ladder], facts: Facts) -> Stepped:
    """What the steps in `facts` give for its payment; step 0 where they name none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    steps = dict(facts.steps)
    cap, by, because, commission = FOREVER, "", "", 0
    limits: list[LimitRule] = []
    for ladder in ladders:
        number, step = step_of(ladder, steps.get(ladder.id, 0))
        if step.per_payment_minor < cap:
            cap, by, because = step.per_payment_minor, ladder.id, told(number, step)
        limits.extend(_rules(ladder, number, step, facts.kind))
        if step.commission is not None:
            commission += step.commission.on(facts.amount_minor)
    return Stepped(
        cap_minor=cap,
        by=by,
        because=because,
        limits=tuple(limits),
        commission_minor=commission,
    )


def told(number: int, step: Step) -> str:
    """A step in words, for whoever is refused by it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return f"step {number}: {step.because}"


def _rules(ladder: Ladder, number: int, step: Step, kind: str) -> Iterator[LimitRule]:
    """The rolling limits of a step; an agent's count by the agent's own account."""
    for window in step.windows:
        yield LimitRule(
            id=f"{ladder.id}/{window.window_ms // 1000}",
            window_ms=window.window_ms,
            max_amount=window.max_amount,
            max_count=window.max_count,
            because=told(number, step),
            on_payee=ladder.subject is SubjectClass.AGENT and kind == Kind.CASH_OUT,
        )


def beginning(ladder: Ladder, subject: str, begun: int) -> Standing:
    """Where a subject stands of which nothing is recorded: on the first step, since it is there.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return Standing(
        id=standing_id(ladder.id, subject),
        ladder=ladder.id,
        subject=subject,
        step=0,
        since=begun,
        counted_from=begun,
        how="",
        finding="",
        because="all begin here",
        version=0,
        event=-1,
    )


def why_not_rise(ladder: Ladder, stands: Standing, counted: Counted, now: int) -> str:
    """Why the subject does not rise by one step at `now`, in words; empty if it does.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    place, _ = step_of(ladder, stands.step)
    if place + 1 >= len(ladder.steps):
        return "it is on the highest step"
    found = next(
        (one for one in ladder.findings if one.on.holds(counted.value(one.on.merit))), None
    )
    if found is not None:
        return f"{found.id} stands: {found.because}"
    higher = ladder.steps[place + 1]
    missing = [
        f"{one.merit.value} is {_shown(counted.value(one.merit))},"
        f" {_bound(one.low, one.high)} counts"
        for one in higher.evidence
        if not one.holds(counted.value(one.merit))
    ]
    left = higher.dwell_ms - (now - stands.since)
    if left > 0:
        missing.append(f"it stays here for another {-(-left // 3_600_000)} h")
    return "; ".join(missing)


def falls_by(ladder: Ladder, stands: Standing, counted: Counted) -> Finding | None:
    """The finding by which the subject falls, the deepest of several; None where it stays.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if step_of(ladder, stands.step)[0] == 0:
        return None
    found = [
        one
        for one in ladder.findings
        if one.on.holds(counted.value(one.on.merit))
        and not (one.on.merit in STANDING and one.id == stands.finding)
    ]
    return max(found, key=lambda one: one.drops, default=None)


def lifts_next(ladder: Ladder, stands: Standing) -> str:
    """What the step above asks for, in words; empty on the highest.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    place, _ = step_of(ladder, stands.step)
    if place + 1 >= len(ladder.steps):
        return ""
    return asked_in_words(ladder.steps[place + 1].evidence)


def asked_in_words(asked: Iterable[Asked]) -> str:
    """What is asked of a subject, for people.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return ", ".join(f"{one.merit.value} {_bound(one.low, one.high)}" for one in asked)


def drops_by(ladder: Ladder) -> str:
    """What would let a subject fall, in words.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return ", ".join(f"{asked_in_words((one.on,))}: {one.drops} down" for one in ladder.findings)


def _shown(value: int | None) -> str:
    return "not known" if value is None else str(value)


def _bound(low: int, high: int) -> str:
    return f"at most {high}" if high < FOREVER else f"at least {low}"
