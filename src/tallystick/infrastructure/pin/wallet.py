"""The PIN of an account that people choose and dial: which ones are refused, and what it costs.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4; ISO 9564-1, 7.2
"""

from dataclasses import dataclass
from itertools import pairwise

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.kdf import argon2id
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

STRETCHED = 32
"""Bytes that a stretched PIN has."""

_ACCOUNT_DIGITS = 19

_FAVOURITES = frozenset((
    "1004", "1122", "1313", "2468", "1357", "2580", "0852", "4242", "0070", "0007", "1337", "5683",
    "6969", "8520", "1470", "1379", "11223", "13579", "24680", "159753", "147258", "112233",
    "123321", "131313", "789456", "147369", "258456", "520131",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class PinCost:
    """What one guess costs: memory in KiB and passes.

    Source: RFC 9106, 4
    """

    memory_kib: int = 19_456
    passes: int = 2


def account_of(owner: str) -> str:
    """The digits that a block of `owner` is bound to: a telephone number's, else 19 of a hash.

    Source: ISO 9564-1, 9.4.2
    """
    plain = owner.removeprefix("+")
    if 0 < len(plain) < _ACCOUNT_DIGITS and plain.isascii() and plain.isdigit():
        return plain
    number = int.from_bytes(sha256(owner.encode()), "big") % 10**_ACCOUNT_DIGITS
    return f"{number:0{_ACCOUNT_DIGITS}d}"


def stretched(pin: ClearPin, salt: bytes, cost: PinCost) -> bytes:
    """`STRETCHED` bytes out of `pin`, slow on purpose.

    Source: RFC 9106, 3
    """
    return argon2id(
        pin.reveal_inside().encode(),
        salt=salt,
        memory_kib=cost.memory_kib,
        passes=cost.passes,
        lanes=1,
        length=STRETCHED,
    )


def check_new_pin(pin: Secret[str], number: str) -> None:
    """Pass if `pin` (4 to 12 digits) is none of those that are guessed first.

    Raises as `check_guessable`, and Malformed for what is not a PIN.
    Source: ISO/TS 12812-2:2017, 7.3.2; ISO 9564-1, 7.2
    """
    try:
        found = ClearPin(pin.reveal())
    except NotAuthentic:
        raise Malformed("a PIN has 4 to 12 digits") from None
    check_guessable(found, number)


def check_guessable(pin: ClearPin, number: str) -> None:
    """Pass if `pin` is none of those that are guessed first.

    Raises NotPermitted for repeats, runs, years and dates, the end of the customer's own `number`,
    and well-known favourites.
    Source: ISO/TS 12812-2:2017, 7.3.2; ISO 9564-1, 7.2
    """
    digits = pin.reveal_inside()
    if (
        digits in _FAVOURITES
        or _repeats(digits)
        or _runs(digits)
        or _is_a_date(digits)
        or number.endswith(digits)
    ):
        raise NotPermitted(
            "this PIN is too easy to guess", remedy="choose another PIN", because="weak-pin"
        )


def _repeats(digits: str) -> bool:
    """One group over and over (`0000`, `1212`, `123123`), or no more than one digit apart."""
    return digits in (digits + digits)[1:-1] or max(map(digits.count, digits)) >= len(digits) - 1


def _runs(digits: str) -> bool:
    """Up or down the keypad one by one, past 9 or 0 as well."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    return steps in ({1}, {9})


def _is_a_date(digits: str) -> bool:
    """A year of birth (`1987`), or day, month and year in any usual order."""
    if len(digits) == 4:
        return digits[:2] in {"19", "20"}
    if len(digits) == 6:
        a, b, c = (int(digits[at : at + 2]) for at in (0, 2, 4))
        orders = ((a, b), (b, a), (c, b))
        return any(1 <= day <= 31 and 1 <= month <= 12 for day, month in orders)
    if len(digits) == 8:
        return digits[:2] in {"19", "20"} or digits[4:6] in {"19", "20"}
    return False
