"""What operators say about keys: suspend one, resume it, retire it, give it up, destroy it.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, ShortText, Wire, pattern
from tallystick.protocol.recovery import OptionalDigest

OptionalText = Annotated[str, pattern("^[ -~]{0,80}$")]
"""Some words, or none."""


class StepKey(Wire, frozen=True, kw_only=True):
    """Takes a key to another state; the act's name says to which.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    key: Annotated[ShortText, PUBLIC]
    because: Annotated[ShortText, INTERNAL]


class RecordCustody(Wire, frozen=True, kw_only=True):
    """Says what happened to a secure device; what is left out stays as it was.

    `custodians` are two people at least, `evidence` the SHA-256 of the paper in base64url, `seal`
    the number of the seal on it, `inspect_days` how often it is inspected.
    Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-2
    """

    device: Annotated[ShortText, INTERNAL]
    what: Annotated[ShortText, INTERNAL]
    custodians: Annotated[tuple[ShortText, ...], INTERNAL]
    because: Annotated[ShortText, INTERNAL]
    evidence: Annotated[OptionalDigest, INTERNAL] = ""
    place: Annotated[OptionalText, INTERNAL] = ""
    seal: Annotated[OptionalText, INTERNAL] = ""
    kind: Annotated[OptionalText, INTERNAL] = ""
    serial: Annotated[OptionalText, INTERNAL] = ""
    inspect_days: Annotated[Natural, INTERNAL] = 0


MESSAGES = (StepKey, RecordCustody)
"""Every struct of the operations table."""
