"""Sets of facts as products of words and bounds, many of them at once, one bit for each.

A row's conditions are a box: for some enumerated fields a set of words, for some measured fields an
interval. A point of the space is followed field by field; the boxes that still contain it are the
bits of one integer. Whole sets of points that the boxes cannot tell apart are followed together,
and what was followed once is not followed again. So a question about all facts has an exact
answer, with a point to show, without counting them.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tallystick.kernel.errors import TooLarge
from tallystick.process.policy.facts import ENUMERATED, FOREVER, MEASURED, VOCABULARY, Word
from tallystick.process.policy.language.model import Bounds, Words

MAX_STEPS = 1_000_000
"""How many sets of points may be followed before a table counts as too entangled to be proved."""

FIELDS = (*ENUMERATED, *MEASURED.values())
_FLOORS = dict.fromkeys(MEASURED.values(), 0)
_CEILINGS = dict.fromkeys(MEASURED.values(), FOREVER) | {"minute_of_day": 1439, "risk_score": 1000}

Point = dict[str, Word]
"""Values of some fields; what is left out may be anything."""


class Box(NamedTuple):
    """A product of word sets and intervals (both ends included); a missing field takes anything.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    words: Mapping[str, frozenset[Word]]
    bounds: Mapping[str, tuple[int, int]]


EVERYTHING = Box({}, {})


def box_of(words: Iterable[Words], bounds: Iterable[Bounds] = ()) -> Box:
    """The facts that satisfy all the conditions.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    measured: dict[str, tuple[int, int]] = {}
    for one in bounds:
        low, high = measured.get(one.field, (_FLOORS[one.field], _CEILINGS[one.field]))
        measured[one.field] = (max(low, one.low), min(high, one.high))
    return Box({one.field: frozenset(one.words) for one in words}, measured)


class Order(NamedTuple):
    """The fields as they are followed, and for each the boxes that no later field can lose.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    fields: tuple[str, ...]
    free: tuple[int, ...]


