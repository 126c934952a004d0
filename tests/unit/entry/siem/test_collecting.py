"""What was counted and noted becomes events: coalesced, told once, without what must not leave."""

import pytest

from tallystick.entry.accounting import Accounting
from tallystick.entry.notes import Note
from tallystick.entry.siem.collecting import _NOTES, Collector
from tallystick.kernel.errors import error_classes
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.protocol.security_events import SecurityEvent, Severity

NEVER = Instant(10**15)


def collector(ends: Instant = NEVER, stopped=lambda: "") -> tuple[Accounting, Collector]:
    accounting = Accounting(SimulatedClock(), lambda _: None)
    accounting.answered("payment.order", 401, "not-authentic")
    return accounting, Collector(accounting, stopped, ends)


def kinds(events: list[SecurityEvent]) -> list[tuple[str, Severity]]:
    return [(one.kind, one.severity) for one in events]


@pytest.mark.threat("THR-NET-04")
def test_a_flood_of_refusals_is_one_event_with_its_count() -> None:
    accounting, found = collector()
    for _ in range(5_000):
        accounting.answered("payment.order", 401, "not-authentic")
        accounting.answered("payment.order", 200, "")
    [event] = found.collect(Instant(7))
    assert event.kind == "request.refused"
    assert event.severity is Severity.WARNING
    assert event.details == {
        "operation": "payment.order", "status": 401, "refusal": "not-authentic", "count": 5_000,
    }  # fmt: skip
    assert found.collect(Instant(8)) == []


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.code)
def test_every_refusal_is_told(error) -> None:
    accounting, found = collector()
    accounting.answered("account.read", error.status, error.code)
    [event] = found.collect(Instant(7))
    assert event.details["refusal"] == error.code


@pytest.mark.parametrize("note", list(Note))
def test_every_note_is_told_once_with_a_kind_of_its_own(note: Note) -> None:
    accounting, found = collector()
    accounting.note(note, why="x")
    accounting.note(note, why="x")
    [event] = found.collect(Instant(7))
    assert event.details == {"why": "x", "count": 2}
    assert found.collect(Instant(8)) == []
    assert len({kind for kind, _ in _NOTES.values()}) == len(Note)


def test_a_field_that_is_not_on_the_list_stays_inside() -> None:
    accounting, found = collector()
    accounting.note(Note.FRONT_GONE, front=7, msisdn="+254700000001")
    [event] = found.collect(Instant(7))
    assert event.details == {"front": 7, "count": 1}


def test_different_notes_without_end_are_bounded() -> None:
    accounting, found = collector()
    for number in range(3_000):
        accounting.note(Note.ORDER_NEEDS_PEOPLE, order=f"ord_{number}")
    assert len(found.collect(Instant(7))) == 1_000


def test_a_stopped_writer_is_told_once_and_aloud() -> None:
    why = [""]
    _, found = collector(stopped=lambda: why[0])
    assert found.collect(Instant(7)) == []
    why[0] = "an invariant does not hold"
    assert kinds(found.collect(Instant(8))) == [("writes.stopped", Severity.ALERT)]
    assert found.collect(Instant(9)) == []


def test_the_end_of_the_key_list_is_told_as_it_comes_nearer_and_each_step_once() -> None:
    ends = Instant(100 * DAY_MS)
    _, found = collector(ends)
    told = [
        (hour, kinds(found.collect(Instant(ends - hour * DAY_MS // 24))))
        for hour in range(24 * 9, -24, -1)
    ]
    steps = [(hour, said) for hour, said in told if said]
    assert [hour for hour, _ in steps] == [8 * 24 - 1, 4 * 24 - 1, 3 * 24 - 1, 2 * 24 - 1, 23]
    assert [severity for _, [(_, severity)] in steps] == [
        Severity.WARNING, Severity.WARNING, Severity.WARNING, Severity.ERROR, Severity.ERROR,
    ]  # fmt: skip


def test_a_service_that_starts_near_the_end_is_told_the_nearest_step_only() -> None:
    ends = Instant(100 * DAY_MS)
    _, found = collector(ends)
    assert kinds(found.collect(Instant(ends - DAY_MS // 2))) == [("keys.list-ends", Severity.ERROR)]
    assert found.collect(Instant(ends - DAY_MS // 2)) == []
