"""A partner's certificate that the terminator of TLS names: still in its days, and not revoked.

The digest in the settings says which certificate it is. Whether it holds today is looked at with
each callback, and so is each authority between it and the root: a terminator that looks at no list
lets nobody in who was revoked, or whose authority was.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2; RFC 9440; RFC 5280, 6.3
"""

import binascii
from base64 import b64decode
from itertools import pairwise
from pathlib import Path
from typing import Final

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import Headers
from tallystick.entry.pki.partnerlists import FOLDER, ListFiles, PartnerLists
from tallystick.infrastructure.crypto.path_rules import PARTNERS
from tallystick.infrastructure.crypto.paths import check_each, check_issuer, path_of
from tallystick.infrastructure.crypto.x509 import (
    Certificate,
    certificates_in,
    read_certificate,
    read_pem,
)
from tallystick.infrastructure.httpsig.fields import Item
from tallystick.infrastructure.httpsig.reading import read_list
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, TooLarge
from tallystick.kernel.time import Instant

_MOST_SEEN: Final = 4

Certificates = tuple[Certificate, ...]


class TerminatedCertificates:
    """Looks at certificates by the authorities and lists in the folder of one provider.

    Source: RFC 5280, 6.3
    """

    def __init__(self, root: Path, files: ListFiles) -> None:
        """Believe the authorities in the provider's folder `root`, and the lists in `files`.

        Source: RFC 5280, 6.3
        """
        self._place = root / FOLDER
        self._lists = PartnerLists(files)

    def check(self, link: PartnerLink, headers: Headers, now: Instant) -> None:
        """Return only if the certificate in `headers` (RFC 9440) holds now and was not revoked.

        Its path goes to the root that is kept for the partner, by way of authorities that are kept
        or that the terminator saw; each of them is held against the list of the one above it too.
        Raises NotAuthentic otherwise, and where no current list tells.
        Source: RFC 9440, 2; RFC 5280, 6.1; 6.3.3
        """
        try:
            found = read_certificate(b64decode(headers.certificate[1:-1], validate=True))
            check_each(found, PARTNERS, now)
            if not link.unlisted:
                self._check_path(link, found, _seen(headers.chain), now)
        except (MfsError, binascii.Error) as error:
            raise NotAuthentic("the certificate of the callback does not hold") from error

    def _check_path(
        self, link: PartnerLink, found: Certificate, seen: Certificates, now: Instant
    ) -> None:
        *between, root = self._authorities(link)
        path = path_of(found, (*between, *seen), (root,), PARTNERS, now)
        for below, above in pairwise(path):
            self._lists.check(below, above, now)

    def _authorities(self, link: PartnerLink) -> Certificates:
        try:
            return authorities_in((self._place / f"{link.name}.pem").read_bytes())
        except OSError as error:
            raise Malformed("the certificate of the partner's authority is not there") from error


def _seen(header: str) -> Certificates:
    """The authorities in a `client-cert-chain`; raises Malformed, TooLarge."""
    found = read_list(header)
    if len(found) > _MOST_SEEN:
        raise TooLarge(f"a terminator names at most {_MOST_SEEN} authorities")
    octets = [one.value for one in found if isinstance(one, Item) and isinstance(one.value, bytes)]
    if len(octets) != len(found):
        raise Malformed("a chain of certificates is a list of octets")
    return tuple(read_certificate(one) for one in octets)


def authorities_in(pem: bytes) -> Certificates:
    """The authorities in `pem`, each issued by the one after it, the last by itself.

    Raises Malformed, TooLarge, and NotAuthentic for others, and where the root is missing: without
    it nobody could say whether an authority below it was revoked.
    Source: RFC 5280, 4.2.1.9; 6.1
    """
    found = (read_pem(pem),) if not pem.lstrip().startswith(b"-----") else certificates_in(pem)
    if len(found) > PARTNERS.longest:
        raise TooLarge(f"a path has at most {PARTNERS.longest} authorities")
    for below, one in enumerate(found):
        check_issuer(one, below)
        if not one.issued_by(found[min(below + 1, len(found) - 1)]):
            raise NotAuthentic(
                f"{one.subject[:80]} was not issued by what follows it",
                remedy="give the authorities up to the root that signed itself, in this order",
            )
    return found


def keep_authorities(root: Path, partner: str, pem: bytes) -> None:
    """Keep in the provider's folder `root` who issues the certificates of `partner`.

    Raises what `authorities_in` raises.
    Source: RFC 5280, 4.2.1.9
    """
    authorities_in(pem)
    place = root / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    replace_file(place / f"{partner}.pem", pem)
