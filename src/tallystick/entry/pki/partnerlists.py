"""What other parties' authorities revoked: their lists, as files that the operators put here.

    FOLDER/partner-lists/*.crl    lists in DER or PEM, whole and delta, of any authority

A file is read on a thread when it is new, at most half a second later: a list of 50,000
certificates takes 0.2 s there, and whether one is in it is a look into an index. A list counts if
the authority signed it, and while it lasts; without one that counts nothing is exchanged with whom
the authority certified, unless the operators declared of that very authority that it publishes
none.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 5; 6.3
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from tallystick.entry.threads import to_its_end
from tallystick.entry.vendors.byhand import Mark, mark_of
from tallystick.infrastructure.crypto.crl import RevocationList, SignedList, list_octets, open_list
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.pki.validation import current, revoked_in
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.time import Instant

FOLDER: Final = "partner-lists"
UNKNOWN: Final = "revocation-unknown"
"""Why an exchange was refused: nothing current says whether a certificate was revoked."""
EVERY_S: Final = 0.5
MOST_OCTETS: Final = 16 << 20


def named(authority: Certificate) -> str:
    """How an authority is named in settings: the SHA-256 of its certificate in hex.

    Source: RFC 5280, 4.1
    """
    return sha256(authority.octets).hex()


class ListFiles:
    """The lists in the folder of one provider: each file is read once, when it is new.

    Source: RFC 5280, 6.3
    """

    def __init__(self, root: Path) -> None:
        """Look in the provider's folder `root`; nothing is read yet.

        Source: RFC 5280, 6.3
        """
        self._place = root / FOLDER
        self._read: dict[str, tuple[Mark | None, SignedList | None]] = {}
        self._one = Lock()
        self.lists: tuple[SignedList, ...] = ()

    def look(self) -> None:
        """Read the files that are new or were changed; takes long, and holds nobody up on a thread.

        A file that is no list leaves in force what it was before; one that is gone ends it.
        Source: RFC 5280, 6.3; ISO/TS 12812-2:2017, 6.2.3
        """
        with self._one:
            found: dict[str, tuple[Mark | None, SignedList | None]] = {}
            for file in sorted(self._place.glob("*.crl")):
                before, known = self._read.get(file.name, (None, None))
                mark = mark_of(file)
                found[file.name] = mark, known if mark == before else _opened(file) or known
            if found != self._read:
                self._read = found
                self.lists = tuple(one for _, one in found.values() if one is not None)


async def keep_reading(files: ListFiles) -> None:
    """Take up what changes in the folder of `files`, for ever.

    Source: RFC 5280, 6.3; ISO/TS 12812-2:2017, 6.2.3
    """
    while True:
        await asyncio.sleep(EVERY_S)
        with suppress(OSError):  # a folder that cannot be read now is looked at again
            await to_its_end(files.look)


class PartnerLists:
    """What the lists in the folder of one provider say of a certificate.

    Source: RFC 5280, 6.3
    """

    def __init__(self, files: ListFiles, without: Collection[str] = ()) -> None:
        """Go by `files`, which are read now; the authorities `without` lists are by `named`.

        Source: RFC 5280, 6.3
        """
        files.look()
        self._files = files
        self._without = frozenset(without)
        self._lists = files.lists
        self._by: dict[str, tuple[RevocationList, ...]] = {}

    def check(self, one: Certificate, issuer: Certificate, at: Instant) -> bool:
        """Whether a list says that `one` is not revoked; false where there is none, as declared.

        Raises NotAuthentic for one that was revoked, NotPermitted where no list of its `issuer` is
        current at `at` and nobody declared that there is none.
        Source: RFC 5280, 6.3.3
        """
        found = self.current(issuer, at)
        if found:
            revoked = revoked_in(found, one.serial)
            if revoked is not None:
                raise NotAuthentic("the certificate was revoked", because=revoked.reason)
            return True
        if named(issuer) in self._without:
            return False
        raise NotPermitted(
            "no current list says whether this authority revoked the certificate",
            because=UNKNOWN,
            remedy=f"put the authority's list into {FOLDER}/, or declare that it publishes none",
        )

    def current(self, issuer: Certificate, at: Instant) -> tuple[RevocationList, ...]:
        """The whole list of `issuer` that counts at `at` and the delta to it; none without a list.

        Source: RFC 5280, 5.2.4; 6.3.3
        """
        return current(self._of(issuer), at)

    def _of(self, issuer: Certificate) -> tuple[RevocationList, ...]:
        if self._files.lists is not self._lists:
            self._lists, self._by = self._files.lists, {}
        name = named(issuer)
        if name not in self._by:
            self._by[name] = tuple(_of_issuer(self._lists, issuer))
        return self._by[name]


def _of_issuer(lists: Iterable[SignedList], issuer: Certificate) -> Iterator[RevocationList]:
    for one in lists:
        with suppress(NotAuthentic):  # another's
            yield one.by(issuer)


def _opened(file: Path) -> SignedList | None:
    """The list in `file`; None for a file that is none, so that no other list suffers."""
    try:
        with file.open("rb") as stream:
            return open_list(list_octets(stream.read(MOST_OCTETS)))
    except (OSError, Malformed):
        return None
