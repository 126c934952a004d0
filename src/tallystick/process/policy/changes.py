"""For whom a new version of a policy decides differently: exactly, over all facts, with examples.

Both tables are followed together from one set of facts to the next. Where the outcomes differ, what
decided before and what decides now are a change; each pair is told once, with the conditions that
both have and one example. Factors, failed dependencies and operators' acts are parameters: `diff`
in `explain` tells of those.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable
from typing import NamedTuple

from tallystick.kernel.model import Record, replace
from tallystick.process.policy.facts import ENUMERATED, FOREVER, Outcome, Word
from tallystick.process.policy.language.model import Limit, Policy, Row
from tallystick.process.policy.proofs import Box, Point, Table, box_of, in_words
from tallystick.process.policy.proofs.space import FIELDS
from tallystick.process.policy.proofs.table import PASSING


class Change(Record, frozen=True, kw_only=True):
    """What `before` decided as `was` the row or cap `after` decides as `now`, under `conditions`.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    was: str
    now: str
    before: str
    after: str
    conditions: str
    example: str

    def __str__(self) -> str:
        rows = f"{self.before} -> {self.after}"
        return f"{self.was} -> {self.now}: {self.conditions} ({rows}); as with {self.example}"


class _Verdict(NamedTuple):
    """What decides in one half, and as what."""

    says: str
    by: Row | Limit


class _Half:
    """One of the two policies in the common space: its table's bits, moved up by `offset`."""

    def __init__(self, table: Table, offset: int) -> None:
        self.table = table
        self.offset = offset
        self.rows = table.rows << offset
        self.caps = table.caps << offset
        self.nothing = table.nothing << offset
        self.passing = sum(
            1 << (offset + number)
            for number, row in enumerate(table.decided)
            if row.outcome in PASSING
        )
        self._same: dict[int, tuple[object, ...]] = {}

    def settled(self, alive: int, free: int) -> int:
        """The bits of this half that still matter."""
        rows = alive & self.rows
        final = rows & free
        if final:
            rows &= ((final & -final) << 1) - 1
        return rows | (alive & (self.caps if rows & self.passing else self.nothing))

    def verdict(self, alive: int) -> _Verdict:
        """What decides where exactly the boxes of `alive` are left."""
        row = self.table.row((alive & self.rows) >> self.offset)
        capping = self.table.cap_bits((alive & self.caps) >> self.offset)
        if row.outcome in PASSING and alive & self.caps:
            limit = min(capping, key=lambda one: one.per_payment_minor, default=None)
            return _Verdict(Outcome.DENY.value, row if limit is None else limit)
        return _Verdict(_says(row), row)

    def sense(self, alive: int) -> tuple[object, ...]:
        """What `alive` means, whatever the rows and limits are called."""
        known = self._same.get(alive)
        if known is None:
            shifted = alive >> self.offset
            rows = [_meant(row) for row in self._rows(shifted & self.table.rows)]
            caps = [(one.words, one.per_payment_minor) for one in self.table.cap_bits(shifted)]
            known = self._same[alive] = (tuple(rows), tuple(caps))
        return known

    def _rows(self, mask: int) -> Iterable[Row]:
        while mask:
            yield self.table.row(mask)
            mask &= mask - 1


def _meant(row: Row) -> tuple[object, ...]:
    return row.words, row.bounds, row.outcome, row.grade, row.delay_ms


def _says(row: Row) -> str:
    return " ".join(filter(None, (row.outcome.value, row.grade)))


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every pair of what decided in `old` and decides otherwise in `new`, over the tiers of both.

    Raises TooLarge if the two are too entangled to be compared.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    tiers = [tier for tier in old.tiers if tier in new.tiers]
    later = Table(new)
    earlier = Table(replace(old, tiers={tier: old.tiers[tier] for tier in tiers}), later.boxes)
    walk = _Walk(_Half(earlier, 0), _Half(later, earlier.first_more), earlier)
    walk.descend(0, earlier.space.all)
    return tuple(walk.found.values())


class _Walk:
    """Follows both halves and keeps the first example of each change."""

    def __init__(self, old: _Half, new: _Half, table: Table) -> None:
        self._old, self._new, self._space = old, new, table.space
        self._order = table.space.order()
        self._seen: set[tuple[int, int]] = set()
        self._path: list[tuple[str, Word]] = []
        self.found: dict[tuple[str, ...], Change] = {}

    def descend(self, depth: int, alive: int) -> None:
        """Compare everything that is left where the boxes of `alive` are."""
        free = self._order.free[depth]
        old, new = self._old.settled(alive, free), self._new.settled(alive, free)
        if old & self._old.nothing & free or self._old.sense(old) == self._new.sense(new):
            return
        alive = old | new
        depth = self._space.skip(self._order, depth, alive)
        if depth == len(self._order.fields):
            self._compare(old, new)
            return
        if (depth, alive) in self._seen:
            return
        self._seen.add((depth, alive))
        self._space.step()
        field = self._order.fields[depth]
        for value, mask in self._space.split(field, alive):
            self._path.append((field, value))
            self.descend(depth + 1, mask)
            self._path.pop()

    def _compare(self, old: int, new: int) -> None:
        was, now = self._old.verdict(old), self._new.verdict(new)
        kind = (was.says, now.says, was.by.id, now.by.id)
        if was.says != now.says and kind not in self.found:
            path = dict(self._path)
            point: Point = {field: path[field] for field in FIELDS if field in path}
            self.found[kind] = Change(
                was=was.says,
                now=now.says,
                before=was.by.id,
                after=now.by.id,
                conditions=_common(_box(was.by), _box(now.by)) or "anything",
                example=in_words(point) or "any facts",
            )


def _box(one: Row | Limit) -> Box:
    return box_of(one.words, one.bounds if isinstance(one, Row) else ())


def _common(one: Box, other: Box) -> str:
    """The conditions that both have, in words; the example is inside of them."""
    said: list[str] = []
    for field in ENUMERATED:
        sets = [box.words[field] for box in (one, other) if field in box.words]
        if sets:
            shared = sorted(map(_word, sets[0] if len(sets) == 1 else sets[0] & sets[1]))
            said.append(f"{field} {' or '.join(shared)}")
    for field in FIELDS[len(ENUMERATED) :]:
        intervals = [box.bounds[field] for box in (one, other) if field in box.bounds]
        low = max((interval[0] for interval in intervals), default=0)
        high = min((interval[1] for interval in intervals), default=FOREVER)
        if low > 0:
            said.append(f"{field} at least {low}")
        if high < FOREVER:
            said.append(f"{field} at most {high}")
    return ", ".join(said)


def _word(word: Word) -> str:
    return str(word).lower()
