"""The FIDO Alliance's signed file on models of authenticators, and what became of each.

Source: FIDO Metadata Service 3.0, 3.1; RFC 7515, 7.1
"""

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.infrastructure.attestation.plain import list_of, object_of
from tallystick.infrastructure.crypto.credential import CredentialKey
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ecdsa import der_signature
from tallystick.infrastructure.crypto.path_rules import MAX_CHAIN, MODELS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.time import Instant

MAX_FILE: Final = 16 * 1024 * 1024
COMPROMISED: Final = frozenset(
    (
        "REVOKED",
        "USER_VERIFICATION_BYPASS",
        "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_KEY_PHYSICAL_COMPROMISE",
    )
)
"""Reports after which a model is refused, whatever was reported later."""

_HEADER: Final = Decoder(dict[str, Any], limit=64 * 1024)
_PAYLOAD: Final = Decoder(dict[str, Any], limit=MAX_FILE)
_ALGORITHMS: Final = {"ES256": -7, "RS256": -257}


@dataclass(frozen=True, slots=True)
class Model:
    """One model: the certificates that its attestations lead to (DER), its reports, oldest first.

    Source: FIDO Metadata Service 3.0, 3.1.3
    """

    aaguid: str
    roots: tuple[bytes, ...]
    reports: tuple[str, ...]

    def compromise(self) -> str:
        """The first report that ends the trust in the model; empty for none.

        Source: FIDO Metadata Service 3.0, 3.1.4
        """
        return next((one for one in self.reports if one in COMPROMISED), "")

    def links(self) -> tuple[Certificate, ...]:
        """Its roots, read.

        Raises Malformed for one that cannot be.
        Source: FIDO Metadata Service 3.0, 3.1.1
        """
        return tuple(read_certificate(one) for one in self.roots)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The file: its number, the day that the next one is due (YYYY-MM-DD), models by AAGUID.

    Source: FIDO Metadata Service 3.0, 3.1.6
    """

    number: int
    next_update: str
    models: Mapping[str, Model]
    digest: str


def read_metadata(file: bytes, roots: Sequence[Certificate], at: Instant) -> Metadata:
    """The metadata in `file` (compact JWS), signed by a certificate that leads to `roots` at `at`.

    Raises TooLarge past 16 MiB, Malformed, or NotAuthentic.
    Source: FIDO Metadata Service 3.0, 3.2; RFC 7515, 5.2
    """
    if len(file) > MAX_FILE:
        raise TooLarge(f"a metadata file has at most {MAX_FILE} bytes")
    parts = file.strip().split(b".")
    if len(parts) != 3:
        raise Malformed("a metadata file has three parts with dots between")
    head, payload, signature = (b64url_decode(_ascii(part)) for part in parts)
    header = _HEADER.decode(head)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS or "crit" in header:
        raise Malformed("a metadata file under another algorithm")
    links = _links(header.get("x5c"))
    path_of(links[0], links[1:], roots, MODELS, at)
    message = parts[0] + b"." + parts[1]
    _verify(links[0].public, _ALGORITHMS[algorithm], signature, message)
    return _metadata(_PAYLOAD.decode(payload), b64url(sha256(file)))


def _verify(public: CredentialKey, algorithm: int, signature: bytes, message: bytes) -> None:
    if algorithm == _ALGORITHMS["ES256"]:
        signature = der_signature(signature)
    public.verify(algorithm, signature, message)


def _ascii(part: bytes) -> str:
    try:
        return part.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("a metadata file is ASCII") from error


def _links(stated: object) -> tuple[Certificate, ...]:
    certificates = list_of(stated)
    if not 0 < len(certificates) <= MAX_CHAIN:
        raise Malformed("a metadata file names its certificates")
    return tuple(read_certificate(_standard(one)) for one in certificates)


def _standard(text: object) -> bytes:
    if not isinstance(text, str):
        raise Malformed("a certificate of the metadata is not base64")
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("a certificate of the metadata is not base64") from error


def _metadata(payload: dict[str, Any], digest: str) -> Metadata:
    number, due = payload.get("no"), payload.get("nextUpdate")
    if not isinstance(number, int) or not isinstance(due, str):
        raise Malformed("the metadata have a number and the day of the next")
    models: dict[str, Model] = {}
    for entry in map(object_of, list_of(payload.get("entries"))):
        aaguid = entry.get("aaguid")
        if not isinstance(aaguid, str):
            continue
        plain = aaguid.replace("-", "").lower()
        if len(plain) != 32 or plain in models:
            raise Malformed("a model of the metadata has another name, or one twice")
        statement = object_of(entry.get("metadataStatement", {}))
        reports = [object_of(one).get("status") for one in list_of(entry.get("statusReports"))]
        models[plain] = Model(
            aaguid=plain,
            roots=tuple(
                _standard(one) for one in list_of(statement.get("attestationRootCertificates", []))
            ),
            reports=tuple(str(one)[:60] for one in reports),
        )
    return Metadata(number=number, next_update=due, models=models, digest=digest)
