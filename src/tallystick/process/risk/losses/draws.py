"""Random numbers that are the same bytes on every machine, and distributions on them.

The words come from Philox, a counter-based generator whose stream is fixed. All that follows uses
only operations that IEEE 754 rounds in one way (+, -, *, /, square root, scaling by powers of two),
never a library's exponential or logarithm, which differ in the last bit from machine to machine.
Arrays are of float64; sums of money are of integers.

Source: ISO/TS 12812-2:2017, A
"""

from math import sqrt
from typing import Any

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.process.risk.extras import numpy
from tallystick.process.yamltext.quantities import Spread

_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
"""The natural logarithm of 2 in two parts, of which the first has few bits."""

_LOG2_E = 1.4426950408889634
_SQRT_HALF = 0.7071067811865476
_TAIL = 0.05
_KEPT = 5_000
SMALL_RATE = 20.0
"""Up to this rate a Poisson number is exact; above it is a rounded normal one."""


class Stream:
    """The words of one named purpose; two names have nothing in common.

    Source: ISO/TS 12812-2:2017, A
    """

    __slots__ = ("_source",)

    def __init__(self, *name: str) -> None:
        """Start at the first word of the stream that `name` has.

        Source: ISO/TS 12812-2:2017, A
        """
        digest = sha256("|".join(name).encode())
        self._source: Any = numpy().random.Philox(key=int.from_bytes(digest[:16], "big"))

    def uniforms(self, count: int) -> Any:
        """The next `count` numbers above 0 and below 1, of 52 bits.

        Source: ISO/TS 12812-2:2017, A
        """
        words = self._source.random_raw(count)
        return ((words >> 12).astype("float64") + 0.5) * 2.0**-52


class Draws:
    """The uniform numbers of many purposes; short ones are kept, so that runs can share them.

    Source: ISO/TS 12812-2:2017, A
    """

    def __init__(self, *seed: str) -> None:
        """Draw under `seed`, which every purpose has in front.

        Source: ISO/TS 12812-2:2017, A
        """
        self._seed = seed
        self._kept: dict[tuple[tuple[str, ...], int], Any] = {}

    def uniforms(self, purpose: tuple[str, ...], count: int) -> Any:
        """The first `count` numbers of `purpose`.

        Source: ISO/TS 12812-2:2017, A
        """
        if count > _KEPT:
            return Stream(*self._seed, *purpose).uniforms(count)
        place = (purpose, count)
        if place not in self._kept:
            self._kept[place] = Stream(*self._seed, *purpose).uniforms(count)
        return self._kept[place]


def exponential(values: Any) -> Any:
    """E to the power of each of `values`, which are cut to -700 to 700.

    Source: ISO/TS 12812-2:2017, A
    """
    np = numpy()
    cut = np.minimum(np.maximum(values, -700.0), 700.0)
    halves = np.floor(cut * _LOG2_E + 0.5)
    rest = (cut - halves * _LN2_HIGH) - halves * _LN2_LOW
    total = np.ones_like(rest)
    for order in range(14, 0, -1):
        total = 1.0 + total * (rest * (1.0 / order))
    return np.ldexp(total, halves.astype("int32"))


def logarithm(values: Any) -> Any:
    """The natural logarithm of each of `values`, which are above 0.

    Source: ISO/TS 12812-2:2017, A
    """
    np = numpy()
    parts, halves = np.frexp(values)
    low = parts < _SQRT_HALF
    parts = np.where(low, parts * 2.0, parts)
    halves = np.where(low, halves - 1, halves).astype("float64")
    ratio = (parts - 1.0) / (parts + 1.0)
    square = ratio * ratio
    total = np.zeros_like(ratio)
    for order in range(25, 0, -2):
        total = total * square + 1.0 / order
    return halves * _LN2_HIGH + (2.0 * ratio * total + halves * _LN2_LOW)


def logistic(values: Any) -> Any:
    """1 / (1 + e to the power of -x) for each x of `values`.

    Source: ISO/TS 12812-2:2017, A
    """
    return 1.0 / (1.0 + exponential(-values))


def normal(uniforms: Any) -> Any:
    """Standard normal numbers, within 0.00045 of the exact ones, at these quantiles.

    Source: Handbook of Mathematical Functions, 26.2.23
    """
    np = numpy()
    tail = np.minimum(uniforms, 1.0 - uniforms)
    root = np.sqrt(-2.0 * logarithm(tail))
    above = 2.515517 + root * (0.802853 + root * 0.010328)
    below = 1.0 + root * (1.432788 + root * (0.189269 + root * 0.001308))
    found = root - above / below
    return np.where(uniforms < 0.5, -found, found)


def corners(spread: Spread) -> tuple[float, float, float]:
    """The triangle with this mode, of which one part in twenty lies below low and above high.

    Its lower corner may be below 0, though what it stands for is not.
    Source: ISO/TS 12812-2:2017, A
    """
    low, mode, high = float(spread.low), float(spread.mode), float(spread.high)
    start, end = low, high
    for _ in range(100):
        width = end - start
        start, end = (
            low - sqrt(_TAIL * width * (mode - start)),
            high + sqrt(_TAIL * width * (end - mode)),
        )
    return start, mode, end


def triangular(uniforms: Any, shape: tuple[float, float, float]) -> Any:
    """Numbers of a triangle (start, mode, end) at these quantiles.

    Source: ISO/TS 12812-2:2017, A
    """
    np = numpy()
    start, mode, end = shape
    width = end - start
    if width <= 0.0:
        return np.full_like(uniforms, mode)
    rising = start + np.sqrt(uniforms * width * (mode - start))
    falling = end - np.sqrt((1.0 - uniforms) * width * (end - mode))
    return np.where(uniforms < (mode - start) / width, rising, falling)


def poisson(uniforms: Any, rates: Any) -> Any:
    """How often something of these rates happens, as integers, at these quantiles.

    Source: ISO/TS 12812-2:2017, A
    """
    np = numpy()
    small = rates <= SMALL_RATE
    exact = np.where(small, rates, 0.0)
    uniform = np.where(small, uniforms, 0.0)
    share = exponential(-exact)
    reached = share.copy()
    counts = np.zeros(uniforms.shape, dtype="int64")
    for number in range(1, 200):
        above = uniform > reached
        if not above.any():
            break
        counts += above
        share = share * exact / number
        reached = reached + share
    if not small.all():
        near = np.floor(rates + np.sqrt(rates) * normal(uniforms) + 0.5)
        counts = np.where(small, counts, np.maximum(near, 0.0).astype("int64"))
    return counts
