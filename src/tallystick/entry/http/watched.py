"""What is watched from outside: the disk that the state is on; and who is told of what happens.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.evidence import take_in_for_ever
from tallystick.entry.proposals import Desk, watch_proposals
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.siem import Destination, export_for_ever
from tallystick.entry.tracing import Tracing
from tallystick.entry.tracing.spans import Spans, export_traces
from tallystick.entry.writing import WriterLoop
from tallystick.process.isms.clocks import due


@dataclass(frozen=True, slots=True)
class Watched:
    """Where the state of a served provider is, who is told of security events, where traces go.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    folder: Path | None = None
    siem: tuple[Destination, ...] = ()
    spans: Spans | None = None
    trace_share: float = 0.0


NOT_WATCHED = Watched()


def tracing_of(
    watched: Watched, writer: WriterLoop, entropy: Callable[[int], bytes]
) -> Tracing | None:
    """What traces payments and acts, if somebody asked for traces.

    Source: OpenTelemetry Trace SDK
    """
    if watched.spans is None:
        return None
    return Tracing(watched.trace_share, entropy, lambda: (writer.batch_began, writer.batch_durable))


def telling(
    platform: Platform,
    writer: WriterLoop,
    accounting: Accounting,
    watched: Watched,
    tracing: Tracing | None,
) -> list[Coroutine[Any, Any, None]]:
    """What tells others, for ever, of what happens here, and takes in what others saw.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    duties: list[Coroutine[Any, Any, None]] = []
    if watched.siem and watched.folder is not None:
        duties.append(export_for_ever(platform, writer, accounting, watched.siem, watched.folder))
    if watched.folder is not None:
        duties.append(take_in_for_ever(writer, watched.folder))
        desk = Desk(platform, accounting, watched.folder)
        duties.append(watch_proposals(desk, writer, watched.folder))
    if tracing is not None and watched.spans is not None:
        duties.append(export_traces(tracing, watched.spans))
    return duties


def watch_disk(accounting: Accounting, watched: Watched) -> None:
    """Expose how much room there is where the state is, in bytes; -1 where that cannot be told.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    folder = watched.folder
    if folder is not None:
        accounting.gauges["disk_free_bytes"] = lambda: _free(folder)


def watch_registers(accounting: Accounting, watched: Watched, platform: Platform) -> None:
    """Expose how much is overdue in the registers and of the inspections of secure devices.

    A register that cannot be read counts as overdue.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if watched.folder is not None:
        kept = KeptRegisters(ProviderFolder(watched.folder).registers)

        def overdue() -> int:
            devices = platform.desks.custody.devices().values()
            return len(due(kept.read(), platform.clock.now(), devices=devices, ahead_ms=0))

        accounting.gauges["registers_overdue"] = overdue


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return -1
