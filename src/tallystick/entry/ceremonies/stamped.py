"""A time stamp over the transcript of a ceremony: that it was held, and written so, by then.

    FOLDER/ceremonies/ID.tsr   the stamp (RFC 3161) over the octets of ID.dsse

The running service stamps what it finds without one, by the provider's authority or by the one that
its configuration names; a ceremony that is held where another is named asks it at once.

Source: ISO/TS 12812-2:2017, 3.23; 7.4.2; RFC 3161
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tallystick.entry.accounting import Accounting
from tallystick.entry.notes import Note
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.checkpoints import other_authority, own_stamp
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Roots, certificates_in
from tallystick.infrastructure.timestamps import Stamped, verify_stamp
from tallystick.kernel.errors import MfsError, NotAuthentic, NotFound
from tallystick.kernel.time import MINUTE_MS
from tallystick.process.ceremonies import open_transcript

LOOKED_EVERY_S: Final = 30.0
TOLERANCE_MS: Final = 5 * MINUTE_MS
"""How far the clock of a ceremony may be ahead of the authority's."""

Stamp = Callable[[bytes], bytes]


def stamp_file(transcript: Path) -> Path:
    """Where the stamp of a transcript is.

    Source: RFC 3161
    """
    return transcript.with_suffix(".tsr")


def stamp_transcript(transcript: Path, stamp: Stamp, keep: Callable[[Path, bytes], None]) -> Path:
    """Stamp one transcript, whose signatures hold, and keep the stamp; gives its file.

    Raises what `open_transcript` and the authority raise.
    Source: RFC 3161, 2.2; ISO/TS 12812-2:2017, 7.4.2
    """
    octets, target = transcript.read_bytes(), stamp_file(transcript)
    open_transcript(octets)
    keep(target, stamp(octets))
    return target


def unstamped(folder: ProviderFolder) -> Iterator[Path]:
    """The transcripts of `folder` without a stamp.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for path in sorted((folder.root / "ceremonies").glob("*.dsse")):
        if not stamp_file(path).exists():
            yield path


def stamp_elsewhere(folder: ProviderFolder, transcript: Path) -> Path | None:
    """Stamp `transcript` by the authority that the configuration names; None where it names none.

    Raises Unavailable where the authority gives none.
    Source: RFC 3161, 2.4.1
    """
    place = CertificateFolder(folder)
    other = other_authority(place) if place.exists() else None
    return None if other is None else stamp_transcript(transcript, other.stamp, place.keep)


def verify_stamped(transcript: Path, held_at: int, roots: tuple[Roots, ...]) -> Stamped | None:
    """What the stamp beside `transcript` proves under one of `roots`; None where there is no stamp.

    Raises NotAuthentic for one that none of them leads to, that is over something else, or that is
    from before the ceremony was held at `held_at` (ms).
    Source: RFC 3161, 2.2; ISO/TS 12812-2:2017, 3.23
    """
    try:
        octets = stamp_file(transcript).read_bytes()
    except FileNotFoundError:
        return None
    refused = NotAuthentic(
        "no root is pinned for the time stamp", remedy="name one: --tsa-root FILE"
    )
    for one in roots:
        try:
            found = verify_stamp(octets, transcript.read_bytes(), one)
        except NotAuthentic as error:
            refused = error
            continue
        if found.at + found.accuracy_ms + TOLERANCE_MS < held_at:
            raise NotAuthentic("the transcript was stamped before it says it was held")
        return found
    raise refused


def known_roots(folder: ProviderFolder) -> tuple[Roots, ...]:
    """What stamps of `folder` are believed by: the provider's root, and the configured authority's.

    Raises NotFound for a file of roots that is not there.
    Source: RFC 3161; RFC 5280, 6.1.1
    """
    place = CertificateFolder(folder)
    if not place.exists():
        return ()
    own = certificates_in(pem_of(place.register().authority("root").octets).encode())
    other = other_authority(place)
    return (own,) if other is None else (own, other.roots)


async def stamp_ceremonies_for_ever(
    accounting: Accounting,
    place: CertificateFolder,
    desk: CertificateDesk,
    every_s: float = LOOKED_EVERY_S,
) -> None:
    """Stamp, again and again, the transcripts that have no stamp; what fails is noted once.

    Source: ISO/TS 12812-2:2017, 3.23; 7.4.2
    """
    told: set[Path] = set()
    while True:
        await asyncio.sleep(every_s)
        for path in unstamped(place.provider):
            try:
                await _stamp_here(path, place, desk)
            except (MfsError, OSError) as error:
                if path not in told:
                    told.add(path)
                    why = getattr(error, "detail", type(error).__name__)
                    accounting.note(Note.CEREMONY_NOT_STAMPED, why=why, what=path.stem)


async def _stamp_here(path: Path, place: CertificateFolder, desk: CertificateDesk) -> None:
    other = other_authority(place)
    if other is not None:
        await asyncio.to_thread(stamp_transcript, path, other.stamp, place.keep)
    elif desk.stamps:
        stamp_transcript(path, lambda data: own_stamp(desk, data), place.keep)
    else:
        raise NotFound("there is no time-stamping authority", remedy="tallystick pki stamping")
