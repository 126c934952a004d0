"""Commands of people who prove who they are: tries that are counted, and acts inside a session.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.selfcare import SelfCare
from tallystick.application.turn import Outcome, Turn


@dataclass(frozen=True, slots=True)
class TryPin:
    """Counts a try of a dialled PIN, or of a `receipt`'s code, before it is known to be right.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    customer: str
    receipt: bool = False


@dataclass(frozen=True, slots=True)
class TryEnded:
    """A try was wrong, `held` back by earlier failures, or (of a receipt's code) right.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    customer: str
    right: bool
    held: bool = False
    receipt: bool = False


@dataclass(frozen=True, slots=True)
class RenewPin:
    """What is kept of a PIN that was right goes under another pepper: `verifier` for `before`.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    customer: str
    before: bytes
    verifier: bytes


SelfCareAct = Callable[[SelfCare, Turn, str, int], Outcome]
"""What a customer asks for inside a session: with the turn, the session and the request's number.
"""


@dataclass(frozen=True, slots=True)
class InSession:
    """What a customer does about their own factors, sessions, devices or payees.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    session: str
    sequence: int
    act: SelfCareAct


@dataclass(frozen=True, slots=True)
class PinTried:
    """A PIN that was tried inside a session was right, wrong, or `held` back.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    session: str
    right: bool
    held: bool = False
