"""The signature of an operator under an act: by a key in a file, or by a passkey at the desk.

Source: ISO/TS 12812-2:2017, 6.2.1; RFC 7515, 5.2; W3C WebAuthn Level 3, 7.2
"""

from dataclasses import dataclass

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import MAX_JWS_CHARACTERS, split_compact
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.crypto.webauthn import Assertion, Relying, check_assertion
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import NotAuthentic, TooLarge
from tallystick.protocol.desk import ACT_LABEL, ASSERTED, AssertedAct, asserted_text, read_asserted
from tallystick.protocol.operators import Act, act_header

KEY_GRADE, PASSKEY_GRADE = "operator-key", "passkey"
_acts = Decoder(Act, limit=4096)


@dataclass(frozen=True, slots=True)
class ActSignature:
    """An act as it was signed, not verified yet; `credential` names the passkey, empty for a key.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Act
    grade: str
    credential: str
    message: bytes
    mark: bytes
    assertion: Assertion | None = None

    @property
    def signer(self) -> str:
        """What `verify` needs the public half of: an operator's id, or a passkey's.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return f"{ASSERTED}{self.credential}" if self.credential else self.act.operator

    def verify(self, public: bytes, relying: Relying | None = None) -> int:
        """The counter of the passkey (0 for a key), if whoever has `public` signed the act.

        Raises NotAuthentic.
        Source: RFC 7515, 5.2; W3C WebAuthn Level 3, 7.2
        """
        if self.assertion is None:
            if not public:
                raise NotAuthentic("this operator signs with a passkey")
            Es256VerifyKey(public).verify(self.mark, self.message)
            return 0
        return check_assertion(
            self.assertion, challenge=self.message, public=public, relying=relying
        )


def act_challenge(octets: bytes) -> bytes:
    """What a passkey signs for the canonical act `octets`: 32 bytes.

    Source: W3C WebAuthn Level 3, 13.4.3; ISO/TS 12812-2:2017, 7.3.3
    """
    return sha256(ACT_LABEL + octets)


def asserted_act(octets: bytes, credential: str, assertion: Assertion) -> str:
    """The text of a passkey's signature under the canonical act `octets`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return asserted_text(
        AssertedAct(
            act=b64url(octets),
            credential=credential,
            authenticator_data=b64url(assertion.authenticator_data),
            client_data=b64url(assertion.client_data),
            signature=b64url(assertion.signature),
        )
    )


def read_signature(text: str) -> ActSignature:
    """The signature in `text`, of whichever kind.

    Raises Malformed, TooLarge, and NotAuthentic for a header that is not the operator's.
    Source: RFC 7515, 5.2; ISO/TS 12812-2:2017, 6.2.1
    """
    if len(text) > MAX_JWS_CHARACTERS:
        raise TooLarge(f"a signed object has at most {MAX_JWS_CHARACTERS} characters")
    if text.startswith(ASSERTED):
        return _of_passkey(read_asserted(text))
    header, payload, mark, message = split_compact(text)
    act = _acts.decode_canonical(payload)
    if header != act_header(act.operator):
        raise NotAuthentic("no such operator signed this")
    return ActSignature(act, KEY_GRADE, "", message, mark)


def _of_passkey(given: AssertedAct) -> ActSignature:
    octets = b64url_decode(given.act)
    assertion = Assertion(
        b64url_decode(given.authenticator_data),
        b64url_decode(given.client_data),
        b64url_decode(given.signature),
    )
    act = _acts.decode_canonical(octets)
    challenge = act_challenge(octets)
    return ActSignature(act, PASSKEY_GRADE, given.credential, challenge, b"", assertion)
