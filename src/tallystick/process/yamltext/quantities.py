"""Numbers of a text that mean something: shares, money, dates, and estimates with a spread.

Each reader notes a defect where the value is missing or wrong, and gives a neutral value.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.yamltext.section import Section
from tallystick.process.yamltext.tree import Scalar, Sequence

_MONEY = re.compile(r"^([A-Z]{3}) (0|[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,15})$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_LARGEST = Decimal(10) ** 15


class Spread(Record, frozen=True, kw_only=True):
    """An estimate: low (one case in twenty lies below), most likely, high (one in twenty above).

    Source: ISO/TS 12812-2:2017, A
    """

    low: Decimal
    mode: Decimal
    high: Decimal


def number(section: Section, word: str, low: Decimal, high: Decimal) -> Decimal:
    """The integer or decimal fraction under `word`, from `low` to `high`.

    Source: ISO/TS 12812-2:2017, A
    """
    value, at = section.scalar(word)
    if value is None:
        return low
    found = _decimal(value)
    if found is None or not low <= found <= high:
        section.defects.add(at, f"{section.trail} {word} is a number from {low} to {high}")
        return low
    return found


def share(section: Section, word: str) -> Decimal:
    """The part of a whole under `word`, from 0 to 1.

    Source: ISO/TS 12812-2:2017, A
    """
    return number(section, word, Decimal(0), Decimal(1))


def spread(section: Section, word: str) -> Spread:
    """The estimate under `word`: one number, or `[low, most likely, high]` in that order.

    Source: ISO/TS 12812-2:2017, A
    """
    node = section.node(word)
    values: list[Decimal | None] = []
    if isinstance(node, Sequence):
        values = [_decimal(one.value) if isinstance(one, Scalar) else None for one in node.items]
    elif isinstance(node, Scalar):
        values = [_decimal(node.value)] * 3
    found = [one for one in values if one is not None and 0 <= one <= _LARGEST]
    if len(found) == 3 == len(values) and found == sorted(found):
        return Spread(low=found[0], mode=found[1], high=found[2])
    if node is not None:
        form = "a number or [low, most likely, high]"
        section.defects.add(node.at, f"{section.trail} {word} is {form}")
    return Spread(low=Decimal(0), mode=Decimal(0), high=Decimal(0))


def money(section: Section, word: str, currency: str) -> Money:
    """The amount under `word`, written `KES 120_000` in minor units of `currency`.

    Source: ISO 4217
    """
    text = section.text(word, _MONEY.pattern, f"an amount such as {currency} 120_000 (minor units)")
    match = _MONEY.match(text)
    if match is None:
        return Money(0, currency)
    if match[1] != currency:
        section.defects.add(
            section.position(word), f"{section.trail} {word} is in {currency}, not {match[1]}"
        )
    return Money(int(match[2].replace("_", "")), currency)


def day(section: Section, word: str) -> int:
    """The start of the day under `word`, written `2027-03-31`, in ms UTC.

    Source: ISO 8601-1, 5.2.2
    """
    text = section.text(word, _DATE.pattern, "a date such as 2027-03-31")
    try:
        return day_ms(text) if text else 0
    except Malformed as error:
        section.defects.add(section.position(word), f"{section.trail} {word}: {error.detail}")
        return 0


def day_ms(text: str) -> int:
    """The start of the day `text` in ms UTC; raises Malformed for a day that does not exist.

    Source: ISO 8601-1, 5.2.2
    """
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError as error:
        raise Malformed(f"there is no day {text[:20]!r}") from error


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if type(value) is int else None
