"""What operators say about keys: suspend one, resume it, retire it, give it up, destroy it.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import ShortText, Wire


class StepKey(Wire, frozen=True, kw_only=True):
    """Takes a key to another state; the act's name says to which.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    key: Annotated[ShortText, PUBLIC]
    because: Annotated[ShortText, INTERNAL]


MESSAGES = (StepKey,)
"""Every struct of the operations table."""
