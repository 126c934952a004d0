"""The ways of recovery as state machines: every step that is not named is refused."""

from itertools import product

import pytest

from tallystick.application.customers import CustomerStatus
from tallystick.application.recovery.model import Opener, RecoveryRow
from tallystick.application.recovery.rules import (
    PATHS,
    check_again,
    check_fields,
    frozen,
    may_open,
    moved,
    runs,
    silent,
    since,
    suspended,
    times,
)
from tallystick.kernel.errors import Conflict, Expired, Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant
from tallystick.process.policy.language.lives import RecoveryRule
from tallystick.protocol.recovery import RecoveryKind, RecoveryState

NOW = Instant(10**12)
RULE = RecoveryRule()
FINISHED = {RecoveryState.CODE_SENT, RecoveryState.COMPLETED}


def row(kind: RecoveryKind = RecoveryKind.LOST_PHONE, **changes) -> RecoveryRow:
    half, ready, expires = times(RULE, NOW)
    made = RecoveryRow(
        id="rcv_x", customer="cus_x", kind=kind, state=PATHS[kind].begins, opener=Opener.AGENT,
        proof="", evidence="", signed="", device="", numbers=b"", opened_at=NOW, ready_at=ready,
        expires_at=expires, half_told_at=0, next_at=half, ended_at=0, ended_by="", because="",
        activation="", access="",
    )  # fmt: skip
    return replace(made, **changes)


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.parametrize(("kind", "state"), list(product(RecoveryKind, RecoveryState)))
def test_from_its_beginning_a_way_leads_only_where_it_says(
    kind: RecoveryKind, state: RecoveryState
) -> None:
    begun = row(kind)
    late = Instant(begun.ready_at)
    if state in PATHS[kind].steps[begun.state]:
        assert moved(begun, state, late, "x").state is state
    else:
        with pytest.raises(Conflict):
            moved(begun, state, late, "x")


@pytest.mark.parametrize(
    "kind", [one for one in RecoveryKind if PATHS[one].begins is not RecoveryState.FROZEN]
)
def test_no_way_ends_well_before_its_time_or_after_its_end(kind: RecoveryKind) -> None:
    begun = row(kind)
    (goal,) = PATHS[kind].steps[begun.state] & FINISHED
    for early in (NOW, begun.ready_at - 1):
        with pytest.raises(NotPermitted):
            moved(begun, goal, Instant(early), "x")
    with pytest.raises(Expired):
        moved(begun, goal, Instant(begun.expires_at), "x")
    moved(begun, RecoveryState.CANCELLED, NOW, "x")


@pytest.mark.parametrize("state", [one for one in RecoveryState if one not in {
    RecoveryState.COOLING, RecoveryState.CODE_SENT, RecoveryState.FROZEN}])  # fmt: skip
def test_what_has_ended_stays_so(state: RecoveryState) -> None:
    for kind, to in product(RecoveryKind, RecoveryState):
        with pytest.raises(Conflict):
            moved(row(kind, state=state), to, Instant(NOW + 2 * DAY_MS), "x")


def test_a_number_or_a_freeze_is_not_opened_by_an_agent() -> None:
    stops = (RecoveryKind.DEATH, RecoveryKind.LEGAL_ORDER, RecoveryKind.SUSPENSION)
    for kind in (RecoveryKind.NUMBER_CHANGE, *stops):
        with pytest.raises(NotPermitted):
            may_open(kind, Opener.AGENT, CustomerStatus.ACTIVE)
    with pytest.raises(NotPermitted):
        may_open(RecoveryKind.LOST_PHONE, Opener.OPERATORS, CustomerStatus.SUSPENDED)
    with pytest.raises(NotPermitted):
        may_open(RecoveryKind.DORMANT, Opener.DEVICE, CustomerStatus.DORMANT)


def test_fields_go_with_their_kind_only() -> None:
    with pytest.raises(Malformed):
        check_fields(RecoveryKind.NUMBER_CHANGE, lost="", new_number="")
    with pytest.raises(Malformed):
        check_fields(RecoveryKind.LOST_PHONE, lost="", new_number="+254700000009")
    with pytest.raises(Malformed):
        check_fields(RecoveryKind.NEW_PHONE, lost="dev_x", new_number="")


@pytest.mark.threat("THR-SOC-01")
def test_one_runs_at_a_time_and_a_no_keeps_agents_away() -> None:
    for opener in Opener:
        with pytest.raises(Conflict):
            check_again((row(),), opener, NOW, RULE.after_ms)
    said_no = row(state=RecoveryState.CANCELLED, ended_at=NOW)
    later = Instant(NOW + HOUR_MS)
    with pytest.raises(NotPermitted):
        check_again((said_no,), Opener.AGENT, later, RULE.after_ms)
    check_again((said_no,), Opener.OPERATORS, later, RULE.after_ms)
    check_again((said_no,), Opener.AGENT, Instant(NOW + RULE.after_ms), RULE.after_ms)


def test_a_freeze_is_no_suspension_and_both_end_when_they_are_released() -> None:
    freezes = [row(RecoveryKind.DEATH), row(RecoveryKind.LEGAL_ORDER)]
    suspension = row(RecoveryKind.SUSPENSION)
    assert [frozen(one) for one in (*freezes, suspension, row())] == [True, True, False, False]
    assert [suspended(one) for one in (*freezes, suspension, row())] == [False, False, True, False]
    for one in (*freezes, suspension):
        ended = moved(one, RecoveryState.RELEASED, NOW, "opr_1,opr_2")
        assert not frozen(ended)
        assert not suspended(ended)
        assert silent(ended) is (one is not suspension)


def test_limits_are_lowered_while_it_runs_and_after_it_was_completed_only() -> None:
    later = Instant(NOW + HOUR_MS)
    assert since(row(), later) == 0
    assert runs(row(state=RecoveryState.CODE_SENT))
    assert since(row(state=RecoveryState.COMPLETED, ended_at=NOW), later) == HOUR_MS
    assert since(row(state=RecoveryState.CANCELLED, ended_at=NOW), later) is None
    assert RULE.lowers(0)
    assert not RULE.lowers(RULE.after_ms)