class Space:
    """Boxes over the facts of a policy with these tiers; box number n is the bit `1 << n`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, boxes: Sequence[Box], tiers: Iterable[int]) -> None:
        """Prepare the fields that at least one box tells apart.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.all = (1 << len(boxes)) - 1
        self.vocabulary: dict[str, tuple[Word, ...]] = {**VOCABULARY, "tier": tuple(tiers)}
        self._constrained = dict.fromkeys(FIELDS, 0)
        self._accepted: dict[str, dict[Word, int]] = {}
        self._bounds: dict[str, dict[int, tuple[int, int]]] = {one: {} for one in _FLOORS}
        for field in ENUMERATED:
            self._accepted[field] = dict.fromkeys(self.vocabulary[field], 0)
        for number, box in enumerate(boxes):
            self._add(1 << number, box)
        for field, accepted in self._accepted.items():
            other = self.all & ~self._constrained[field]
            for word in accepted:
                accepted[word] |= other
        used = [field for field in FIELDS if self._constrained[field]]
        self._used = sorted(used, key=self._rank)
        self._orders: dict[tuple[str, ...], Order] = {}
        self.steps = 0

    def _add(self, bit: int, box: Box) -> None:
        for field, words in box.words.items():
            self._constrained[field] |= bit
            accepted = self._accepted[field]
            for word in words:
                if word in accepted:
                    accepted[word] |= bit
        for field, (low, high) in box.bounds.items():
            if low > _FLOORS[field] or high < _CEILINGS[field]:
                self._constrained[field] |= bit
                self._bounds[field][bit] = (low, high)

    def _rank(self, field: str) -> tuple[bool, int]:
        """Words first, and of each sort the field that tells most boxes apart."""
        return field in _FLOORS, -self._constrained[field].bit_count()

    def order(self, *applied: str) -> Order:
        """The fields in the order in which they are followed, without those `applied` already.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        known = self._orders.get(applied)
        if known is None:
            known = self._orders[applied] = self._ordered(applied)
        return known

    def _ordered(self, applied: tuple[str, ...]) -> Order:
        fields = tuple(field for field in self._used if field not in applied)
        free = [self.all]
        for field in reversed(fields):
            free.append(free[-1] & ~self._constrained[field])
        return Order(fields, tuple(reversed(free)))

    def given(self, field: str, word: Word) -> int:
        """The boxes that take `word` in an enumerated `field`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._accepted[field][word]

    def split(self, field: str, alive: int) -> Iterator[tuple[Word, int]]:
        """Values of `field`, one for each set of boxes out of `alive` that some value leaves.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if not alive & self._constrained[field]:
            return
        seen: set[int] = set()
        for value, mask in self._values(field, alive):
            if mask not in seen:
                seen.add(mask)
                yield value, mask

    def cuts(self, field: str) -> list[tuple[int, int]]:
        """The intervals of a measured `field`: lowest value and boxes of each, in order.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return list(self._intervals(field, self.all))

    def _values(self, field: str, alive: int) -> Iterable[tuple[Word, int]]:
        if field in _FLOORS:
            return self._intervals(field, alive)
        return [(word, alive & mask) for word, mask in self._accepted[field].items()]

    def _intervals(self, field: str, alive: int) -> Iterator[tuple[int, int]]:
        bounded, current = alive & self._constrained[field], alive & ~self._constrained[field]
        toggles: dict[int, int] = {}
        known = self._bounds[field]
        while bounded:
            bit = bounded & -bounded
            bounded ^= bit
            low, high = known[bit]
            if low <= high:
                toggles[low] = toggles.get(low, 0) ^ bit
                toggles[high + 1] = toggles.get(high + 1, 0) ^ bit
        floor, ceiling = _FLOORS[field], _CEILINGS[field]
        current ^= toggles.pop(floor, 0)
        yield floor, current
        for cut in sorted(toggles):
            if cut > ceiling:
                break
            current ^= toggles[cut]
            yield cut, current

    def meet(self, must: int) -> bool:
        """Whether some facts are in every box of `must`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return all(
            not must & self._constrained[field]
            or any(mask & must == must for _, mask in self._values(field, must))
            for field in self._used
        )

    def find(self, must: int, takers: int) -> Point | None:
        """Facts in every box of `must` and in none of `takers`; None is the proof of none.

        Raises TooLarge if the boxes are too entangled to say.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if not self.meet(must):
            return None
        order, dead = self.order(), set[tuple[int, int]]()

        def descend(depth: int, alive: int) -> list[tuple[str, Word]] | None:
            if not alive & takers:
                return []
            if alive & takers & order.free[depth] or (depth, alive) in dead:
                return None
            self.step()
            field = order.fields[depth]
            if not alive & self._constrained[field]:
                return descend(depth + 1, alive)
            for value, mask in self.split(field, alive):
                if mask & must == must:
                    found = descend(depth + 1, mask)
                    if found is not None:
                        return [(field, value), *found]
            dead.add((depth, alive))
            return None

        path = descend(0, must | takers)
        return None if path is None else self._filled(dict(path), must)

    def _filled(self, point: Point, must: int) -> Point:
        """`point` with a value for every other field that a box of `must` constrains."""
        for field in self._used:
            if field not in point and must & self._constrained[field]:
                point[field] = next(
                    value for value, mask in self._values(field, must) if mask & must == must
                )
        return {field: point[field] for field in FIELDS if field in point}

    def step(self) -> None:
        """Count one set of points that is followed.

        Raises TooLarge past `MAX_STEPS`.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooLarge("the table is too entangled to be proved", remedy="split its rows")

    def skip(self, order: Order, depth: int, alive: int) -> int:
        """The next depth from `depth` on at which a box of `alive` is told apart.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        while depth < len(order.fields) and not alive & self._constrained[order.fields[depth]]:
            depth += 1
        return depth


def in_words(point: Mapping[str, Word]) -> str:
    """A point for people to read: `kind p2p, amount_minor 5`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return ", ".join(f"{field} {str(value).lower()}" for field, value in point.items())
