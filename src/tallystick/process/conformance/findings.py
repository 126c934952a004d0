"""From what checks saw to what holds: one finding for each requirement, at any instant.

    1. a decision in force that it does not apply            not-applicable
    2. the newest answer of a required check is a failure     not-satisfied
    3. a required check has no answer, or a stale one         stale
    4. it forbids, and no check attempted the forbidden act   stale
    5. otherwise                                              satisfied

What comes out of 2 to 4 is `excepted` while an exception with a name, a reason and an end covers
it. A failure does not become stale: only a newer answer of the same check takes it back, so a
failed attack beats any number of passes of other checks.

Source: ISO/TS 12812-2:2017, 9.1; 7.5
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import Record
from tallystick.process.conformance.checks import Check, CheckKind, Observation

_END = 2**63 - 1


class State(StrEnum):
    """What is known of a requirement.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    SATISFIED = "satisfied"
    NOT_SATISFIED = "not-satisfied"
    STALE = "stale"
    NOT_APPLICABLE = "not-applicable"
    EXCEPTED = "excepted-until"


class Reason(StrEnum):
    """Why a finding has its state; `ABSENT` and `NO_ATTEMPT` are sorts of staleness.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    PASSED = "passed"
    FAILED = "failed"
    ATTACK_SUCCEEDED = "attack-succeeded"
    OUT_OF_DATE = "out-of-date"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NO_CHECK = "no-check"
    NO_ATTEMPT = "no-attempt"
    DECIDED = "decided"


class Need(Record, frozen=True, kw_only=True):
    """What a requirement takes: all of `checks`; a prohibition also that one of them attempts it.

    Source: ISO/TS 12812-2:2017, 7.5; 9.1
    """

    requirement: str
    prohibition: bool
    checks: tuple[Check, ...]


class Decision(Record, frozen=True, kw_only=True):
    """Who decided that a requirement does not apply, why, and for which time; `until` may be 0.

    0 means until it is taken back. Instants in milliseconds.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    requirement: str
    who: str
    why: str
    since: int
    until: int = 0


class Exempted(Record, frozen=True, kw_only=True):
    """Who accepts that a requirement is not met, why, and until when; it lapses at `until`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    requirement: str
    who: str
    why: str
    since: int
    until: int


class Ground(Record, frozen=True, kw_only=True):
    """Everything that findings follow from: needs, the history of evidence, and what was decided.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    needs: tuple[Need, ...]
    history: tuple[Observation, ...]
    decisions: tuple[Decision, ...] = ()
    exceptions: tuple[Exempted, ...] = ()


class Finding(Record, frozen=True, kw_only=True):
    """What holds of one requirement at one instant, and the observations it follows from.

    `until` is the end of an exception, or the instant at which the first observation that the
    finding rests on becomes stale; 0 where nothing ends. `underneath` is the state without the
    exception.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    requirement: str
    state: State
    reason: Reason
    underneath: State
    says: str
    until: int
    observations: tuple[Observation, ...]
    missing: tuple[str, ...] = ()


def check_ground(ground: Ground) -> None:
    """Pass if every decision and every exception says who, why and for which time.

    Raises Malformed naming the requirement.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    for decision in ground.decisions:
        _check_named(decision.requirement, decision.who, decision.why)
        if decision.until and decision.until <= decision.since:
            raise Malformed(f"{decision.requirement}: a decision ends after it begins")
    for one in ground.exceptions:
        _check_named(one.requirement, one.who, one.why)
        if one.until <= one.since:
            raise Malformed(
                f"{one.requirement}: an exception has an end, after its beginning",
                remedy="say until when; it can be granted again",
            )


