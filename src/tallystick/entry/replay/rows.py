"""The rows of a PaySim recording, and what each should come to; pure.

    type      order     from                    to
    PAYMENT   merchant  nameOrig                merchant nameDest
    TRANSFER  p2p       nameOrig                person nameDest
    CASH_OUT  cash-out  nameOrig                agent nameDest
    CASH_IN   cash-in   agent nameDest          nameOrig
    DEBIT     merchant  nameOrig                the bank's settlement account

The bank is a merchant-like party: the recording debits people towards it, and nobody consents on
its behalf. Balances are sums of floats that were printed, so that a column may be off by one minor
unit; some are in exponent form (1.86E+07), which rounds to three figures.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from tallystick.kernel.errors import Malformed, NotFound
from tallystick.protocol.payments import PaymentKind

COLUMNS = (
    "step", "type", "amount", "nameOrig", "oldbalanceOrg", "newbalanceOrig", "nameDest",
)  # fmt: skip
MOST_MINOR = 10**14
BANK = "bank settlement"
_KINDS = {
    "PAYMENT": (PaymentKind.MERCHANT, "merchant"),
    "TRANSFER": (PaymentKind.P2P, "person"),
    "CASH_OUT": (PaymentKind.CASH_OUT, "agent"),
    "CASH_IN": (PaymentKind.CASH_IN, "agent"),
    "DEBIT": (PaymentKind.MERCHANT, "merchant"),
}
_HALF_IN_MINOR = 50
_LONGEST_NUMBER = 20
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row: line number in the file, hour, what is paid, both sides, and its balance columns.

    Amounts in minor units; `slack_minor` is by how much the balance columns may be off.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    line: int
    step: int
    type: str
    kind: PaymentKind
    amount_minor: int
    name: str
    opening_minor: int
    closing_minor: int
    other: str
    other_kind: str
    slack_minor: int

    @property
    def funded(self) -> bool:
        """Whether the columns say that there was money enough.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.kind is PaymentKind.CASH_IN or self.opening_minor >= self.amount_minor

    def agrees(self, balance_minor: int) -> bool:
        """Whether the balance after a settled order is the one in the column, but for its rounding.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return abs(balance_minor - self.closing_minor) <= self.slack_minor


def read_rows(file: Path, most: int = 0) -> list[Row]:
    """The rows of `file`, at most `most` of them if given.

    Raises NotFound for no file, Malformed with the line for what is not such a recording.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return _checked(list(_parsed(stream, most)))
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", remedy="check the path") from None
    except (csv.Error, UnicodeDecodeError):
        raise Malformed(f"{file.name} is not a CSV file in UTF-8") from None


def _parsed(stream: Iterator[str], most: int) -> Iterator[Row]:
    reader = csv.DictReader(stream, restval="", strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise Malformed(
            f"the file has no column {', '.join(missing)}", remedy="give a PaySim recording"
        )
    for number, cells in enumerate(reader, start=2):
        if most and number > most + 1:
            return
        yield _row(number, cells)


def _row(line: int, cells: dict[str, str]) -> Row:
    found = _KINDS.get(cells["type"])
    if found is None:
        raise Malformed(f"line {line}: type {cells['type'][:20]!r} is unknown")
    kind, other_kind = found
    amount, opening, closing = (
        _minor(line, name, cells[name]) for name in ("amount", "oldbalanceOrg", "newbalanceOrig")
    )
    if not all(0 < len(cells[name]) <= _LONGEST_NAME for name in ("nameOrig", "nameDest")):
        raise Malformed(f"line {line}: both sides have a name of at most {_LONGEST_NAME} letters")
    if amount == 0:
        raise Malformed(f"line {line}: the amount is zero")
    is_debit = cells["type"] == "DEBIT"
    return Row(
        line=line,
        step=_step(line, cells["step"]),
        type=cells["type"],
        kind=kind,
        amount_minor=amount,
        name=cells["nameOrig"],
        opening_minor=opening,
        closing_minor=closing,
        other=BANK if is_debit else cells["nameDest"],
        other_kind=other_kind,
        slack_minor=1
        + sum(_rounding(cells[name]) for name in COLUMNS if "balance" in name)
        + _rounding(cells["amount"]),
    )


def _step(line: int, text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise Malformed(f"line {line}: step is a count of hours")
    return int(text)


def _decimal(line: int, name: str, text: str) -> Decimal:
    try:
        value = Decimal(text[:_LONGEST_NUMBER])
    except InvalidOperation:
        raise Malformed(f"line {line}: {name} is not a number") from None
    if not value.is_finite():
        raise Malformed(f"line {line}: {name} is not a number")
    return value


def _minor(line: int, name: str, text: str) -> int:
    exact = _decimal(line, name, text)
    is_sane = len(text) <= _LONGEST_NUMBER and exact.adjusted() < _LONGEST_NUMBER
    value = exact * 100 if is_sane else Decimal(-1)
    if value != value.to_integral_value() or not 0 <= value <= MOST_MINOR:
        raise Malformed(f"line {line}: {name} is not an amount with at most two decimals")
    return int(value)


def _rounding(text: str) -> int:
    """By how many minor units a number in exponent form may be off: half of its last figure."""
    if "E" not in text.upper():
        return 0
    exponent = Decimal(text).as_tuple().exponent
    return int(Decimal(10) ** int(exponent) * _HALF_IN_MINOR)


def _checked(rows: list[Row]) -> list[Row]:
    if not rows:
        raise Malformed("the recording has no rows")
    for before, after in pairwise(rows):
        if after.step < before.step:
            raise Malformed(f"line {after.line}: the steps go back", remedy="sort by step")
    if len({row.name for row in rows}) != len(rows):
        raise Malformed("a nameOrig occurs twice", remedy="each row is a customer of its own")
    return rows
