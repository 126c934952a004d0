"""The registers: can each be read, is anything overdue?

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Iterator

from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.registering import state_of
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant
from tallystick.process.isms.clocks import due

_HOW = "see docs/how-to/keep-the-registers.md"


def look_at_registers(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """What cannot be read, what is overdue, and what falls due within 30 days.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    try:
        state = state_of(folder)
    except MfsError as error:
        yield wrong("registers", error.detail, error.remedy or "look at the record first")
        return
    for one in state.registers.unreadable:
        yield wrong(
            "registers",
            f"{one.name}: {one.defects.splitlines()[0]}",
            f"correct it: tallystick registers check {folder.root}",
        )
    if not state.registers.kept and not state.registers.unreadable:
        yield soon("registers", "none is kept", _HOW)
        return
    around = state.around
    found = due(state.registers, now, certificates=around.certificates, withdrawn=around.withdrawn)
    late = [one for one in found if one.overdue and one.what != "cannot be read"]
    if late:
        first = late[0]
        what = f"{first.register} {first.entry}".strip()
        yield soon(
            "registers",
            f"{len(late)} overdue, first {what}: {first.what}",
            f"tallystick registers due {folder.root}",
        )
    elif state.registers.kept:
        kept = len(state.registers.kept)
        ahead = sum(not one.overdue for one in found)
        yield fine("registers", f"{kept} kept, nothing overdue, {ahead} due within 30 days")
