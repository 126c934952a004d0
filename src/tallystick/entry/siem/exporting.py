"""Sends security events, for ever: bounded, apart from the service, again after a pause if need be.

Source: ISO/TS 12812-2:2017, 6.2.3; RFC 5424, 5
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.siem.collecting import Collector
from tallystick.entry.siem.destination import Destination
from tallystick.entry.siem.links import Link, link_to
from tallystick.entry.siem.recalling import Cursor, first_cursor, keep_cursor, recall
from tallystick.entry.siem.syslog import Speaker
from tallystick.entry.threads import to_its_end
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant
from tallystick.protocol.security_events import SecurityEvent, Severity

EVERY_S = 1.0
MOST_WAITING = 10_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LAST_WORDS_S = 2.0
_AT_ONCE = 200


class Exporter:
    """What one destination still has to be told, and the way there.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self, name: str, link: Link, reader: Reader, file: Path, cursor: Cursor, most: int
    ) -> None:
        """Keep at most `most` events for `link`; tell the record from `cursor` on.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.name = name
        self.sent = self.dropped = 0
        self.cursor = cursor
        self._link = link
        self._reader = reader
        self._file = file
        self._most = most
        self._waiting: deque[SecurityEvent] = deque()
        self._untold = 0
        self._pause_s = 0.0
        self._not_before = 0.0

    @property
    def waiting(self) -> int:
        """How many events wait in memory.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return len(self._waiting)

    @property
    def silent(self) -> bool:
        """Whether the destination did not take the last that was sent.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._pause_s > 0

    def offer(self, events: Sequence[SecurityEvent]) -> None:
        """Take `events`, or count those for which there is no room.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        room = max(0, self._most - len(self._waiting))
        self._waiting.extend(events[:room])
        self.dropped += max(0, len(events) - room)
        self._untold += max(0, len(events) - room)

    async def turn(self, now: Instant, size: int) -> None:
        """Send what waits, then what the record says up to `size`; after a failure, pause.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            return
        try:
            await self._tell_waiting(now)
            await self._tell_record(size)
        except (OSError, TimeoutError, MfsError):
            await self._link.close()
            self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
            self._not_before = loop.time() + self._pause_s
            return
        self._pause_s = 0.0

    async def _tell_waiting(self, now: Instant) -> None:
        if self._untold:
            lost, self._untold = self._untold, 0
            self._waiting.appendleft(_dropped(now, lost))
        while self._waiting:
            some = [self._waiting[at] for at in range(min(_AT_ONCE, len(self._waiting)))]
            await self._send(some)
            for _ in some:
                self._waiting.popleft()

    async def _tell_record(self, size: int) -> None:
        while True:
            told = await to_its_end(lambda: recall(self._reader, self.cursor, size))
            for at in range(0, len(told.events), _AT_ONCE):
                await self._send(told.events[at : at + _AT_ONCE])
            if told.then == self.cursor:
                return
            self.cursor = told.then
            await to_its_end(lambda: keep_cursor(self._file, self.cursor))

    async def _send(self, events: Sequence[SecurityEvent]) -> None:
        refused = await self._link.send(events)
        self.sent += len(events) - refused
        self.dropped += refused

    async def close(self) -> None:
        """Give the connection up.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        await self._link.close()


def export_for_ever(
    platform: Platform,
    writer: WriterLoop,
    accounting: Accounting,
    destinations: Sequence[Destination],
    folder: Path,
    *,
    every_s: float = EVERY_S,
) -> Coroutine[Any, Any, None]:
    """Tell every destination what happens from now on; the last words come on cancellation.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def stopped() -> str:
        return "" if writer.stopped is None else writer.stopped.detail

    collector = Collector(accounting, stopped, platform.key_list_ends)
    return _export(platform, accounting, collector, destinations, folder, every_s)


async def _export(
    platform: Platform,
    accounting: Accounting,
    collector: Collector,
    destinations: Sequence[Destination],
    folder: Path,
    every_s: float,
) -> None:
    async with AsyncExitStack() as stack:
        exporters = [_exporter(platform, to, folder, stack) for to in destinations]
        _expose(accounting, platform, exporters)
        telling = [
            asyncio.create_task(_keep_telling(platform, accounting, one, every_s))
            for one in exporters
        ]
        try:
            while True:
                await asyncio.sleep(every_s)
                _offer(exporters, collector.collect(platform.clock.now()))
        finally:
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
            now = platform.clock.now()
            _offer(exporters, [*collector.collect(now), _stopping(now)])
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    size = platform.archive.durable_size
                    await asyncio.gather(*(one.turn(now, size) for one in exporters))


async def _keep_telling(
    platform: Platform, accounting: Accounting, exporter: Exporter, every_s: float
) -> None:
    """Tell one destination, for ever; note when it falls silent and when it answers again."""
    while True:
        await asyncio.sleep(every_s)
        was_silent = exporter.silent
        await exporter.turn(platform.clock.now(), platform.archive.durable_size)
        if exporter.silent != was_silent:
            note = Note.SIEM_LOST if exporter.silent else Note.SIEM_FOUND
            accounting.note(note, to=exporter.name)


def _offer(exporters: Sequence[Exporter], events: Sequence[SecurityEvent]) -> None:
    for one in exporters:
        one.offer(events)


def _exporter(platform: Platform, to: Destination, folder: Path, stack: AsyncExitStack) -> Exporter:
    speaker = Speaker(platform.settings.provider, socket.gethostname(), os.getpid())
    reader = stack.enter_context(platform.database.reader())
    file = folder / to.file_name
    cursor = first_cursor(file, reader, platform.archive.durable_size, platform.boot)
    link = link_to(to, speaker, platform.clock)
    exporter = Exporter(to.name, link, reader, file, cursor, MOST_WAITING)
    stack.push_async_callback(exporter.close)
    return exporter


def _expose(accounting: Accounting, platform: Platform, exporters: Sequence[Exporter]) -> None:
    accounting.gauges |= {
        "siem_sent_total": lambda: sum(one.sent for one in exporters),
        "siem_dropped_total": lambda: sum(one.dropped for one in exporters),
        "siem_waiting": lambda: max(one.waiting for one in exporters),
        "siem_behind": lambda: max(
            platform.archive.durable_size - one.cursor.event for one in exporters
        ),
        "siem_silent": lambda: sum(one.silent for one in exporters),
    }


def _dropped(now: Instant, count: int) -> SecurityEvent:
    return SecurityEvent(
        at=now, kind="siem.dropped", severity=Severity.WARNING, details={"count": count}
    )


def _stopping(now: Instant) -> SecurityEvent:
    return SecurityEvent(at=now, kind="service.stopping", severity=Severity.NOTICE, details={})
