"""Documents that have to stay proved for years, such as consents: stamped, and again in time.

    FILE          the document, as it was archived
    FILE.stamps   the stamps over it, each over all before

Source: ISO/TS 12812-2:2017, 3.23; 8.1.5; 11.2.2; RFC 4998
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from tallystick.entry.pki.checkpoints import other_authority
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.stamping import Authority
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.registry import ends_of, mechanism
from tallystick.infrastructure.crypto.x509 import Roots, certificates_in
from tallystick.infrastructure.pki.profiles import ROOT
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.timestamps.chain import (
    begin,
    extend,
    is_due,
    read_chain,
    verify_chain,
    write_chain,
)
from tallystick.infrastructure.timestamps.verify import Stamped
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant, instant_of

STAMPS: Final = ".stamps"
"""What the name of a file of stamps ends in."""


Stamp = Callable[[bytes], bytes]
"""Gives a time stamp over octets in the form that is kept, or raises Unavailable."""


class Done(StrEnum):
    """What was done about one document.

    Source: RFC 4998, 5.2
    """

    STAMPED = "stamped"
    RENEWED = "stamped again"
    KEPT = "proved as it is"


class Archived(Record, frozen=True, kw_only=True):
    """A document: what was done, since when it is proved (ms), and until when as it is (ms).

    Source: RFC 4998, 5.3
    """

    name: str
    done: Done
    since: int
    until: int


def authority_of(folder: CertificateFolder, url: str) -> tuple[Authority, Roots]:
    """Who stamps, and the roots that stamps are verified by.

    That is the configured authority of somebody else, or the service at `url`. Raises NotFound.
    Source: RFC 3161, 2.2
    """
    other = other_authority(folder)
    if other is not None:
        return other, other.roots
    if not url:
        raise NotFound(
            "nobody is named who stamps", remedy="give --url, the address of the running service"
        )
    root = folder.register().authority(ROOT)
    roots = certificates_in(pem_of(root.octets).encode())
    return Authority(f"{url.rstrip('/')}/tsa", roots), roots


def stamps_file(file: Path) -> Path:
    """Where the stamps over the document `file` are.

    Source: RFC 4998, 5
    """
    return file.with_name(f"{file.name}{STAMPS}")


def weak_from(file: Path, roots: Roots) -> Instant | None:
    """The first day on which a mechanism of the newest stamp over `file` ends; None for no day.

    Raises NotAuthentic where the stamps do not prove the document.
    Source: RFC 4998, 5.2; ISO/TS 12812-2:2017, C
    """
    chain = read_chain(stamps_file(file).read_bytes())
    return weak_after(verify_chain(chain, file.read_bytes(), roots)[-1])


def weak_after(stamped: Stamped) -> Instant | None:
    """The first day on which a mechanism of `stamped` ends, by the registry; None for no day.

    Source: RFC 4998, 5.2; ISO/TS 12812-2:2017, C
    """
    days = [one for one in (ends_of(mechanism(name)) for name in stamped.mechanisms) if one]
    return instant_of(f"{min(days)}T00:00:00Z") if days else None


def archive(
    file: Path,
    stamp: Stamp,
    roots: Roots,
    now: Instant,
    weak_from: Instant | None = None,
) -> Archived:
    """Stamp the document in `file`, or stamp it again if that is due; nothing otherwise.

    `weak_from` is when the mechanism of the newest stamp is no longer to be relied on. Raises
    NotAuthentic where the stamps do not prove the document, Unavailable where nobody stamps.
    Source: RFC 4998, 5.2
    """
    document, beside = file.read_bytes(), stamps_file(file)
    if not beside.exists():
        chain, done = begin(document, stamp), Done.STAMPED
    else:
        chain, done = read_chain(beside.read_bytes()), Done.KEPT
        if is_due(verify_chain(chain, document, roots), now, weak_from):
            chain, done = extend(chain, document, stamp), Done.RENEWED
    found = verify_chain(chain, document, roots)
    if done is not Done.KEPT:
        replace_file(beside, write_chain(chain))
    return Archived(name=file.name, done=done, since=found[0].at, until=found[-1].ends)
