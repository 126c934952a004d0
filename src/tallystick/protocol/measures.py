"""A tightening as the service signs it: what it tightens, since when, and on what it rests.

The statement is the payload of a compact JWS under a key of its own purpose. It changes nothing by
itself: who reads it applies the named entry of the named policy and proves that the result is
nowhere looser.

Source: ISO/TS 12812-2:2017, 6.1; RFC 7515
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Natural, ShortText, Wire, pattern

MEASURE_HEADER = encode_canonical({"alg": "EdDSA", "typ": "tallystick-measure"})
"""The JWS header of a measure; no other is read."""


class MeasureStatement(Wire, frozen=True, kw_only=True):
    """That `entry` of policy `version` is in force since `since`, at least until `keep_until` (ms).

    `policy` is the SHA-256 (base64url) of the signed policy file, `measure` the id under which it
    is recorded, `evidence` what the service saw.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    measure: Annotated[Annotated[str, pattern("^tgt_[0-9a-z]{26}$")], PUBLIC]
    version: Annotated[Natural, PUBLIC]
    policy: Annotated[Annotated[str, pattern("^[A-Za-z0-9_-]{43}$")], PUBLIC]
    entry: Annotated[ShortText, PUBLIC]
    since: Annotated[Natural, PUBLIC]
    keep_until: Annotated[Natural, PUBLIC]
    evidence: Annotated[Annotated[str, pattern(r"^[^\x00-\x1f]{1,200}$")], INTERNAL]


measure_statements = Decoder(MeasureStatement, limit=2048)
