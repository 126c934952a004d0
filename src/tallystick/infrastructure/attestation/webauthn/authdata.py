"""Authenticator data: for whom, who was there, the counter, and the credential's public key.

Source: WebAuthn Level 3, 6.1; 6.5; RFC 9052, 7
"""

from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.crypto.credential import (
    CredentialKey,
    credential_of_edwards,
    credential_of_modulus,
    credential_of_point,
)
from tallystick.kernel.errors import Malformed, TooLarge

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED, EXTENDED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
MAX_AUTHENTICATOR_DATA: Final = 8 * 1024
MAX_CREDENTIAL_ID: Final = 1023
_HEAD: Final = 37
_OKP, _EC2, _RSA = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as registered; `algorithm` is a number of the COSE registry.

    Source: WebAuthn Level 3, 6.5.1
    """

    aaguid: bytes
    identifier: bytes
    algorithm: int
    public: CredentialKey


@dataclass(frozen=True, slots=True)
class AuthenticatorData:
    """What the authenticator signs; `credential` only at registration.

    Source: WebAuthn Level 3, 6.1
    """

    octets: bytes
    relying: bytes
    flags: int
    counter: int
    credential: Credential | None


def read_authenticator_data(octets: bytes) -> AuthenticatorData:
    """The authenticator data in `octets`.

    Raises TooLarge past 8 KiB, Malformed for anything that is not exactly that, also a backup state
    without eligibility.
    Source: WebAuthn Level 3, 6.1
    """
    if len(octets) > MAX_AUTHENTICATOR_DATA:
        raise TooLarge(f"authenticator data has at most {MAX_AUTHENTICATOR_DATA} bytes")
    if len(octets) < _HEAD:
        raise Malformed("authenticator data is cut off")
    flags, at = octets[32], _HEAD
    if flags & BACKED_UP and not flags & ELIGIBLE:
        raise Malformed("a credential is backed up that cannot be")
    found: Credential | None = None
    if flags & ATTESTED:
        found, at = _credential(octets, at)
    if flags & EXTENDED:
        extensions, at = cbor.read_first(octets, at)
        cbor.mapping(extensions)
    if at != len(octets):
        raise Malformed("something follows the authenticator data")
    return AuthenticatorData(
        octets=octets,
        relying=octets[:32],
        flags=flags,
        counter=int.from_bytes(octets[33:37], "big"),
        credential=found,
    )


def _credential(octets: bytes, at: int) -> tuple[Credential, int]:
    if len(octets) < at + 18:
        raise Malformed("authenticator data is cut off")
    aaguid, length = octets[at : at + 16], int.from_bytes(octets[at + 16 : at + 18], "big")
    begin = at + 18
    if not 0 < length <= MAX_CREDENTIAL_ID or begin + length > len(octets):
        raise Malformed("the identifier of a credential has another length")
    stated, end = cbor.read_first(octets, begin + length)
    algorithm, public = read_cose_key(stated)
    identifier = octets[begin : begin + length]
    return Credential(aaguid, identifier, algorithm, public), end


def read_cose_key(stated: cbor.Item) -> tuple[int, CredentialKey]:
    """The algorithm and the key in a COSE key.

    Raises Malformed for a sort of key, or a curve, that is not used here.
    Source: RFC 9053, 7; RFC 8230, 4
    """
    members = cbor.mapping(stated)
    kind, algorithm = cbor.integer_of(members.get(1)), cbor.integer_of(members.get(3))
    if kind == _RSA:
        n, e = cbor.octets_of(members.get(-1)), cbor.octets_of(members.get(-2))
        return algorithm, credential_of_modulus(n, e)
    curve, x = cbor.integer_of(members.get(-1)), cbor.octets_of(members.get(-2))
    if kind == _OKP:
        return algorithm, credential_of_edwards(curve, x)
    if kind == _EC2:
        return algorithm, credential_of_point(curve, x, cbor.octets_of(members.get(-3)))
    raise Malformed("a COSE key of a sort that is not used here")
