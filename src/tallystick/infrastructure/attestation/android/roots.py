"""The vendor's list of roots that attestation chains of Android phones may lead to.

Source: RFC 9334, 7.4; RFC 7468, 5
"""

from typing import Any, Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import MAX_CERTIFICATE, Certificate, certificates_in
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

MAX_ROOTS: Final = 64
_DECODER: Final = Decoder(list[Any], limit=MAX_ROOTS * 2 * MAX_CERTIFICATE)


class RootList(Record, frozen=True, kw_only=True):
    """The roots: name of the subject by digest of the key (base64url); `digest` names the list.

    Source: RFC 5280, 4.1
    """

    digest: str
    roots: dict[str, str]


def read_roots(octets: bytes) -> RootList:
    """The list in `octets`: JSON, an array of certificates in PEM.

    Raises TooLarge, and Malformed where one of them cannot be read or nothing is listed.
    Source: RFC 8259, 5; RFC 7468, 5
    """
    found: dict[str, str] = {}
    for one in _DECODER.decode(octets):
        if not isinstance(one, str):
            raise Malformed("a root of the list is not PEM")
        for root in certificates_in(one.encode()):
            found[root.fingerprint()] = _name(root)
    if not 0 < len(found) <= MAX_ROOTS:
        raise Malformed(f"a list of roots has 1 to {MAX_ROOTS} of them")
    return RootList(digest=b64url(sha256(octets)), roots=found)


def _name(root: Certificate) -> str:
    return (", ".join(root.names) or f"serial {root.serial}")[:80]
