"""What operators say about keys: suspend one, resume it, retire it, give it up, destroy it.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, ShortText, Wire, length, pattern
from tallystick.protocol.recovery import OptionalDigest

OptionalText = Annotated[str, pattern("^[ -~]{0,80}$")]
"""Some words, or none."""


class StepKey(Wire, frozen=True, kw_only=True):
    """Takes a key to another state; the act's name says to which.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    key: Annotated[ShortText, PUBLIC]
    because: Annotated[ShortText, INTERNAL]


CustodyEvent = Literal[
    "received",
    "inspected",
    "sealed",
    "installed",
    "removed",
    "sent",
    "arrived",
    "sent-to-repair",
    "back-from-repair",
    "tampered",
    "retired",
    "destroyed",
]
"""What may happen to a secure device."""

Custodians = Annotated[tuple[ShortText, ...], length(2, 8)]
"""Those who were there: one alone is none."""


class RecordCustody(Wire, frozen=True, kw_only=True):
    """Says what happened to a secure device; what is left out stays as it was.

    `custodians` are two people to eight, `evidence` the SHA-256 of the paper in base64url, `seal`
    the number of the seal on it, `inspect_days` how often it is inspected.
    Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-2
    """

    device: Annotated[ShortText, INTERNAL]
    what: Annotated[CustodyEvent, INTERNAL]
    custodians: Annotated[Custodians, INTERNAL]
    because: Annotated[ShortText, INTERNAL]
    evidence: Annotated[OptionalDigest, INTERNAL] = ""
    place: Annotated[OptionalText, INTERNAL] = ""
    seal: Annotated[OptionalText, INTERNAL] = ""
    kind: Annotated[OptionalText, INTERNAL] = ""
    serial: Annotated[OptionalText, INTERNAL] = ""
    inspect_days: Annotated[Natural, INTERNAL] = 0


MESSAGES = (StepKey, RecordCustody)
"""Every struct of the operations table."""
