"""An exporter keeps what it must, drops what it cannot keep, says so, and tries again."""

import asyncio
from pathlib import Path

import pytest

from tallystick.entry.siem.exporting import FIRST_PAUSE_S, Exporter
from tallystick.entry.siem.recalling import Cursor, first_cursor, keep_cursor
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.time import Instant
from tallystick.protocol.security_events import SecurityEvent, Severity


class Empty:
    """A record without a row."""

    def rows(self, sql: str, parameters=()) -> list:
        return []

    def one(self, sql: str, parameters=()):
        return None

    def stream(self, sql: str, parameters=()):
        return iter(())


class Line:
    """A way to a collector that fails, refuses or hangs as told."""

    def __init__(self) -> None:
        self.arrived: list[SecurityEvent] = []
        self.failure: Exception | None = None
        self.refuses = 0
        self.tries = self.closed = 0

    async def send(self, events) -> int:
        self.tries += 1
        if self.failure is not None:
            raise self.failure
        self.arrived += events
        return min(self.refuses, len(events))

    async def close(self) -> None:
        self.closed += 1


def events(count: int, start: int = 0) -> list[SecurityEvent]:
    return [
        SecurityEvent(at=at, kind="front.gone", severity=Severity.WARNING, details={"n": at})
        for at in range(start, start + count)
    ]


def exporter(line: Line, tmp_path: Path, most: int = 1_000) -> Exporter:
    return Exporter("x", line, Empty(), tmp_path / "c.json", Cursor(event=0, notice=0), most)


def test_events_arrive_in_order_and_are_counted(tmp_path: Path) -> None:
    line = Line()
    one = exporter(line, tmp_path)
    one.offer(events(450))
    asyncio.run(one.turn(Instant(1), 0))
    assert line.arrived == events(450)
    assert (one.sent, one.dropped, one.waiting) == (450, 0, 0)


@pytest.mark.parametrize("failure", [OSError("refused"), TimeoutError(), Unavailable("503")])
def test_what_did_not_arrive_is_sent_again_after_a_pause(tmp_path: Path, failure) -> None:
    async def scene() -> None:
        line = Line()
        one = exporter(line, tmp_path)
        one.offer(events(3))
        line.failure = failure
        await one.turn(Instant(1), 0)
        assert one.silent
        assert line.closed == 1
        line.failure = None
        await one.turn(Instant(2), 0)
        assert line.tries == 1
        assert line.arrived == []
        await asyncio.sleep(FIRST_PAUSE_S + 0.05)
        await one.turn(Instant(3), 0)
        assert line.arrived == events(3)
        assert not one.silent

    asyncio.run(scene())


def test_pauses_grow_to_a_minute_and_no_further(tmp_path: Path) -> None:
    async def scene() -> list[float]:
        line = Line()
        line.failure = OSError()
        one = exporter(line, tmp_path)
        one.offer(events(1))
        pauses = []
        for _ in range(8):
            one._not_before = 0.0
            await one.turn(Instant(1), 0)
            pauses.append(one._pause_s)
        return pauses

    assert asyncio.run(scene()) == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.threat("THR-NET-04")
def test_a_full_queue_drops_counts_and_tells_the_collector_so(tmp_path: Path) -> None:
    line = Line()
    one = exporter(line, tmp_path, most=10)
    one.offer(events(25))
    one.offer(events(5, 25))
    assert (one.waiting, one.dropped) == (10, 20)
    asyncio.run(one.turn(Instant(99), 0))
    assert [event.kind for event in line.arrived[:2]] == ["siem.dropped", "front.gone"]
    assert line.arrived[0].details == {"count": 20}
    assert line.arrived[1:] == events(10)


def test_what_the_collector_refuses_for_good_is_dropped_and_not_sent_again(tmp_path: Path) -> None:
    line = Line()
    line.refuses = 4
    one = exporter(line, tmp_path)
    one.offer(events(4))
    asyncio.run(one.turn(Instant(1), 0))
    assert (one.sent, one.dropped, one.waiting) == (0, 4, 0)


def test_a_cursor_outlives_the_process_and_a_broken_one_begins_at_now(tmp_path: Path) -> None:
    file = tmp_path / "cursor.json"
    assert first_cursor(file, Empty(), 40, boot=1) == Cursor(event=0, notice=0)
    assert first_cursor(file, Empty(), 40, boot=2) == Cursor(event=40, notice=0)
    keep_cursor(file, Cursor(event=17, notice=3))
    assert first_cursor(file, Empty(), 40, boot=2) == Cursor(event=17, notice=3)
    file.write_bytes(b"{}")
    assert first_cursor(file, Empty(), 40, boot=2).event == 40
