"""Passkeys through the library `fido2` (extra `desk`): what a browser makes, and a second opinion.

Only ES256 is taken, so that the record can be checked again with one algorithm.

Source: W3C WebAuthn Level 3, 7.1; 7.2
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fido2.cose import ES256
from fido2.server import Fido2Server
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticatorData,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    UserVerificationRequirement,
)

from tallystick.infrastructure.crypto.webauthn import BACKED_UP, Assertion, Relying
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotAuthentic, NotPermitted

_CURVE, _X, _Y = -1, -2, -3


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey as it was made: id, public key (65 octets), counter, model, and whether it syncs.

    Source: W3C WebAuthn Level 3, 6.5.1
    """

    credential: str
    public: bytes
    counter: int
    aaguid: str
    backed_up: bool


def registered(
    relying: Relying,
    challenge: bytes,
    made: Mapping[str, str],
    aaguids: frozenset[str] = frozenset(),
) -> NewPasskey:
    """The passkey in `made` (id, clientDataJSON, attestationObject, base64url) over `challenge`.

    A person must have been verified. With `aaguids` only those models count. Raises NotAuthentic,
    NotPermitted for another model.
    Source: W3C WebAuthn Level 3, 7.1
    """
    response = {
        "id": made["id"],
        "rawId": made["id"],
        "type": "public-key",
        "response": {
            "clientDataJSON": made["clientDataJSON"],
            "attestationObject": made["attestationObject"],
        },
    }
    try:
        data = _server(relying).register_complete(_state(challenge), response)
        found = data.credential_data
        if found is None or _parts(found).get(3) != ES256.ALGORITHM:
            raise NotAuthentic("another algorithm than ES256")
        public = _point(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAuthentic("the new passkey is not right", remedy="begin again") from error
    model = str(found.aaguid)
    if aaguids and model not in aaguids:
        raise NotPermitted(
            "this model of authenticator is not on the list",
            remedy="use a security key of the list",
        )
    return NewPasskey(
        credential=b64url(found.credential_id),
        public=public,
        counter=data.counter,
        aaguid=model,
        backed_up=bool(int(data.flags) & BACKED_UP),
    )


def agree(
    relying: Relying, challenge: bytes, credential: bytes, public: bytes, given: Assertion
) -> None:
    """Pass if the library, too, takes the assertion of the passkey `public` over `challenge`.

    Raises NotAuthentic.
    Source: W3C WebAuthn Level 3, 7.2
    """
    known = AttestedCredentialData.create(Aaguid.NONE, credential, _cose(public))
    response = {
        "id": b64url(credential),
        "rawId": b64url(credential),
        "type": "public-key",
        "response": {
            "clientDataJSON": b64url(given.client_data),
            "authenticatorData": b64url(given.authenticator_data),
            "signature": b64url(given.signature),
        },
    }
    try:
        AuthenticatorData(given.authenticator_data)
        _server(relying).authenticate_complete(_state(challenge), [known], response)
    except (ValueError, KeyError, TypeError) as error:
        raise NotAuthentic("the passkey did not sign this", remedy="try again") from error


class _Checks(Protocol):
    """Of the library's server, what is used here."""

    def register_complete(
        self, state: Mapping[str, Any], response: Mapping[str, Any]
    ) -> AuthenticatorData: ...

    def authenticate_complete(
        self,
        state: Mapping[str, Any],
        credentials: Sequence[AttestedCredentialData],
        response: Mapping[str, Any],
    ) -> AttestedCredentialData: ...


def _server(relying: Relying) -> _Checks:
    party = PublicKeyCredentialRpEntity(name=relying.rp_id, id=relying.rp_id)
    server = Fido2Server(party, verify_origin=lambda origin: origin == relying.origin)
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=ES256.ALGORITHM)
    ]
    return cast("_Checks", server)


def _state(challenge: bytes) -> dict[str, Any]:
    return {
        "challenge": b64url(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _point(found: AttestedCredentialData) -> bytes:
    parts = _parts(found)
    x, y = parts[_X], parts[_Y]
    if parts[_CURVE] != 1 or not isinstance(x, bytes) or not isinstance(y, bytes):
        raise ValueError("not a point on P-256")
    if len(x) != 32 or len(y) != 32:
        raise ValueError("not a point on P-256")
    return b"\x04" + x + y


def _parts(found: AttestedCredentialData) -> Mapping[int, object]:
    return cast("Mapping[int, object]", found.public_key)


def _cose(public: bytes) -> ES256:
    return ES256({1: 2, 3: ES256.ALGORITHM, _CURVE: 1, _X: public[1:33], _Y: public[33:]})
