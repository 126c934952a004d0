"""A PIN in clear: a value that cannot be printed, stored, sent, hashed or copied.

Source: ISO/TS 12812-2:2017, 7.3.4; ISO 9564-1, 5
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NoReturn, final

from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

SHORTEST = 4
LONGEST = 12
_LEAST_DISTINCT = 2
_FAIR = 250


@final
class ClearPin:
    """4 to 12 digits that nothing outside of `infrastructure/pin` looks into.

    Source: ISO 9564-1, 8.1
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        """Hold `digits`; raises NotAuthentic for what is no PIN, with one face for every cause.

        Source: ISO 9564-1, 8.1
        """
        if not (SHORTEST <= len(digits) <= LONGEST and digits.isascii() and digits.isdigit()):
            raise NotAuthentic("the PIN block does not verify")
        self._digits = digits

    def reveal_inside(self) -> str:
        """The digits, for a block or a verification value; kept nowhere.

        Source: ISO 9564-1, 5
        """
        return self._digits

    def same(self, other: "ClearPin") -> bool:
        """Whether both are the same PIN, in a time that does not tell where they differ.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        ours, theirs = self._digits.ljust(LONGEST, "-"), other.reveal_inside().ljust(LONGEST, "-")
        return equal(ours.encode("ascii"), theirs.encode("ascii"))

    def __repr__(self) -> str:
        return "ClearPin(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "ClearPin(***)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("PINs in clear are compared with `same`")

    def __hash__(self) -> NoReturn:
        raise TypeError("a PIN in clear is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN in clear is not pickled or copied")

    __getstate__ = __reduce__


def drawn_pin(draw: Callable[[int], bytes], length: int) -> ClearPin:
    """A PIN of `length` digits out of random bytes, each digit alike, none that is easy to guess.

    Raises Malformed for a length that no PIN has.
    Source: ISO 9564-1, 7.2; ISO/IEC 18031
    """
    if not SHORTEST <= length <= LONGEST:
        raise Malformed(f"a PIN has {SHORTEST} to {LONGEST} digits")
    while True:
        digits = ""
        while len(digits) < length:
            digits += "".join(str(one % 10) for one in draw(length) if one < _FAIR)
        pin = ClearPin(digits[:length])
        try:
            check_strength(pin)
        except NotPermitted:
            continue
        return pin


def check_strength(pin: ClearPin, *, least: int = SHORTEST) -> None:
    """Return only if the PIN may be chosen.

    It has `least` digits or more, is no run up or down, has two different digits or more, is no
    repetition of a pair, and no year between 1940 and 2039. Raises NotPermitted otherwise.
    Source: ISO 9564-1, 7.2
    """
    digits = pin.reveal_inside()
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    pair = digits[:2] * (len(digits) // 2)
    year = len(digits) == SHORTEST and 1940 <= int(digits) <= 2039
    weak = steps in ({1}, {9}) or len(set(digits)) < _LEAST_DISTINCT or pair == digits
    if weak or year or len(digits) < least:
        raise NotPermitted(
            "the PIN is too easy to guess", remedy="choose digits in no order", because="weak-pin"
        )
