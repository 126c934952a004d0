"""What other parties' authorities revoked: their lists, as files that the operators put here.

    FOLDER/partner-lists/*.crl    lists in DER or PEM, whole and delta, of any authority

A file is taken up within half a second. A list counts if the authority signed it, and while it
lasts; without one that counts nothing is exchanged with whom the authority certified, unless the
operators declared of that very authority that it publishes none.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 5; 6.3
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from tallystick.infrastructure.crypto.crl import RevocationList, list_octets
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.modules.clock import elapsed_ms
from tallystick.infrastructure.pki.validation import current, lists_of, revoked_in
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.time import Instant

FOLDER: Final = "partner-lists"
UNKNOWN: Final = "revocation-unknown"
"""Why an exchange was refused: nothing current says whether a certificate was revoked."""
LOOK_MS: Final = 500
MOST_OCTETS: Final = 32 << 20

_Seen = tuple[tuple[str, int, int], ...]


def named(authority: Certificate) -> str:
    """How an authority is named in settings: the SHA-256 of its certificate in hex.

    Source: RFC 5280, 4.1
    """
    return sha256(authority.octets).hex()


class PartnerLists:
    """The lists in the folder of one provider, read again when a file changes.

    Source: RFC 5280, 6.3
    """

    def __init__(
        self,
        root: Path,
        without: Collection[str] = (),
        elapsed: Callable[[], int] = elapsed_ms,
    ) -> None:
        """Look in the provider's folder `root`; the authorities `without` lists are by `named`.

        Source: RFC 5280, 6.3
        """
        self._place = root / FOLDER
        self._without = frozenset(without)
        self._elapsed = elapsed
        self._looked_at = -LOOK_MS
        self._seen: _Seen = ()
        self._octets: tuple[bytes, ...] = ()
        self._read: dict[str, tuple[RevocationList, ...]] = {}

    def check(self, one: Certificate, issuer: Certificate, at: Instant) -> bool:
        """Whether a list says that `one` is not revoked; false where there is none, as declared.

        Raises NotAuthentic for one that was revoked, NotPermitted where no list of its `issuer` is
        current at `at` and nobody declared that there is none.
        Source: RFC 5280, 6.3.3
        """
        found = current(self._of(issuer), at)
        if not found:  # a file may have come since the last look
            self._look(at_once=True)
            found = current(self._of(issuer), at)
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

    def _of(self, issuer: Certificate) -> tuple[RevocationList, ...]:
        self._look()
        name = named(issuer)
        if name not in self._read:
            self._read[name] = lists_of(self._octets, issuer)
        return self._read[name]

    def _look(self, *, at_once: bool = False) -> None:
        elapsed = self._elapsed()
        if not at_once and elapsed - self._looked_at < LOOK_MS:
            return
        self._looked_at = elapsed
        files = sorted(self._place.glob("*.crl"))
        seen = tuple((str(one), *_state(one)) for one in files)
        if seen != self._seen:
            self._octets = tuple(octets for one in files for octets in _octets_in(one))
            self._seen, self._read = seen, {}


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _octets_in(file: Path) -> tuple[bytes, ...]:
    """The list in `file`; nothing for a file that is none, so that no other list suffers."""
    try:
        with file.open("rb") as stream:
            return (list_octets(stream.read(MOST_OCTETS)),)
    except (OSError, Malformed):
        return ()
