"""A tightening as the service signs it, and one that it may not begin, as officers sign it.

A statement is the payload of a compact JWS under a key of its own purpose. It changes nothing by
itself: who reads it applies the named entry of the named policy and proves that the result is
nowhere looser, and that it touches no more than the caps of that policy.

A tightening beyond its caps is proposed instead. Two officers sign the proposal as a statement
`tightening-approved`; it says itself whom it touches.

Source: ISO/TS 12812-2:2017, 6.1; RFC 7515
"""

from typing import Annotated, Final, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Natural, ShortText, Wire, pattern

MEASURE_HEADER = encode_canonical({"alg": "EdDSA", "typ": "tallystick-measure"})
"""The JWS header of a measure; no other is read."""

APPROVED: Final = "tightening-approved"
"""What officers sign a proposed tightening as."""

WHOLE: Final = 10_000
"""A whole in basis points."""

Evidence = Annotated[str, pattern(r"^[^\x00-\x1f]{1,200}$")]
"""What the service saw, in words."""

Digest = Annotated[str, pattern("^[A-Za-z0-9_-]{43}$")]
"""A SHA-256 in base64url."""


class TouchedClass(Wire, frozen=True, kw_only=True):
    """Of the customers with one class of device, how many are touched.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.5
    """

    device: Annotated[ShortText, PUBLIC]
    customers: Annotated[Natural, PUBLIC]
    of_customers: Annotated[Natural, PUBLIC]


class Touched(Wire, frozen=True, kw_only=True):
    """Whom a tightening would have touched in the last `days`: counts, and sums in minor units.

    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """

    days: Annotated[Natural, PUBLIC]
    customers: Annotated[Natural, PUBLIC]
    of_customers: Annotated[Natural, PUBLIC]
    value_minor: Annotated[Natural, PUBLIC]
    of_value_minor: Annotated[Natural, PUBLIC]
    classes: Annotated[tuple[TouchedClass, ...], PUBLIC]

    @property
    def customers_bp(self) -> int:
        """The touched share of customers in basis points, rounded up.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return _basis_points(self.customers, self.of_customers)

    @property
    def value_bp(self) -> int:
        """The touched share of value in basis points, rounded up.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return _basis_points(self.value_minor, self.of_value_minor)


def _basis_points(part: int, whole: int) -> int:
    return -(-part * WHOLE // whole) if whole else 0


class MeasureStatement(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """That `entry` of policy `version` is in force since `since`, at least until `keep_until` (ms).

    `policy` is the SHA-256 (base64url) of the signed policy file, `measure` the id under which it
    is recorded, `evidence` what the service saw. `cohort` is whom it is held to, empty for all;
    `touched` whom it was counted to touch, and `approval` the SHA-256 of what two officers signed
    where it is beyond its caps. These three are left out where there is nothing to say.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    v: Annotated[Literal[1], PUBLIC]
    provider: Annotated[ShortText, PUBLIC]
    measure: Annotated[Annotated[str, pattern("^tgt_[0-9a-z]{26}$")], PUBLIC]
    version: Annotated[Natural, PUBLIC]
    policy: Annotated[Digest, PUBLIC]
    entry: Annotated[ShortText, PUBLIC]
    since: Annotated[Natural, PUBLIC]
    keep_until: Annotated[Natural, PUBLIC]
    evidence: Annotated[Evidence, INTERNAL]
    cohort: Annotated[str, PUBLIC] = ""
    touched: Annotated[Touched | None, PUBLIC] = None
    approval: Annotated[str, PUBLIC] = ""


class TighteningProposal(Wire, frozen=True, kw_only=True):
    """A tightening that is beyond its caps, for two officers to sign before `until` (ms).

    `beyond` says which cap it is beyond, `id` names it in the record.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    id: Annotated[Annotated[str, pattern("^tpr_[0-9a-z]{26}$")], PUBLIC]
    version: Annotated[Natural, PUBLIC]
    policy: Annotated[Digest, PUBLIC]
    entry: Annotated[ShortText, PUBLIC]
    cohort: Annotated[str, PUBLIC]
    at: Annotated[Natural, PUBLIC]
    until: Annotated[Natural, PUBLIC]
    evidence: Annotated[Evidence, INTERNAL]
    touched: Annotated[Touched, PUBLIC]
    beyond: Annotated[Annotated[str, pattern(r"^[^\x00-\x1f]{1,300}$")], PUBLIC]


measure_statements = Decoder(MeasureStatement, limit=8192)
tightening_proposals = Decoder(TighteningProposal, limit=8192)
touched_counts = Decoder(Touched, limit=4096)
