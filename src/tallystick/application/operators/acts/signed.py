"""A signed act, what does it, and what it came to.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import KEY_GRADE
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import ABSENT
from tallystick.kernel.time import Instant
from tallystick.protocol.operators import Act


@dataclass(frozen=True, slots=True)
class SignedAct:
    """An act whose signature verified, and the canonical body that it names.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Act
    body: bytes
    jws: str
    grade: str = KEY_GRADE
    credential: str = ""
    counter: int = 0

    @property
    def bound(self) -> bool:
        """Whether it is to be done only if it comes to what was shown.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.act.shown is not ABSENT


@dataclass(frozen=True, slots=True)
class Acted:
    """What an act did: in words, the event that records it, and what it made.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    says: str
    event: int
    reference: str = ""


Performer = Callable[[Turn, bytes, tuple[str, ...]], Acted]
"""Does an act, on its canonical body and the signatures that it has."""

TWO_PEOPLE = 2


def check_two_people(does: str, jws: tuple[str, ...], *, because: str) -> None:
    """Pass if two people signed, whatever the policy says; raises NotPermitted otherwise.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if len(jws) != TWO_PEOPLE:
        raise NotPermitted(f"two people {does}", because=because, remedy="let a second one sign")


Untrained = Callable[[str, Instant], str]
"""Why the operator of this id may not approve now; empty if nothing stands against it."""

InEmergency = Callable[[str, str, Instant], str]
"""The id of the emergency in which this operator may do this act alone now, or nothing."""

Execute = Callable[[Turn, str, bytes, tuple[str, ...]], Acted]
"""Does an act: its name, its body, the signatures behind it."""
