"""The stamps over checkpoints, gathered into lists that are stamped, and again before they weaken.

    FOLDER/pki/stamps/SIZE.json             a checkpoint and the stamp over it
    FOLDER/pki/stamps/gathered/SIZE.json    such files by SHA-512; SIZE is that of the newest
    FOLDER/pki/stamps/gathered/SIZE.json.stamps  the stamps over the list

A stamp counts as long as its certificate and its mechanisms. One that was gathered while it counted
goes on proving what it proved, as long as the list is stamped anew in time. The list holds another
hash than the log, so that neither weakens with the other.

Source: ISO/TS 12812-2:2017, 3.23; 8.1.5; RFC 4998, 3.2; 5.2
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from tallystick.entry.pki.archiving import (
    Done,
    Stamp,
    archive,
    stamps_file,
    weak_after,
    weak_from,
)
from tallystick.entry.pki.checkpoints import verify_kept
from tallystick.entry.pki.places import CertificateFolder
from tallystick.infrastructure.crypto.digest import equal, named_digest
from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.timestamps import Stamped
from tallystick.infrastructure.timestamps.chain import begin, is_due, write_chain
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record, pattern
from tallystick.kernel.time import DAY_MS, Instant

GATHERED: Final = "gathered"
EVERY_MS: Final = 30 * DAY_MS
"""How old the oldest stamp that nobody gathered may become."""
MOST: Final = 4096
"""How many stamps one list may hold: half a year of hours."""
_MOST_OCTETS: Final = 1 << 20

DigestText = Annotated[str, pattern("^[A-Za-z0-9_-]{86}$")]
"""64 octets of SHA-512 in base64url."""


class Entry(Record, frozen=True, kw_only=True):
    """One kept stamp: how many events its checkpoint covers, and the SHA-512 of its file.

    Source: RFC 4998, 4.2
    """

    size: int
    sha512: DigestText


class Gathered(Record, frozen=True, kw_only=True):
    """A list of kept stamps by size, smallest first: the document that is stamped again.

    Source: RFC 4998, 4.2
    """

    v: Literal[1] = 1
    log: str
    entries: tuple[Entry, ...]

    def holds(self, size: int, kept: bytes) -> bool:
        """Whether the list names the file `kept` for the checkpoint over `size` events.

        Source: RFC 4998, 4.3
        """
        digest = named_digest("sha512", kept)
        at = bisect_left(self.entries, size, key=lambda one: one.size)
        found = self.entries[at : at + 1]
        return any(one.size == size and equal(b64url_decode(one.sha512), digest) for one in found)


_LISTS: Final = Decoder(Gathered, limit=_MOST_OCTETS)


def read_gathered(octets: bytes) -> Gathered:
    """The list in `octets`.

    Raises Malformed for another form, no entry, or entries out of order.
    Source: RFC 4998, 4.2
    """
    found = _LISTS.decode_canonical(octets)
    sizes = [one.size for one in found.entries]
    if not sizes or len(sizes) > MOST or sizes != sorted(set(sizes)):
        raise Malformed("a list of stamps names each once, by size, up to 4096 of them")
    return found


def kept_stamps(folder: CertificateFolder) -> tuple[Path, ...]:
    """The files of stamped checkpoints, by how many events they cover, smallest first.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    found = [one for one in folder.stamps.glob("*.json") if one.stem.isdigit()]
    return tuple(sorted(found, key=_size))


def lists(folder: CertificateFolder) -> tuple[Path, ...]:
    """The lists of gathered stamps, the oldest first.

    Source: RFC 4998, 4.2
    """
    found = (folder.stamps / GATHERED).glob("*.json")
    return tuple(sorted((one for one in found if one.stem.isdigit()), key=_size))


def gather(folder: CertificateFolder, stamp: Stamp, roots: Roots, now: Instant) -> Path | None:
    """List the stamps that no list has and stamp the list, if the oldest is due; None otherwise.

    Due is a stamp of 30 days, or one that counts for 90 days at most. The list is
    written after its stamps, so that a run that is cut short is begun again. Raises NotAuthentic
    where a kept stamp does not prove its checkpoint, Unavailable where nobody stamps.
    Source: RFC 4998, 5.2
    """
    before = lists(folder)
    after = _size(before[-1]) if before else -1
    waiting = [one for one in kept_stamps(folder) if _size(one) > after][:MOST]
    if not waiting:
        return None
    oldest = verify_kept(waiting[0].read_bytes(), roots)[1]
    ends = is_due([oldest], now, weak_after(oldest))
    if now - oldest.at < EVERY_MS and not ends and len(waiting) < MOST:
        return None
    entries: list[Entry] = []
    log = ""
    for file in waiting:
        octets = file.read_bytes()
        kept, _ = verify_kept(octets, roots)
        log = kept.checkpoint.split("\n", 1)[0]
        digest = named_digest("sha512", octets)
        entries.append(Entry(size=_size(file), sha512=b64url(digest)))
    made = folder.stamps / GATHERED / waiting[-1].name
    document = encode_canonical(Gathered(log=log, entries=tuple(entries)))
    folder.keep(stamps_file(made), write_chain(begin(document, stamp)))
    folder.keep(made, document)
    return made


def renew(folder: CertificateFolder, stamp: Stamp, roots: Roots, now: Instant) -> tuple[Path, ...]:
    """Stamp again every list whose newest stamp ends within 90 days; gives those that were.

    Raises NotAuthentic where stamps do not prove their list, Unavailable where nobody stamps.
    Source: RFC 4998, 5.2
    """
    found: list[Path] = []
    for file in lists(folder):
        done = archive(file, stamp, roots, now, weak_from(file, roots)).done
        if done is not Done.KEPT:
            found.append(file)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that was gathered, and where it is.

    Source: RFC 4998, 4.2
    """

    file: Path
    gathered: Gathered


def read_lists(folder: CertificateFolder) -> tuple[Listed, ...]:
    """Every list of gathered stamps, the oldest first; raises Malformed.

    Source: RFC 4998, 4.2
    """
    return tuple(Listed(one, read_gathered(one.read_bytes())) for one in lists(folder))


def list_of(listed: Sequence[Listed], size: int, kept: bytes) -> Listed | None:
    """The list that has the stamp `kept` over `size` events; None while it waits to be gathered.

    Raises NotAuthentic where the list names another file for it.
    Source: RFC 4998, 4.3
    """
    for one in listed:
        if one.gathered.entries[-1].size < size:
            continue
        if not one.gathered.holds(size, kept):
            raise NotAuthentic(
                f"{one.file.name} was not gathered from the stamp over {size} events"
            )
        return one
    return None


def counts_until(stamped: Stamped) -> Instant:
    """Until when a stamp proves its instant by itself (ms): certificate and mechanisms.

    Source: RFC 4998, 5.3
    """
    weak = weak_after(stamped)
    return stamped.ends if weak is None else min(stamped.ends, weak)


def _size(file: Path) -> int:
    return int(file.stem)
