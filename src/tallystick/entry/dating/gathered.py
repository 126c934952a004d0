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
from collections.abc import Callable, Sequence
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
from tallystick.entry.pki.checkpoints import read_kept, verify_kept
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

Tell = Callable[[Path, Exception], None]
"""Is told of a file that is damaged, and why it does not count."""


def _untold(_: Path, __: Exception) -> None:
    """Nobody is told here: who audits finds what is damaged."""


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

    def names(self, size: int) -> bool:
        """Whether the list names a file for the checkpoint over `size` events.

        Source: RFC 4998, 4.3
        """
        at = bisect_left(self.entries, size, key=lambda one: one.size)
        return any(one.size == size for one in self.entries[at : at + 1])

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


def gather(
    folder: CertificateFolder, stamp: Stamp, roots: Roots, now: Instant, tell: Tell = _untold
) -> Path | None:
    """List the stamps that no list has and stamp the list, if the oldest is due; None otherwise.

    Due is a stamp of 30 days, or one that counts for 90 days at most. The list is
    written after its stamps, so that a run that is cut short is begun again. What does not prove
    its checkpoint, or cannot be read, is handed to `tell` and left out; the rest goes on. Raises
    Unavailable where nobody stamps.
    Source: RFC 4998, 5.2
    """
    waiting = _ungathered(folder, tell)
    good: list[tuple[int, bytes, Stamped]] = []
    due = False
    for file in waiting:
        found = _proved(file, roots, tell)
        if found is None:
            continue
        good.append((_size(file), *found))
        oldest = good[0][2]
        due = now - oldest.at >= EVERY_MS or is_due([oldest], now, weak_after(oldest))
        if len(good) == MOST or (not due and len(waiting) < MOST):
            break
    if not due and len(good) < MOST:
        return None
    entries = tuple(
        Entry(size=size, sha512=b64url(named_digest("sha512", octets))) for size, octets, _ in good
    )
    log = read_kept(good[-1][1]).checkpoint.split("\n", 1)[0]
    made = folder.stamps / GATHERED / f"{good[-1][0]}.json"
    document = encode_canonical(Gathered(log=log, entries=entries))
    folder.keep(stamps_file(made), write_chain(begin(document, stamp)))
    folder.keep(made, document)
    return made


def _proved(file: Path, roots: Roots, tell: Tell) -> tuple[bytes, Stamped] | None:
    """A kept stamp and what it proves; None where it is damaged, which is told."""
    try:
        octets = file.read_bytes()
        return octets, verify_kept(octets, roots)[1]
    except (NotAuthentic, Malformed, OSError) as error:
        tell(file, error)
        return None


def renew(
    folder: CertificateFolder, stamp: Stamp, roots: Roots, now: Instant, tell: Tell = _untold
) -> tuple[Path, ...]:
    """Stamp again every list whose newest stamp ends within 90 days; gives those that were.

    A list that its stamps do not prove is handed to `tell`; the others go on. Raises Unavailable
    where nobody stamps.
    Source: RFC 4998, 5.2
    """
    found: list[Path] = []
    for file in lists(folder):
        try:
            done = archive(file, stamp, roots, now, weak_from(file, roots)).done
        except (NotAuthentic, Malformed, OSError) as error:
            tell(file, error)
            continue
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


def _ungathered(folder: CertificateFolder, tell: Tell) -> list[Path]:
    """The stamps that no list names; a list that cannot be read may have named all before it."""
    named: set[int] = set()
    after = -1
    for file in lists(folder):
        try:
            named.update(one.size for one in read_gathered(file.read_bytes()).entries)
        except (Malformed, OSError) as error:
            tell(file, error)
            after = _size(file)
    return [one for one in kept_stamps(folder) if _size(one) > after and _size(one) not in named]


def list_of(listed: Sequence[Listed], size: int, kept: bytes) -> Listed | None:
    """The list that has the stamp `kept` over `size` events; None while it waits to be gathered.

    Raises NotAuthentic where the list names another file for it.
    Source: RFC 4998, 4.3
    """
    for one in listed:
        if not one.gathered.names(size):
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
