"""What a look at one thing came to.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from enum import StrEnum

from tallystick.kernel.model import Record


class State(StrEnum):
    """How something is: as it should be, to be seen to, or not working.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    FINE = "fine"
    SOON = "soon"
    WRONG = "wrong"


class Finding(Record, frozen=True, kw_only=True):
    """One thing that was looked at, how it is, and what to do if it is not fine.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    what: str
    state: State
    says: str
    remedy: str = ""


def fine(what: str, says: str) -> Finding:
    """Something that is as it should be.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Finding(what=what, state=State.FINE, says=says)


def soon(what: str, says: str, remedy: str) -> Finding:
    """Something to be seen to before it breaks.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Finding(what=what, state=State.SOON, says=says, remedy=remedy)


def wrong(what: str, says: str, remedy: str) -> Finding:
    """Something that does not work, or protects nothing.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Finding(what=what, state=State.WRONG, says=says, remedy=remedy)
