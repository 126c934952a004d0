"""Signatures of HTTP messages between provider and partners: tags, what they cover, how old.

    partner -> provider     tag tallystick-partner    request; the reply has tallystick-reply
    provider -> receiver    tag tallystick-webhook    request; its reply is not signed

    GET /v1/message-keys    the key that the provider signs messages with, under a key of its list

Source: ISO/TS 12812-2:2017, 3.14; 7.3.3; 11.2.3; RFC 9421, 2; 7.2.1
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import PUBLIC
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern
from tallystick.kernel.time import MINUTE_MS, SECOND_MS
from tallystick.protocol.keylist import Kid, Word

PARTNER_TAG = "tallystick-partner"
REPLY_TAG = "tallystick-reply"
WEBHOOK_TAG = "tallystick-webhook"

PARTNER_COMPONENTS = (
    '"@method"', '"@authority"', '"@path"', '"@query"', '"content-type"', '"content-digest"',
)  # fmt: skip
"""What a partner's request covers at least."""

WEBHOOK_COMPONENTS = ('"@method"', '"@target-uri"', '"content-type"', '"content-digest"')
"""What a delivery covers."""

PARTNER_AGE_MS = MINUTE_MS
PARTNER_AHEAD_MS = 5 * SECOND_MS
WEBHOOK_AGE_MS = 5 * MINUTE_MS

MESSAGE_KEY_TYPE = "tallystick-message-key"
"""The `typ` of a published key's header."""

KeyId = Annotated[str, pattern(r"^[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9_./-]{1,120}$(?!\n)")]
"""`PROVIDER/NAME`: whose partner signs, and which one of its keys."""

Jws = Annotated[str, pattern(r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$(?!\n)")]


class MessageKeyStatement(Wire, frozen=True, kw_only=True):
    """The public key that `provider` signs messages with from `not_before` to `not_after` (ms).

    `keyid` is what signatures say, `algorithm` a name of the registry of HTTP signatures.
    Source: ISO/TS 12812-2:2017, 3.5; 7.4.2
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    keyid: Annotated[Kid, PUBLIC]
    algorithm: Annotated[Word, PUBLIC]
    public: Annotated[Base64Url, PUBLIC]
    not_before: Annotated[Natural, PUBLIC]
    not_after: Annotated[Natural, PUBLIC]


class MessageKeys(Wire, frozen=True, kw_only=True):
    """Statements of keys, the newest first, each a compact JWS by a session signature key.

    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515, 7.1
    """

    statements: Annotated[tuple[Jws, ...], PUBLIC]


def message_key_header(algorithm: str, kid: str) -> bytes:
    """The one JWS header of a statement that the key `kid` of the key list signed.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    return encode_canonical({"alg": algorithm, "kid": kid, "typ": MESSAGE_KEY_TYPE})


def reply_components(label: str) -> tuple[str, ...]:
    """What a reply covers to a request whose signature is called `label`, that signature included.

    Source: RFC 9421, 2.4
    """
    return (
        '"@status"', '"content-type"', '"content-digest"', '"@method";req', '"@path";req',
        '"content-digest";req', f'"signature";req;key="{label}"',
    )  # fmt: skip
