"""Deliveries of events to core systems: a body and a signature over it.

The header `tallystick-signature` is `t=MS,kid=KEY,sig=BASE64URL`: Ed25519 over
`tallystick webhook v1` NUL, the decimal milliseconds, NUL, and the body. A receiver refuses a
delivery that is older or newer than five minutes, and answers a repeated `id` with 2xx without
acting again.

Source: ISO/TS 12812-2:2017, 11.2.3; RFC 8032
"""

import re
from collections.abc import Callable
from typing import Annotated, Protocol

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Expired, NotAuthentic
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire
from tallystick.kernel.time import MINUTE_MS

SIGNATURE_HEADER = "tallystick-signature"
TOLERANCE_MS = 5 * MINUTE_MS
_LABEL = b"tallystick webhook v1\x00"
_HEADER = re.compile(r"t=([0-9]{1,16}),kid=([a-z0-9_]{1,64}),sig=([A-Za-z0-9_-]{86})")


class WebhookDelivery(Wire, frozen=True, kw_only=True):
    """One event: `leaf` is its canonical JSON in base64url, `id` the same in every repetition.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    id: Annotated[ShortText, INTERNAL]
    webhook: Annotated[ShortText, INTERNAL]
    provider: Annotated[ShortText, PUBLIC]
    origin: Annotated[str, PUBLIC]
    index: Annotated[Natural, PUBLIC]
    leaf: Annotated[Base64Url, INTERNAL]


class Verifier(Protocol):
    """A public key that verifies signatures.

    Source: RFC 8032
    """

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return only if `signature` over `message` is this key's; raises NotAuthentic.

        Source: RFC 8032, 5.1.7
        """
        ...


_deliveries = Decoder(WebhookDelivery)


def signature_header(body: bytes, *, kid: str, now: int, sign: Callable[[bytes], bytes]) -> str:
    """The signature header of `body`, sent at `now` (ms).

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return f"t={now},kid={kid},sig={b64url(sign(_message(body, now)))}"


def verify_delivery(body: bytes, header: str, key: Verifier, *, now: int) -> WebhookDelivery:
    """The delivery in `body`, if `key` signed it within five minutes of `now` (ms).

    Raises NotAuthentic, Expired, Malformed.
    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    match = _HEADER.fullmatch(header)
    if match is None:
        raise NotAuthentic("the delivery is not signed")
    sent_at = int(match.group(1))
    key.verify(b64url_decode(match.group(3)), _message(body, sent_at))
    if abs(now - sent_at) > TOLERANCE_MS:
        raise Expired("the delivery is too old", remedy="it will come again")
    return _deliveries.decode_canonical(body)


def _message(body: bytes, at: int) -> bytes:
    return _LABEL + str(at).encode() + b"\x00" + body
