"""Whose certificate is taken at the partners' door: at connect, and again with every request.

The path leads to the provider's own root by way of the authority for partners; lists of both must
be fresh, or nobody is let in. A revocation counts as soon as the register has it, also for
connections that were open before.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.4.2; RFC 5280, 6
"""

from typing import Final

from tallystick.entry.pki.answering import CertificateDesk
from tallystick.infrastructure.crypto.certify import uris_of
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.infrastructure.pki.profiles import CLIENT_AUTH, ROOT
from tallystick.infrastructure.pki.validation import Known, Trust, validate
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound, TooLarge
from tallystick.kernel.time import SECOND_MS, Instant

PARTNERS: Final = "partners"
KEPT_MS: Final = 2 * SECOND_MS
"""How long a look at a certificate counts, if nothing changes in the register."""

_URI: Final = "urn:tallystick:partner:"
_MOST_KEPT: Final = 1_024


class PartnerCertificates:
    """Tells which partner a certificate is of.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, desk: CertificateDesk) -> None:
        """Pin the root of `desk`; raises NotFound where there is no authority for partners.

        Source: RFC 5280, 6.1.1
        """
        self._desk = desk
        self._trust = Trust((desk.certificate(ROOT),), (desk.certificate(PARTNERS),))
        self._kept: dict[bytes, tuple[int, int, str]] = {}

    def authorities(self) -> tuple[bytes, ...]:
        """The certificates (DER) that a client's certificate is led back to.

        Source: RFC 8446, 4.3.2
        """
        return tuple(one.octets for one in (*self._trust.roots, *self._trust.issuers))

    def partner(self, octets: bytes, now: Instant) -> str:
        """The name of the partner whose certificate (DER) `octets` is.

        Raises NotAuthentic for one that is not taken, Unavailable where no fresh list says whether
        it was revoked.
        Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 6
        """
        self._desk.look()
        acts, named = self._desk.register.acts, sha256(octets)
        at, then, name = self._kept.get(named, (0, -1, ""))
        if then == acts and 0 <= now - at < KEPT_MS:
            return name
        name = self._looked_at(octets, now)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[named] = (now, acts, name)
        return name

    def _looked_at(self, octets: bytes, now: Instant) -> str:
        try:
            certificate = read_certificate(octets)
        except (Malformed, TooLarge) as error:
            raise NotAuthentic("this is no certificate") from error
        validate(certificate, (), self._trust, Known(lists=self._lists()), now, CLIENT_AUTH)
        if certificate.serial in self._desk.register.revoked(PARTNERS):
            raise NotAuthentic("a certificate was revoked")
        names = [one.removeprefix(_URI) for one in uris_of(certificate) if one.startswith(_URI)]
        if len(names) != 1:
            raise NotAuthentic("the certificate is of no partner")
        return names[0]

    def _lists(self) -> tuple[bytes, ...]:
        found: list[bytes] = []
        for name in (ROOT, PARTNERS):
            for delta in (False, True):
                try:
                    found.append(self._desk.listed(name, delta=delta))
                except NotFound:
                    continue
        return tuple(found)
