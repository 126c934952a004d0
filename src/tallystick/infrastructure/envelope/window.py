"""The replay window: which sequence numbers of a session were used, as two integers.

`highest` is the largest number accepted so far (0 before the first), bit i of `bitmap` tells
whether `highest - 1 - i` was. So the window is 64 wide and `bitmap` fits a signed 64 bit column.
Mark a number only after its message was found authentic; parallel requests may arrive in any order.

Source: ISO/TS 12812-2:2017, 7.2.7; RFC 4303, 3.4.3
"""

from tallystick.kernel.errors import Replayed

WIDTH = 64
_MASK = (1 << (WIDTH - 1)) - 1


def check(highest: int, bitmap: int, sequence: int) -> None:
    """Pass if `sequence` (from 1) was not used and is not older than the window.

    Raises Replayed otherwise.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    if sequence > highest:
        return
    behind = highest - sequence
    if behind == 0 or behind >= WIDTH or sequence <= 0 or (bitmap >> (behind - 1)) & 1:
        raise Replayed("the message was received before", remedy="send it under a new number")


def mark(highest: int, bitmap: int, sequence: int) -> tuple[int, int]:
    """The two integers once `sequence` is used; the message must have been authentic.

    Raises Replayed as `check`, so that marking alone is enough where nothing lies between the two.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    check(highest, bitmap, sequence)
    if sequence > highest:
        shift = sequence - highest
        if highest == 0 or shift > WIDTH:
            return sequence, 0
        return sequence, ((bitmap << shift) | (1 << (shift - 1))) & _MASK
    return highest, bitmap | (1 << (highest - sequence - 1))


class ReplayWindow:
    """A window that remembers; for whoever keeps sessions as objects.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    __slots__ = ("bitmap", "highest")

    def __init__(self, highest: int = 0, bitmap: int = 0) -> None:
        self.highest = highest
        self.bitmap = bitmap

    def check(self, sequence: int) -> None:
        """Pass if `sequence` is new; raises Replayed otherwise.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        check(self.highest, self.bitmap, sequence)

    def mark(self, sequence: int) -> None:
        """Note that an authentic message used `sequence`; raises Replayed if it was used.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self.highest, self.bitmap = mark(self.highest, self.bitmap, sequence)
