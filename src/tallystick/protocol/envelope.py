"""The sealed message: media type, bounds and the contexts that both sides bind to it.

A request is a COSE_Encrypt0 with the session's identifier and a sequence number in its protected
header; a reply is one with the session's identifier and a full IV. docs/protocol/envelope.md
describes the octets, infrastructure/envelope/cose.py builds them.

Source: RFC 9052, 5.2; ISO/TS 12812-2:2017, 3.20; 7.2.7
"""

from typing import Annotated

from tallystick.kernel.model import pattern

PROTOCOL = "tallystick/1"
"""First item of every bound context and first word of every label of the key schedule."""

END = r"$(?!\n)"
"""The very end of a text: in Python `$` alone also stands before a last line feed."""

SEALED_MEDIA_TYPE = 'application/cose; cose-type="cose-encrypt0"'
"""Content type of sealed requests and sealed replies (RFC 9052, 11.3)."""

MAX_PLAINTEXT_BYTES = 64 * 1024
"""Largest content of one sealed message."""

MAX_SEQUENCE = 2**32 - 1
"""Last sequence number of a session; a session that comes so far is established anew."""

Octets12 = Annotated[str, pattern("^[A-Za-z0-9_-]{16}" + END)]
"""12 octets in base64url."""

Octets32 = Annotated[str, pattern("^[A-Za-z0-9_-]{43}" + END)]
"""32 octets in base64url."""

Octets64 = Annotated[str, pattern("^[A-Za-z0-9_-]{86}" + END)]
"""64 octets in base64url: an ES256 or EdDSA signature (r and s, raw)."""

Octets65 = Annotated[str, pattern("^[A-Za-z0-9_-]{87}" + END)]
"""65 octets in base64url: an uncompressed P-256 point."""

OperationName = Annotated[
    str, pattern(r"^[a-z][a-z0-9-]{0,30}(?:\.[a-z][a-z0-9-]{0,30}){0,2}" + END)
]
"""Name of an operation as the operation table spells it: `payment.order`."""
