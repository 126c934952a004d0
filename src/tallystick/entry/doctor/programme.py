"""The programme: would its service be let start, what is missing, and is all of it proved?

Source: ISO/TS 12812-2:2017, 7.3.1
"""

from collections.abc import Iterator

from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.evidence import DOSSIER_FILE, services_left_out
from tallystick.entry.gating import in_a_line, start_of
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant

_WHAT = "start gate"
_DOSSIER = "dossier"
_MOST = 20
_UNDER_REFUSAL = "production"


def look_at_services(folder: ProviderFolder) -> Iterator[Finding]:
    """Whether the rows of every service of the programme are asked for when it is proved.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    try:
        left_out = services_left_out(folder)
    except MfsError as error:
        yield wrong(_DOSSIER, error.detail, f"correct {folder.root / DOSSIER_FILE}")
        return
    if left_out:
        says = f"{left_out}: nothing is proved of its rows"
        yield soon(_DOSSIER, says, f"add it under services of {folder.root / DOSSIER_FILE}")


def look_at_gate(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Each thing that is missing: wrong where it keeps the service from starting, else soon.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    try:
        start = start_of(folder, now)
    except MfsError as error:
        yield wrong(_WHAT, error.detail, error.remedy or "look at the record first")
        return
    if start is None:
        yield soon(
            _WHAT,
            "there is no programme: nothing says what the service has to meet",
            f"write {folder.programme_file}: tallystick programme import, or init elsewhere",
        )
        return
    gate = start.gate
    if gate.opens:
        says = f"open: {len(gate.met)} requirements met by controls, {len(gate.excused)} excused"
        advised = f", {len(gate.advised)} recommendations open" if gate.advised else ""
        yield fine(_WHAT, f"{says}{advised}")
        return
    strict = folder.settings().profile == _UNDER_REFUSAL
    tell = wrong if strict else soon
    for one in gate.missing[:_MOST]:
        yield tell(_WHAT, f"{one.subject}: {one.says.splitlines()[0]}", one.remedy)
    if len(gate.missing) > _MOST:
        yield tell(_WHAT, in_a_line(gate), "close the gaps above first")
