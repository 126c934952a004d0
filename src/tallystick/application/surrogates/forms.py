"""What values and their surrogates look like, so that neither is ever taken for the other.

    pan       13 to 19 digits that pass Luhn; its surrogate has as many and never passes
    account   6 to 34 digits and capitals; a random surrogate has as many and is no IBAN
    phone     plus, a country code, 7 to 14 digits in all; its surrogate begins with +0, and no
              country's code does

Source: ISO/TS 12812-2:2017, 7.3.4; ISO/IEC 7812-1, B; ISO 13616-1; ITU-T E.164, 6
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from tallystick.kernel.errors import Malformed

KEEPS: Final = (0, 4)
"""How many last digits of a card's number its surrogate may keep."""

_TEN: Final = "0123456789"
_LETTERED: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOBODY: Final = "+0"
_MOST_DRAWS: Final = 64


class Kind(StrEnum):
    """What the values of a domain are.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    PAN = "pan"
    ACCOUNT = "account"
    PHONE = "phone"


class Way(StrEnum):
    """How surrogates are made: drawn and held, or enciphered and held nowhere.

    Source: ISO/TS 12812-2:2017, 7.3.4; NIST SP 800-38G
    """

    RANDOM = "random"
    FF1 = "ff1"


_VALUES: Final = {
    Kind.PAN: re.compile(r"[0-9]{13,19}\Z"),
    Kind.ACCOUNT: re.compile(r"[0-9A-Z]{6,34}\Z"),
    Kind.PHONE: re.compile(r"\+[1-9][0-9]{6,13}\Z"),
}
_SURROGATES: Final = {
    Kind.PAN: re.compile(r"[0-9]{13,19}\Z"),
    Kind.ACCOUNT: re.compile(r"[0-9A-Z]{6,34}\Z"),
    Kind.PHONE: re.compile(r"\+0[0-9]{6,14}\Z"),
}


def check_value(kind: Kind, value: str) -> None:
    """Return only if `value` is one of `kind`; raises Malformed, which never repeats it.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    if not _VALUES[kind].match(value) or (kind is Kind.PAN and not passes_luhn(value)):
        raise Malformed(f"the value is no {kind.value} of the domain")


def check_surrogate(kind: Kind, surrogate: str) -> None:
    """Return only if `surrogate` looks like one of `kind`; raises Malformed.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    if not _SURROGATES[kind].match(surrogate) or (kind is Kind.PAN and passes_luhn(surrogate)):
        raise Malformed(f"that is no surrogate of a {kind.value}")


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before.

    Source: ISO/IEC 7812-1, B
    """
    return luhn_digit(digits[:-1]) == digits[-1]


def luhn_digit(digits: str) -> str:
    """The check digit of `digits`.

    Source: ISO/IEC 7812-1, B
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * (2 - place % 2)
        total += twice - 9 if twice > 9 else twice
    return str(-total % 10)


def is_iban(text: str) -> bool:
    """Whether the check digits of an international account number fit.

    Source: ISO 13616-1; ISO/IEC 7064
    """
    turned = text[4:] + text[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def drawn(kind: Kind, value: str, keeps: int, draw: Callable[[int], bytes]) -> str:
    """A random surrogate of `value` out of the bytes that `draw` gives, each character alike.

    Source: ISO/TS 12812-2:2017, 7.3.4; ISO/IEC 18031
    """
    for _ in range(_MOST_DRAWS):
        found = _drawn(kind, value, keeps, draw)
        if found != value and not _looks_real(kind, found):
            return found
    raise Malformed("no surrogate could be drawn that is none of the real values")


def _drawn(kind: Kind, value: str, keeps: int, draw: Callable[[int], bytes]) -> str:
    if kind is Kind.PAN:
        return _characters(_TEN, len(value) - keeps, draw) + value[len(value) - keeps :]
    if kind is Kind.ACCOUNT:
        return _characters(_LETTERED, len(value), draw)
    return _NOBODY + _characters(_TEN, len(value) - len(_NOBODY), draw)


def _looks_real(kind: Kind, text: str) -> bool:
    return (kind is Kind.PAN and passes_luhn(text)) or (kind is Kind.ACCOUNT and is_iban(text))


def _characters(alphabet: str, wanted: int, draw: Callable[[int], bytes]) -> str:
    fair = 256 - 256 % len(alphabet)
    found = ""
    while len(found) < wanted:
        found += "".join(alphabet[one % len(alphabet)] for one in draw(wanted + 8) if one < fair)
    return found[:wanted]


def inner_of_value(kind: Kind, value: str) -> str:
    """What of `value` is enciphered: digits without the check digit or the plus, small letters.

    Source: NIST SP 800-38G
    """
    if kind is Kind.PAN:
        return value[:-1]
    return value.removeprefix("+") if kind is Kind.PHONE else value.lower()


def value_of_inner(kind: Kind, inner: str) -> str:
    """The value that `inner_of_value` was of.

    Source: NIST SP 800-38G
    """
    if kind is Kind.PAN:
        return inner + luhn_digit(inner)
    return f"+{inner}" if kind is Kind.PHONE else inner.upper()


def surrogate_of_inner(kind: Kind, enciphered: str) -> str:
    """The surrogate that carries `enciphered`: a wrong check digit, or a country code of nobody.

    Source: NIST SP 800-38G; ISO/IEC 7812-1, B
    """
    if kind is Kind.PAN:
        return enciphered + _wrong(enciphered)
    return _NOBODY + enciphered if kind is Kind.PHONE else enciphered.upper()


def inner_of_surrogate(kind: Kind, surrogate: str) -> str:
    """What of `surrogate` was enciphered; raises Malformed for one that was not made this way.

    Source: NIST SP 800-38G
    """
    check_surrogate(kind, surrogate)
    if kind is Kind.PAN:
        if surrogate[-1] != _wrong(surrogate[:-1]):
            raise Malformed("that is no surrogate of a pan")
        return surrogate[:-1]
    return surrogate.removeprefix(_NOBODY) if kind is Kind.PHONE else surrogate.lower()


def _wrong(digits: str) -> str:
    """The digit after the check digit, so that a surrogate fails Luhn and a slip is noticed."""
    return str((int(luhn_digit(digits)) + 1) % 10)
