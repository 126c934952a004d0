"""The rules by which evidence becomes a finding hold for every history that can be drawn."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.process.conformance.checks import Check, CheckKind, Observation, check_of
from tallystick.process.conformance.effectiveness import effectiveness
from tallystick.process.conformance.findings import (
    Decision,
    Exempted,
    Ground,
    Need,
    Reason,
    State,
    check_ground,
    counts,
    findings,
)

ROW = "MFS-7.3.2-01"
CHECKS = (
    check_of("greets", CheckKind.POSITIVE, (ROW,), "a right PIN is taken", freshness_ms=10),
    check_of("attack", CheckKind.NEGATIVE, (ROW,), "a wrong PIN is refused", freshness_ms=8),
    check_of("share", CheckKind.TELEMETRY, (ROW,), "a share is above a line", freshness_ms=15),
    check_of("proof", CheckKind.STATIC, (ROW,), "keys are in life", freshness_ms=20),
)
INSTANTS = st.integers(0, 60)


def seen(check: Check, at: int, verdict: Verdict = Verdict.PASS) -> Observation:
    return Observation(
        check=check.id,
        kind=check.kind,
        attempts=check.attempts,
        requirements=check.requirements,
        verdict=verdict,
        observed_at=at,
        fresh_until=at + check.freshness_ms,
        summary=f"{verdict} at {at}",
        measured={},
        environment="test",
    )


observations = st.builds(seen, st.sampled_from(CHECKS), INSTANTS, st.sampled_from(Verdict))
histories = st.lists(observations, max_size=12).map(tuple)
needs = st.builds(
    lambda checks, prohibition: Need(
        requirement=ROW, prohibition=prohibition, checks=tuple(sorted(checks, key=lambda c: c.id))
    ),
    st.sets(st.sampled_from(CHECKS)),
    st.booleans(),
)
spans = st.tuples(INSTANTS, st.integers(1, 30))
decisions = st.lists(
    spans.map(
        lambda span: Decision(
            requirement=ROW, who="board", why="not offered", since=span[0], until=sum(span)
        )
    ),
    max_size=2,
).map(tuple)
exceptions = st.lists(
    spans.map(
        lambda span: Exempted(
            requirement=ROW, who="board", why="until spring", since=span[0], until=sum(span)
        )
    ),
    max_size=2,
).map(tuple)
grounds = st.builds(
    lambda need, history, decided, excepted: Ground(
        needs=(need,), history=history, decisions=decided, exceptions=excepted
    ),
    needs,
    histories,
    decisions,
    exceptions,
)


def one(ground: Ground, now: int):
    return findings(ground, now)[0]


@pytest.mark.requirement("MFS-9.1-01")
@given(grounds, INSTANTS)
def test_satisfied_never_stands_without_a_fresh_pass_of_every_check(
    ground: Ground, now: int
) -> None:
    found = one(ground, now)
    if found.state is not State.SATISFIED:
        return
    need = ground.needs[0]
    assert need.checks
    assert {each.check for each in found.observations} == {check.id for check in need.checks}
    for each in found.observations:
        assert each.verdict is Verdict.PASS
        assert each.observed_at <= now < each.fresh_until
    assert not need.prohibition or any(each.attempts for each in found.observations)


@given(grounds, INSTANTS)
def test_a_successful_attack_beats_any_number_of_passes(ground: Ground, now: int) -> None:
    attack = CHECKS[1]
    need = Need(requirement=ROW, prohibition=False, checks=CHECKS)
    passes = tuple(seen(check, now) for check in CHECKS if check is not attack) * 5
    failed = seen(attack, now, Verdict.FAIL)
    bare = Ground(needs=(need,), history=(*ground.history, *passes, failed))
    found = one(bare, now)
    assert found.state is State.NOT_SATISFIED
    assert found.reason is Reason.ATTACK_SUCCEEDED


@given(grounds, INSTANTS, st.integers(0, 1000))
def test_a_failure_does_not_become_stale_and_what_could_not_be_seen_takes_none_back(
    ground: Ground, now: int, later: int
) -> None:
    need = Need(requirement=ROW, prohibition=False, checks=CHECKS)
    history = tuple(o for o in ground.history if o.check != "attack" and o.verdict is Verdict.PASS)
    failed = seen(CHECKS[1], now, Verdict.FAIL)
    blind = seen(CHECKS[1], now + later, Verdict.UNKNOWN)
    bare = Ground(needs=(need,), history=(*history, failed, blind))
    assert one(bare, now + later).state is State.NOT_SATISFIED
    mended = replace(bare, history=(*bare.history, seen(CHECKS[1], now + later + 1)))
    assert one(mended, now + later + 1).state is not State.NOT_SATISFIED


@given(grounds, INSTANTS)
def test_more_stale_or_unknown_evidence_never_makes_a_finding_better(
    ground: Ground, now: int
) -> None:
    before = one(ground, now)
    assume(before.state is not State.SATISFIED)
    old = tuple(
        each
        for check in CHECKS
        for each in (
            seen(check, now - check.freshness_ms - 1),
            seen(check, now, Verdict.UNKNOWN),
        )
    )
    after = one(replace(ground, history=(*ground.history, *old)), now)
    assert after.state is not State.SATISFIED


@given(grounds, INSTANTS, INSTANTS)
def test_what_is_observed_later_does_not_count_yet(ground: Ground, now: int, later: int) -> None:
    known = replace(
        ground, history=tuple(each for each in ground.history if each.observed_at <= now)
    )
    assert one(ground, now) == one(known, now)


@given(needs, INSTANTS)
def test_a_prohibition_is_never_satisfied_without_an_attempt(need: Need, now: int) -> None:
    quiet = tuple(check for check in need.checks if not check.attempts)
    assume(quiet)
    forbids = Need(requirement=ROW, prohibition=True, checks=quiet)
    ground = Ground(needs=(forbids,), history=tuple(seen(check, now) for check in quiet))
    found = one(ground, now)
    assert (found.state, found.reason) == (State.STALE, Reason.NO_ATTEMPT)
    asks = replace(ground, needs=(replace(forbids, prohibition=False),))
    assert one(asks, now).state is State.SATISFIED


@given(grounds, INSTANTS)
def test_not_applicable_takes_a_decision_in_force(ground: Ground, now: int) -> None:
    in_force = [d for d in ground.decisions if d.since <= now < d.until]
    found = one(ground, now)
    assert (found.state is State.NOT_APPLICABLE) == bool(in_force)
    assert not in_force or "board" in found.says


@given(grounds, INSTANTS)
def test_an_exception_covers_what_is_not_satisfied_until_it_lapses(
    ground: Ground, now: int
) -> None:
    found = one(ground, now)
    without = one(replace(ground, exceptions=()), now)
    if found.state is State.EXCEPTED:
        covering = [e for e in ground.exceptions if e.since <= now < e.until]
        assert found.until in {e.until for e in covering}
        assert found.underneath is without.state
        assert without.state in {State.NOT_SATISFIED, State.STALE}
        last = max(e.until for e in ground.exceptions)
        assert one(ground, last).state is not State.EXCEPTED
    else:
        assert found == without


@given(grounds, st.tuples(st.integers(0, 40), st.integers(1, 40)))
def test_effectiveness_is_what_a_look_at_every_millisecond_gives(
    ground: Ground, span: tuple[int, int]
) -> None:
    start, end = span[0], sum(span)
    expected = dict.fromkeys((state.value for state in State), 0)
    for now in range(start, end):
        expected[one(ground, now).state.value] += 1
    found = effectiveness(ground, start, end)[0]
    assert found.ms == expected
    satisfied, applied = found.share()
    assert satisfied == expected["satisfied"]
    assert applied == end - start - expected["not-applicable"]


def test_effectiveness_looks_back_and_not_at_today_only() -> None:
    need = Need(requirement=ROW, prohibition=False, checks=CHECKS[:1])
    ground = Ground(needs=(need,), history=(seen(CHECKS[0], 0), seen(CHECKS[0], 90)))
    found = effectiveness(ground, 0, 100)[0]
    assert found.share() == (20, 100)
    assert one(ground, 99).state is State.SATISFIED
    with pytest.raises(Malformed):
        effectiveness(ground, 5, 5)


def test_counts_name_every_state() -> None:
    assert counts(()) == dict.fromkeys((state.value for state in State), 0)


def test_what_has_no_name_no_reason_or_no_end_is_refused() -> None:
    good = Exempted(requirement=ROW, who="board", why="late vendor", since=5, until=9)
    decided = Decision(requirement=ROW, who="board", why="no agents", since=5)
    check_ground(Ground(needs=(), history=(), decisions=(decided,), exceptions=(good,)))
    for bad in (
        replace(good, who=" "),
        replace(good, why=""),
        replace(good, until=5),
    ):
        with pytest.raises(Malformed):
            check_ground(Ground(needs=(), history=(), exceptions=(bad,)))
    for wrong in (replace(decided, who=""), replace(decided, why=" "), replace(decided, until=4)):
        with pytest.raises(Malformed):
            check_ground(Ground(needs=(), history=(), decisions=(wrong,)))
    with pytest.raises(Malformed):
        check_of("empty", CheckKind.STATIC, (), "bears on nothing")
