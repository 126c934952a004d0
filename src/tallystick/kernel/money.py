"""Money as an integer of minor units with its currency; no float, no rounding.

On the wire and in the ledger an amount is an integer (`amount_minor`) beside a currency code;
`Money` joins the two where people read or type them.

Source: ISO/TS 12812-2:2017, 7.3.3; ISO 4217
"""

import re
from dataclasses import dataclass

from tallystick.kernel.errors import Malformed

MAX_MINOR = 2**62
"""Largest amount or balance that the ledger carries; sums of two stay inside 64 bits."""

_EXPONENTS = {
    "BIF": 0, "CDF": 2, "CLP": 0, "EUR": 2, "GBP": 2, "GHS": 2, "GNF": 0, "INR": 2, "JPY": 0,
    "KES": 2, "KWD": 3, "MWK": 2, "MZN": 2, "NGN": 2, "NOK": 2, "PHP": 2, "PKR": 2, "RWF": 0,
    "SEK": 2, "SLE": 2, "TND": 3, "TZS": 2, "UGX": 0, "USD": 2, "XAF": 0, "XOF": 0, "ZAR": 2,
    "ZMW": 2, "ZWG": 2,
}  # fmt: skip

_DECIMAL = re.compile(r"^(-?)([0-9]{1,18})(?:\.([0-9]{1,4}))?$")


def currency_exponent(currency: str) -> int:
    """Digits after the decimal point of `currency`, an ISO 4217 code.

    Raises Malformed for a code that is not in the table.
    Source: ISO 4217
    """
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise Malformed(
            f"currency {currency[:8]!r} is not known",
            remedy=f"use one of {', '.join(sorted(_EXPONENTS))}",
        ) from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: `minor` units of `currency`; arithmetic only within one currency.

    Source: ISO 4217
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int or abs(self.minor) > MAX_MINOR:
            raise Malformed("an amount is an integer of minor units below 2^62")
        currency_exponent(self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise Malformed(f"{self.currency} and {other.currency} do not mix")
        return other.minor

    def __str__(self) -> str:
        digits = currency_exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        whole, part = divmod(abs(self.minor), 10**digits)
        tail = f".{part:0{digits}d}" if digits else ""
        return f"{self.currency} {sign}{whole:,}{tail}"

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """The amount that a person typed: `12`, `12.5`, `-0.05`; never rounded.

        Raises Malformed for anything else, also for more decimals than the currency has.
        Source: ISO 4217
        """
        digits = currency_exponent(currency)
        match = _DECIMAL.fullmatch(text.strip())
        if match is None:
            raise Malformed("an amount looks like 1250 or 1250.75", remedy="no spaces, no commas")
        sign, whole, part = match.group(1), match.group(2), match.group(3) or ""
        if len(part) > digits:
            raise Malformed(f"{currency} has {digits} decimals")
        minor = int(whole) * 10**digits + int((part or "0").ljust(digits, "0") if digits else 0)
        return cls(-minor if sign else minor, currency)
