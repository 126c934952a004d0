"""Signatures of HTTP messages between systems: requests and replies, their digests and nonces.

    fields <- reading <- message <- components <- signing <- verifying <- replays
                                  digests    mechanisms

All of it is pure: time, keys and bodies are handed in.

Source: RFC 9421; RFC 9530; RFC 9651; ISO/TS 12812-2:2017, 3.14; 7.3.3
"""

from tallystick.infrastructure.httpsig.digests import (
    CONTENT_DIGEST,
    check_content_digest,
    content_digest,
)
from tallystick.infrastructure.httpsig.mechanisms import (
    MessageKey,
    PublicKey,
    SharedKey,
    partner_key,
)
from tallystick.infrastructure.httpsig.message import Fields, Head, ReplyHead, RequestHead
from tallystick.infrastructure.httpsig.replays import Nonces
from tallystick.infrastructure.httpsig.signing import (
    SIGNATURE,
    SIGNATURE_INPUT,
    Coverage,
    coverage_of,
    covering,
    sign_message,
    signature_base,
)
from tallystick.infrastructure.httpsig.verifying import (
    Demand,
    Verified,
    is_signed,
    verify_message,
)

__all__ = [
    "CONTENT_DIGEST",
    "SIGNATURE",
    "SIGNATURE_INPUT",
    "Coverage",
    "Demand",
    "Fields",
    "Head",
    "MessageKey",
    "Nonces",
    "PublicKey",
    "ReplyHead",
    "RequestHead",
    "SharedKey",
    "Verified",
    "check_content_digest",
    "content_digest",
    "coverage_of",
    "covering",
    "is_signed",
    "partner_key",
    "sign_message",
    "signature_base",
    "verify_message",
]
