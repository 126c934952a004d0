"""What operators do at the desk in a browser: acts signed with a passkey, and the desk's own acts.

A passkey signs an act by an assertion whose challenge is the digest of the canonical act; the act
names the digest of its body. So what a person read on the page is what was signed.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; W3C WebAuthn Level 3, 7.2
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.ids import ActIdText, OperatorIdText
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern

ACT_LABEL = b"tallystick act v1\x00"
"""The challenge of an act is SHA-256 of this and the canonical act."""

DECLINE = "decline-act"
REHEARSE = "rehearse-act"
BIND = "bind-passkey"
UNBIND = "remove-passkey"
OWN_ACTS = frozenset((BIND, UNBIND))
"""Acts about the signer alone, which every operator may sign."""

BREAK_GLASS = "break-glass"
REVIEW_EMERGENCY = "review-emergency"
ASSERTED = "passkey."
"""The signature of a passkey, as text, begins with this."""

Reason = Annotated[str, pattern(r"^[^\x00-\x1f\x7f]{3,300}$")]
"""Why, in a person's words: 3 to 300 characters on one line."""

EmergencyId = Annotated[str, pattern(r"^emg_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
WorkloadId = Annotated[str, pattern(r"^wkl_[0-7][0-9a-hjkmnp-tv-z]{25}$")]


class AssertedAct(Wire, frozen=True, kw_only=True):
    """An act (its canonical octets) and the assertion of a passkey over its digest.

    Source: W3C WebAuthn Level 3, 7.2; ISO/TS 12812-2:2017, 6.2.1
    """

    v: Annotated[int, PUBLIC] = 1
    act: Annotated[Base64Url, INTERNAL]
    credential: Annotated[Base64Url, INTERNAL]
    authenticator_data: Annotated[Base64Url, INTERNAL]
    client_data: Annotated[Base64Url, INTERNAL]
    signature: Annotated[Base64Url, INTERNAL]


class Asserted(Wire, frozen=True, kw_only=True):
    """What a browser gives for an assertion.

    Source: W3C WebAuthn Level 3, 5.2.2
    """

    credential: Annotated[Base64Url, INTERNAL]
    authenticator_data: Annotated[Base64Url, INTERNAL]
    client_data: Annotated[Base64Url, INTERNAL]
    signature: Annotated[Base64Url, INTERNAL]


class Created(Wire, frozen=True, kw_only=True):
    """What a browser gives for a new passkey.

    Source: W3C WebAuthn Level 3, 5.2.1
    """

    credential: Annotated[Base64Url, INTERNAL]
    client_data: Annotated[Base64Url, INTERNAL]
    attestation: Annotated[
        Annotated[str, pattern("^[A-Za-z0-9_-]{1,65536}$")],
        INTERNAL,
    ]


class BindPasskey(Wire, frozen=True, kw_only=True):
    """An operator invites a passkey of their own: the SHA-256 of a one-time code.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    code_hash: Annotated[Base64Url, INTERNAL]


class RemovePasskey(Wire, frozen=True, kw_only=True):
    """An operator ends a passkey of their own, such as one on a device that is gone.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    credential: Annotated[Base64Url, INTERNAL]
    because: Annotated[Reason, INTERNAL]


class DeclineAct(Wire, frozen=True, kw_only=True):
    """Ends an act that waits for a second person, with the reason.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Annotated[ActIdText, INTERNAL]
    because: Annotated[Reason, INTERNAL]


class RehearseAct(Wire, frozen=True, kw_only=True):
    """Asks what an act that waits would come to now; an empty `act` asks for the newest, and for
    the ids of all others that one may see.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Annotated[Annotated[str, pattern(r"^(?:|act_[0-7][0-9a-hjkmnp-tv-z]{25})$")], INTERNAL] = (
        ""
    )


class RehearsedAct(Wire, frozen=True, kw_only=True):
    """What an act that waits would come to if it were confirmed now; nothing of it was done.

    `would` is `done` or `refused`; `says` is its answer or the reason, `changes` one line for each
    thing that would be other than before. `shown` is the digest of these three: whoever confirms
    signs it.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
    """

    act: Annotated[ActIdText, INTERNAL]
    name: Annotated[ShortText, INTERNAL]
    operator: Annotated[OperatorIdText, INTERNAL]
    expires_at: Annotated[Natural, PUBLIC]
    would: Annotated[Annotated[str, pattern("^(?:done|refused)$")], INTERNAL]
    says: Annotated[str, SENSITIVE]
    changes: Annotated[tuple[str, ...], SENSITIVE]
    shown: Annotated[Base64Url, INTERNAL]


class RehearsedActs(Wire, frozen=True, kw_only=True):
    """An act that waits for somebody like whoever asks, rehearsed; none where nothing waits.

    `more` are the ids of others, newest first: each is asked for by itself, so that what customers
    ask for comes between.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    acts: Annotated[tuple[RehearsedAct, ...], SENSITIVE]
    more: Annotated[tuple[ActIdText, ...], INTERNAL] = ()


class BreakGlass(Wire, frozen=True, kw_only=True):
    """Takes the emergency role for a while, alone, with the reason.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    minutes: Annotated[Natural, INTERNAL]
    because: Annotated[Reason, INTERNAL]


class ReviewEmergency(Wire, frozen=True, kw_only=True):
    """What somebody else found when they looked at an emergency afterwards.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    emergency: Annotated[EmergencyId, INTERNAL]
    found: Annotated[Reason, INTERNAL]


class SteerOperator(Wire, frozen=True, kw_only=True):
    """Suspends, resumes or removes an operator, with the reason.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    operator: Annotated[OperatorIdText, INTERNAL]
    because: Annotated[Reason, INTERNAL]


SCOPES = ("evaluate-policy", "begin-approval", "payment-cryptography")
"""What a program may be let ask."""


class IssueWorkload(Wire, frozen=True, kw_only=True):
    """Lets a partner's program ask: by a secret of which only the SHA-256 is told, or by its key.

    `way` is `secret` or `key` (P-256, 65 octets); `verifier` is base64url of the one or the other.
    With `signature-v4` the provider derives the secret itself, and `verifier` is the SHA-256 of the
    label: nothing that is secret.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    label: Annotated[ShortText, INTERNAL]
    scope: Annotated[
        Annotated[str, pattern(f"^(?:{'|'.join(SCOPES)})$")],
        INTERNAL,
    ]
    way: Annotated[Annotated[str, pattern("^(?:secret|key|signature-v4)$")], INTERNAL]
    verifier: Annotated[Base64Url, INTERNAL]
    days: Annotated[Natural, INTERNAL]


class RevokeWorkload(Wire, frozen=True, kw_only=True):
    """Ends what a partner's program may ask, at once.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    workload: Annotated[WorkloadId, INTERNAL]
    because: Annotated[Reason, INTERNAL]


class WorkloadAsks(Wire, frozen=True, kw_only=True):
    """What a program with a key signs over a question: the digest of the body, just now.

    Source: RFC 7515; ISO/TS 12812-2:2017, 7.5
    """

    v: Annotated[int, PUBLIC] = 1
    workload: Annotated[WorkloadId, INTERNAL]
    name: Annotated[ShortText, INTERNAL]
    body_hash: Annotated[Base64Url, INTERNAL]
    issued_at: Annotated[Natural, PUBLIC]


_asserted = Decoder(AssertedAct, limit=32 * 1024)


def asserted_text(asserted: AssertedAct) -> str:
    """The signature of a passkey as one line of text.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return ASSERTED + b64url(encode_canonical(asserted))


def read_asserted(text: str) -> AssertedAct:
    """What `asserted_text` wrote.

    Raises Malformed for any other text.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return _asserted.decode_canonical(b64url_decode(text.removeprefix(ASSERTED)))


def workload_header(workload: str) -> bytes:
    """The JWS header of a program's questions.

    Source: RFC 7515, 4.1
    """
    return encode_canonical({"alg": "ES256", "kid": workload, "typ": "tallystick-workload"})
