"""Assertions of passkeys, checked without a library: what the record needs to be verified again.

    client data (JSON) -> type, challenge, origin      authenticator data -> relying party, flags
    signature over authenticator data and SHA-256(client data)

Source: W3C WebAuthn Level 3, 6.1; 7.2
"""

from dataclasses import dataclass

from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.crypto.ecdsa import Es256VerifyKey, raw_signature
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic

PRESENT, VERIFIED, BACKED_UP = 0x01, 0x04, 0x10
_HEAD = 37
_client_data = Decoder(dict[str, object], limit=8 * 1024)


@dataclass(frozen=True, slots=True)
class Relying:
    """The one origin and relying party whose passkeys count.

    Source: W3C WebAuthn Level 3, 5.1.3; 13.4.9
    """

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator signed, and its signature (DER), as octets.

    Source: W3C WebAuthn Level 3, 6.3.3
    """

    authenticator_data: bytes
    client_data: bytes
    signature: bytes


def check_assertion(
    assertion: Assertion, *, challenge: bytes, public: bytes, relying: Relying | None
) -> int:
    """The signature counter, if the passkey `public` (65 octets) asserted exactly `challenge`.

    A person must have been there and verified. With `relying` None the origin is not compared,
    for whoever checks a record without the settings. Raises NotAuthentic alike for every cause.
    Source: W3C WebAuthn Level 3, 7.2
    """
    try:
        told = _client_data.decode(assertion.client_data)
        _check_told(told, challenge, relying)
        counter = _counter(assertion.authenticator_data, relying)
        message = assertion.authenticator_data + sha256(assertion.client_data)
        Es256VerifyKey(public).verify(raw_signature(assertion.signature), message)
    except MfsError as error:
        raise NotAuthentic("the passkey did not sign this", remedy="try again") from error
    return counter


def _check_told(told: dict[str, object], challenge: bytes, relying: Relying | None) -> None:
    if told.get("type") != "webauthn.get" or told.get("challenge") != b64url(challenge):
        raise NotAuthentic("another challenge was signed")
    if told.get("crossOrigin", False) is not False or "topOrigin" in told:
        raise NotAuthentic("it was signed inside of another page")
    if relying is not None and told.get("origin") != relying.origin:
        raise NotAuthentic("it was signed at another origin")


def _counter(data: bytes, relying: Relying | None) -> int:
    if len(data) < _HEAD:
        raise Malformed("authenticator data is too short")
    if relying is not None and not equal(data[:32], sha256(relying.rp_id.encode())):
        raise NotAuthentic("it was signed for another relying party")
    if data[32] & (PRESENT | VERIFIED) != PRESENT | VERIFIED:
        raise NotAuthentic("nobody was verified")
    return int.from_bytes(data[33:_HEAD], "big")
