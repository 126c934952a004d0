"""A partner's certificate that the terminator of TLS names: still in its days, and not revoked.

The digest in the settings says which certificate it is. Whether it holds today is looked at with
each callback, so that a terminator that looks at no list lets nobody in who was revoked.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2; RFC 9440; RFC 5280, 6.3
"""

import binascii
from base64 import b64decode
from pathlib import Path

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.pki.partnerlists import FOLDER, ListFiles, PartnerLists
from tallystick.infrastructure.crypto.path_rules import PARTNERS
from tallystick.infrastructure.crypto.paths import check_each, check_issuer, path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate, read_pem
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.kernel.time import Instant


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

    def check(self, link: PartnerLink, header: str, now: Instant) -> None:
        """Return only if the certificate in `header` (RFC 9440) holds now and was not revoked.

        Raises NotAuthentic otherwise, and where no current list tells.
        Source: RFC 9440, 2.1; RFC 5280, 6.3.3
        """
        try:
            found = read_certificate(b64decode(header[1:-1], validate=True))
            check_each(found, PARTNERS, now)
            if not link.unlisted:
                self._check_by(self._authority(link), found, now)
        except (MfsError, binascii.Error) as error:
            raise NotAuthentic("the certificate of the callback does not hold") from error

    def _check_by(self, authority: Certificate, found: Certificate, now: Instant) -> None:
        if not found.issued_by(authority):
            raise NotAuthentic("the certificate is of another authority than the partner's")
        path_of(found, (), (authority,), PARTNERS, now)
        self._lists.check(found, authority, now)

    def _authority(self, link: PartnerLink) -> Certificate:
        try:
            return read_pem((self._place / f"{link.name}.pem").read_bytes())
        except OSError as error:
            raise Malformed("the certificate of the partner's authority is not there") from error


def check_authority(pem: bytes) -> None:
    """Return only if `pem` is one certificate, of somebody who may issue others.

    Raises Malformed, NotAuthentic.
    Source: RFC 5280, 4.2.1.9
    """
    check_issuer(read_pem(pem), 0)


def keep_authority(root: Path, partner: str, pem: bytes) -> None:
    """Keep in the provider's folder `root` who issues the certificates of `partner`.

    Raises what `check_authority` raises.
    Source: RFC 5280, 4.2.1.9
    """
    check_authority(pem)
    place = root / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    replace_file(place / f"{partner}.pem", pem)
