"""Axes of charts: where a value stands, linear or by its logarithm, and which ticks are written.

Source: ISO/TS 12812-2:2017, A
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """From values `low` to `high` onto lengths `begin` to `end`; what lies outside is on the edge.

    With `logarithmic` both ends are above 0.
    Source: ISO/TS 12812-2:2017, A
    """

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where `value` stands.

        Source: ISO/TS 12812-2:2017, A
        """
        inside = min(self.high, max(self.low, value))
        low, high = self._bent(self.low), self._bent(self.high)
        part = (self._bent(inside) - low) / (high - low) if high > low else 0.0
        return self.begin + part * (self.end - self.begin)

    def _bent(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


def decades(low: int, high: int) -> tuple[int, int]:
    """The powers of ten around the positive ones of `low` and `high`, at least one decade apart.

    Source: ISO/TS 12812-2:2017, A
    """
    first = 10 ** (len(str(max(1, low))) - 1)
    last = 10 ** len(str(max(1, high)))
    return first, max(last, first * 10)


def powers(low: int, high: int) -> Iterator[int]:
    """Every power of ten from `low` to `high`, which are powers themselves.

    Source: ISO/TS 12812-2:2017, A
    """
    value = low
    while value <= high:
        yield value
        value *= 10


def steps(low: int, high: int, most: int = 6) -> list[int]:
    """Round values from at or below `low` to at or above `high`, `most` steps or fewer.

    Source: ISO/TS 12812-2:2017, A
    """
    width = 1
    for factor in _widths():
        width = factor
        if (high - low) // width + 2 <= most:
            break
    first = low // width * width
    last = -(-max(high, low + 1) // width) * width
    return list(range(first, last + 1, width))


def _widths() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def brief(minor: int, digits: int) -> str:
    """An amount of minor units in few letters: 250 k, 3.2 M, 40 B, of the whole currency.

    Source: ISO 4217
    """
    whole = minor // 10**digits
    for size, sign in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if whole >= size:
            tenths = whole * 10 // size
            shown = (
                f"{tenths // 10}" if tenths % 10 == 0 or tenths >= 1000 else f"{tenths / 10:.1f}"
            )
            return f"{shown} {sign}"
    return str(whole)
