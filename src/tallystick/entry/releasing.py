"""The files of a release, and what officers signed of it; for the gate and for the probe of it.

Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
"""

from pathlib import Path
from typing import Final

from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed
from tallystick.process.isms.release import Brought, ReleasePlan, ReleaseRecord, read_release
from tallystick.process.isms.signing import verify_statement
from tallystick.protocol.statements import read_statement

_records: Final = Decoder(ReleaseRecord)


def bring(file: Path) -> tuple[ReleasePlan, Brought]:
    """The release in `file`, and the files beside it that it names.

    Raises Malformed, and OSError for a file that is not there.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    plan = read_release(file.read_text(encoding="utf-8"))
    beside = file.parent
    brought = Brought(
        artifact=(beside / plan.artifact).read_bytes(),
        bill=(beside / plan.bill).read_bytes(),
        tests=(beside / plan.tests).read_bytes(),
        scans=tuple((beside / one).read_bytes() for one in plan.scans),
    )
    return plan, brought


def signed_release(file: Path, place: ProviderFolder) -> ReleaseRecord:
    """What officers of the provider at `place` signed in `file`.

    Raises Malformed for a statement about something else, and what verifying raises.
    Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
    """
    settings = place.settings()
    statement = read_statement(file.read_bytes())
    officers = {name: half.verify_key() for name, half in settings.officers.items()}
    body = verify_statement(statement, officers, settings.profile)
    if statement.about != "release":
        raise Malformed("the signed file is not about a release")
    return _records.decode_canonical(body)
