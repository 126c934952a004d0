"""Secrets that do not print themselves.

Source: ISO/TS 12812-2:2017, 7.3.4
"""

from hmac import compare_digest
from typing import Generic, NoReturn, Self, TypeVar, cast

T = TypeVar("T", bytes, str)


class Secret(Generic[T]):
    """A value that is hidden in repr, str, format, logs and pickles and compares in constant time.

    The only way to the value is `reveal()`, which a reader of the code can search for.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        """Hold `value`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._value: T = value

    def reveal(self) -> T:
        """The value itself; call it where it is used, and do not keep it.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        theirs = cast("Secret[bytes] | Secret[str]", other).reveal()
        return compare_digest(_octets(self._value), _octets(theirs))

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")

    __getstate__ = __reduce__


class SecretBuffer:
    """Octets that are overwritten in place when the `with` block that they serve ends.

    Unlike `Secret` it holds one mutable copy; whoever makes another one must clear it too.
    Source: ISO/TS 12812-2:2017, 7.3.4; 8.2.3
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes | bytearray) -> None:
        """Take over a bytearray, which is cleared with this; copy what cannot be changed.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        self._octets = octets if isinstance(octets, bytearray) else bytearray(octets)

    def reveal(self) -> bytearray:
        """The octets themselves, not a copy; zeroes once it was wiped.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._octets

    def wipe(self) -> None:
        """Overwrite the octets with zeroes.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        self._octets[:] = bytes(len(self._octets))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __len__(self) -> int:
        return len(self._octets)

    def __repr__(self) -> str:
        return "SecretBuffer(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "SecretBuffer(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")

    __getstate__ = __reduce__


def _octets(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
