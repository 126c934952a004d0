"""Lists that a person puts into the provider's folder; the date of one is the file's.

    attestation-revoked.json   certificates that are believed no more, as the vendor publishes them
    attestation-models.jwt     models of authenticators, signed under attestation-models.pem

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
"""

from pathlib import Path
from typing import Final

from tallystick.entry.vendors.reading import ROOTS_FILE, ReadList, read_list
from tallystick.kernel.time import Instant
from tallystick.process.attestation.lists import ListName

REVOKED: Final = "attestation-revoked.json"
MODELS: Final = "attestation-models.jwt"
FILES: Final = {ListName.REVOKED: REVOKED, ListName.MODELS: MODELS}

Mark = tuple[int, int, int]


def put_by_hand(root: Path, name: ListName) -> ReadList | None:
    """The list `name` in the folder `root`; None where nobody put it there.

    Raises Malformed, TooLarge, NotAuthentic or NotFound for one that cannot be read or believed.
    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """
    file = root / FILES[name]
    if not file.is_file():
        return None
    at = Instant(int(file.stat().st_mtime) * 1000)
    return read_list(name, file.read_bytes(), root, f"folder: {file.name}", at)


def dated(root: Path, name: ListName) -> int:
    """The date of the file of the list `name` in `root` (ms); 0 where there is none.

    Source: RFC 9334, 7.4
    """
    found = mark_of(root / FILES[name])
    return 0 if found is None else found[0] // 1_000_000_000 * 1000


def marks_of(root: Path, name: ListName) -> tuple[Mark | None, ...]:
    """What changes with each change of the files that the list `name` is read from.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    beside = (ROOTS_FILE,) if name is ListName.MODELS else ()
    return tuple(mark_of(root / file) for file in (FILES[name], *beside))


def mark_of(path: Path) -> Mark | None:
    """What changes with each change of the file at `path`; None where there is none.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
