"""One-time codes that a person typed: keyed at the door, so that behind it nobody has the digits.

    digits -> MAC under a key of the module, bound to what it is for -> compared with what is kept

An activation code is keyed with the activation that its customer has now, the code of an order with
the order's terms: for anything else what the door made is worth nothing. It is not opened again.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.1
"""

from typing import NoReturn, final

from tallystick.infrastructure.crypto.digest import equal


@final
class KeyedCode:
    """The MAC of a code, 32 bytes; it is not printed, compared by `==`, hashed, pickled or copied.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    __slots__ = ("tag",)

    def __init__(self, tag: bytes) -> None:
        """Hold a `tag` that the module made.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self.tag = tag

    def is_of(self, kept: bytes) -> bool:
        """Whether `kept` was made of the same code for the same thing; in constant time.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return equal(self.tag, kept)

    def __repr__(self) -> str:
        return "KeyedCode(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "KeyedCode(***)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("keyed codes are compared with what is kept")

    def __hash__(self) -> NoReturn:
        raise TypeError("a keyed code is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a keyed code is not pickled or copied")