def _check_named(requirement: str, who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        raise Malformed(f"{requirement}: say who decided it, and why")


def findings(ground: Ground, now: int) -> tuple[Finding, ...]:
    """A finding for each need, in their order, as of `now` (ms).

    Source: ISO/TS 12812-2:2017, 9.1
    """
    newest = newest_by_check(ground.history, now)
    decided = {one.requirement: one for one in ground.decisions if _in_force(one, now)}
    excepted = {one.requirement: one for one in ground.exceptions if one.since <= now < one.until}
    return tuple(
        _finding(need, newest, decided.get(need.requirement), excepted.get(need.requirement), now)
        for need in ground.needs
    )


def newest_by_check(history: Iterable[Observation], now: int) -> dict[str, Observation]:
    """The answer of each check that counts at `now`: its last one.

    Of two at the same instant the worse one counts, and a check that could not be made takes no
    failure back.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    found: dict[str, Observation] = {}
    made = [one for one in history if one.observed_at <= now]
    for one in sorted(made, key=_order):
        before = found.get(one.check)
        failed = before is not None and before.verdict is Verdict.FAIL
        if not (failed and one.verdict is Verdict.UNKNOWN):
            found[one.check] = one
    return found


def _order(one: Observation) -> tuple[int, int, int]:
    worse = {Verdict.PASS: 0, Verdict.UNKNOWN: 1, Verdict.FAIL: 2}[one.verdict]
    return (one.observed_at, worse, -one.fresh_until)


def _in_force(decision: Decision, now: int) -> bool:
    return decision.since <= now < (decision.until or _END)


def _finding(
    need: Need,
    newest: Mapping[str, Observation],
    decided: Decision | None,
    excepted: Exempted | None,
    now: int,
) -> Finding:
    if decided is not None:
        return Finding(
            requirement=need.requirement,
            state=State.NOT_APPLICABLE,
            reason=Reason.DECIDED,
            underneath=State.NOT_APPLICABLE,
            says=f"{decided.who}: {decided.why}",
            until=decided.until,
            observations=(),
        )
    found = _observed(need, newest, now)
    if excepted is None or found.state is State.SATISFIED:
        return found
    return Finding(
        requirement=need.requirement,
        state=State.EXCEPTED,
        reason=found.reason,
        underneath=found.state,
        says=f"accepted by {excepted.who}: {excepted.why} ({found.says})",
        until=excepted.until,
        observations=found.observations,
        missing=found.missing,
    )


def _observed(need: Need, newest: Mapping[str, Observation], now: int) -> Finding:
    seen = [newest[check.id] for check in need.checks if check.id in newest]
    failed = [one for one in seen if one.verdict is Verdict.FAIL]
    if failed:
        attacked = [one for one in failed if one.kind is CheckKind.NEGATIVE]
        return _say(
            need,
            State.NOT_SATISFIED,
            Reason.ATTACK_SUCCEEDED if attacked else Reason.FAILED,
            "; ".join(f"{one.check}: {one.summary}" for one in attacked or failed),
            failed,
        )
    if not need.checks:
        return _say(need, State.STALE, Reason.NO_CHECK, "no check bears on it", ())
    missing = tuple(check.id for check in need.checks if check.id not in newest)
    if missing:
        says = f"never observed: {', '.join(missing)}"
        return _say(need, State.STALE, Reason.ABSENT, says, seen, missing)
    return _from_passes(need, seen, now)


def _from_passes(need: Need, seen: Sequence[Observation], now: int) -> Finding:
    unknown = tuple(one.check for one in seen if one.verdict is Verdict.UNKNOWN)
    if unknown:
        says = f"could not be seen: {', '.join(unknown)}"
        return _say(need, State.STALE, Reason.UNKNOWN, says, seen, unknown)
    stale = tuple(one.check for one in seen if not one.is_fresh(now))
    if stale:
        says = f"out of date: {', '.join(stale)}"
        return _say(need, State.STALE, Reason.OUT_OF_DATE, says, seen, stale)
    if need.prohibition and not any(one.attempts for one in seen):
        says = "it forbids, and no check attempts the forbidden act"
        return _say(need, State.STALE, Reason.NO_ATTEMPT, says, seen)
    says = "; ".join(f"{one.check}: {one.summary}" for one in seen)
    return _say(need, State.SATISFIED, Reason.PASSED, says, seen)


def _say(
    need: Need,
    state: State,
    reason: Reason,
    says: str,
    seen: Sequence[Observation],
    missing: tuple[str, ...] = (),
) -> Finding:
    satisfied = state is State.SATISFIED
    return Finding(
        requirement=need.requirement,
        state=state,
        reason=reason,
        underneath=state,
        says=says,
        until=min((one.fresh_until for one in seen), default=0) if satisfied else 0,
        observations=tuple(seen),
        missing=missing,
    )


def counts(found: Iterable[Finding]) -> dict[str, int]:
    """How many requirements are in each state; every state stands there, with 0 if none is.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    result = {state.value: 0 for state in State}
    for one in found:
        result[one.state.value] += 1
    return result
