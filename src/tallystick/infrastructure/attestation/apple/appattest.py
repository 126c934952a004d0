"""App Attest: a key of the Secure Enclave, for one app of one team; then assertions by that key.

The receipt is kept as it is: only Apple can exchange it.

Source: RFC 9334, 8.1; WebAuthn Level 3, 6.1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.attestation.evidence import Evidence, Level, certified
from tallystick.infrastructure.attestation.webauthn.authdata import read_authenticator_data
from tallystick.infrastructure.attestation.webauthn.formats import apple_nonce
from tallystick.infrastructure.crypto.credential import credential_of_spki
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.path_rules import APPLE, MAX_CHAIN
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, Replayed, TooLarge

FORMAT: Final = "apple-app-attest"
MAX_RECEIPT: Final = 16 * 1024
_PLACES: Final = {
    b"appattest".ljust(16, b"\0"): "production",
    b"appattestdevelop": "development",
}
_ASSERTION: Final = 37
_ES256: Final = -7


@dataclass(frozen=True, slots=True)
class AttestedKey:
    """A key that Apple vouches for, the evidence, and the receipt as it came.

    Source: RFC 9334, 8.1
    """

    evidence: Evidence
    spki: bytes
    receipt: bytes


def verify_attestation(
    attested: bytes,
    *,
    application: str,
    identifier: bytes,
    client: bytes,
    roots: Sequence[Certificate],
) -> AttestedKey:
    """The key `identifier` (SHA-256 of its point) in `attested`, made for `application`.

    `application` is the team, a dot and the bundle; `client` the SHA-256 of what the app was asked.
    Raises TooLarge, Malformed, or NotAuthentic for anything that does not fit.
    Source: WebAuthn Level 3, 8.8; RFC 9334, 8.1
    """
    outer = cbor.mapping(cbor.read(attested))
    if set(outer) != {"fmt", "attStmt", "authData"} or outer["fmt"] != "apple-appattest":
        raise Malformed("this is no attestation of an app")
    statement = cbor.mapping(outer["attStmt"])
    octets = cbor.octets_of(outer["authData"])
    receipt = cbor.octets_of(statement.get("receipt"))
    stated = cbor.octets_list(statement.get("x5c"))
    if len(receipt) > MAX_RECEIPT or not 0 < len(stated) <= MAX_CHAIN:
        raise TooLarge("an attestation of an app has a short chain and a receipt of 16 KiB")
    links = tuple(read_certificate(one) for one in stated)
    root = path_of(links[0], links[1:], roots, APPLE)[-1]
    if apple_nonce(links[0]) != sha256(octets + client):
        raise NotAuthentic("the nonce is another")
    data = read_authenticator_data(octets)
    public = links[0].public
    if data.credential is None or not public.point:
        raise Malformed("there is no key of P-256 in the attestation")
    same = {sha256(public.point), identifier, data.credential.identifier}
    if len(same) != 1 or data.credential.public.spki != public.spki:
        raise NotAuthentic("the attestation is for another key")
    if data.relying != sha256(application.encode()):
        raise NotAuthentic("the attestation is for another app")
    if data.counter != 0 or data.credential.aaguid not in _PLACES:
        raise NotAuthentic("the attestation is not of a new key")
    evidence = Evidence(
        format=FORMAT,
        root=root.fingerprint(),
        chain=certified(links),
        attested=b64url(public.spki),
        challenge=b64url(client),
        level=Level.SECURE_ENCLAVE,
        key_level=Level.SECURE_ENCLAVE,
        packages=(application,),
        environment=_PLACES[data.credential.aaguid],
        made_at=max(0, links[0].begins),
    )
    return AttestedKey(evidence=evidence, spki=public.spki, receipt=receipt)


def verify_assertion(
    asserted: bytes, *, application: str, spki: bytes, client: bytes, counter: int
) -> int:
    """The counter of an assertion by the key `spki`, which must be above `counter`.

    Raises Malformed, NotAuthentic, or Replayed where the counter did not grow.
    Source: WebAuthn Level 3, 7.2; RFC 9334, 10
    """
    outer = cbor.mapping(cbor.read(asserted))
    if set(outer) != {"signature", "authenticatorData"}:
        raise Malformed("an assertion has two members")
    octets = cbor.octets_of(outer["authenticatorData"])
    if len(octets) != _ASSERTION:
        raise Malformed("the authenticator data of an assertion have 37 octets")
    if octets[:32] != sha256(application.encode()):
        raise NotAuthentic("the assertion is for another app")
    signature = cbor.octets_of(outer["signature"])
    credential_of_spki(spki).verify(_ES256, signature, sha256(octets + client))
    reached = int.from_bytes(octets[33:37], "big")
    if reached <= counter:
        raise Replayed("the counter of the key did not grow")
    return reached
