"""Sets of facts as products of words and bounds, and what is left when some are taken away.

A row's conditions are a box: for each enumerated field a set of words, for each measured field an
interval. Taking boxes from a box is exact, so that "no row before it leaves this row anything" and
"this allows something that no limit covers" are proofs, and what is left gives an example.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterable
from typing import NamedTuple

from tallystick.process.policy.facts import ENUMERATED, FOREVER, MEASURED, VOCABULARY, Word
from tallystick.process.policy.language.model import Bounds, Words

MAX_PIECES = 20_000

_FLOORS = dict.fromkeys(MEASURED.values(), 0)
_CEILINGS = dict.fromkeys(MEASURED.values(), FOREVER) | {"minute_of_day": 1439, "risk_score": 1000}


class Box(NamedTuple):
    """A product of word sets (in the order of `ENUMERATED`) and intervals (of `MEASURED`).

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    words: tuple[frozenset[Word], ...]
    bounds: tuple[tuple[int, int], ...]


def box_of(words: Iterable[Words], bounds: Iterable[Bounds], tiers: Iterable[int]) -> Box:
    """The facts that satisfy all the conditions.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    chosen = {one.field: frozenset(one.words) for one in words}
    everything = VOCABULARY | {"tier": tuple(tiers)}
    low, high = dict(_FLOORS), dict(_CEILINGS)
    for one in bounds:
        low[one.field] = max(low[one.field], one.low)
        high[one.field] = min(high[one.field], one.high)
    return Box(
        tuple(chosen.get(field, frozenset(everything[field])) for field in ENUMERATED),
        tuple((low[field], high[field]) for field in MEASURED.values()),
    )


def common(one: Box, other: Box) -> Box | None:
    """The facts in both boxes; None where there are none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    words = tuple(a & b for a, b in zip(one.words, other.words, strict=True))
    bounds = tuple(
        (max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(one.bounds, other.bounds, strict=True)
    )
    if all(words) and all(low <= high for low, high in bounds):
        return Box(words, bounds)
    return None


def without(box: Box, taken: Box) -> list[Box]:
    """Disjoint boxes that together are the facts in `box` and not in `taken`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    shared = common(box, taken)
    if shared is None:
        return [box]
    pieces: list[Box] = []
    words, bounds = list(box.words), list(box.bounds)
    for index, kept in enumerate(shared.words):
        rest = words[index] - kept
        if rest:
            pieces.append(Box((*words[:index], rest, *words[index + 1 :]), tuple(bounds)))
        words[index] = kept
    for index, (low, high) in enumerate(shared.bounds):
        for part in ((bounds[index][0], low - 1), (high + 1, bounds[index][1])):
            if part[0] <= part[1]:
                cut = (*bounds[:index], part, *bounds[index + 1 :])
                pieces.append(Box(tuple(words), cut))
        bounds[index] = (low, high)
    return pieces


def remaining(box: Box, taken: Iterable[Box]) -> list[Box] | None:
    """What is left of `box` after all of `taken`; None if that takes too many pieces to say.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    pieces = [box]
    for one in taken:
        pieces = [piece for left in pieces for piece in without(left, one)]
        if not pieces:
            break
        if len(pieces) > MAX_PIECES:
            return None
    return pieces


def example(box: Box) -> str:
    """One combination of words out of `box`, for people to read.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return ", ".join(
        f"{field} {str(min(words, key=str)).lower()}"
        for field, words in zip(ENUMERATED, box.words, strict=True)
        if field != "operation"
    )
