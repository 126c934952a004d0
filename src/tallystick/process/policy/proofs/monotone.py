"""Proof that more security never means less permission.

For every step of `order` two sets of points are followed together, alike in all other fields: the
worse and the better. If the worse is allowed and the better is not (by a row, or by the cap of one
payment), or both are but the limits of the better let less pass in some time, the table is not
monotone and the points are the counter-example. A delay or a step-up allows nothing yet.

A row with `non_monotone: why` may take part in such a pair; a row that has the word and takes part
in none is told to lose it.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2; 7.3.3
"""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from tallystick.kernel.errors import TooLarge
from tallystick.process.policy.facts import FOREVER, Word
from tallystick.process.policy.language.model import Limit, Row
from tallystick.process.policy.proofs.order import MORE_IS_BETTER, Step, steps
from tallystick.process.policy.proofs.space import FIELDS, Point, in_words
from tallystick.process.policy.proofs.table import Table
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.section import Defects


class _Edge(NamedTuple):
    """One step: the field, its two values, and what else is fixed."""

    field: str
    worse: Word
    better: Word
    fixed: Point


class Breach(NamedTuple):
    """A pair of points alike but for one field, where the better one is permitted less.

    `limit` is the limit that makes the difference, None where it is the rows.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    field: str
    worse: Word
    better: Word
    worse_row: Row
    better_row: Row
    limit: Limit | None
    point: Point

    def __str__(self) -> str:
        by = self.better_row if self.limit is None else self.limit
        verb = "is permitted less" if self.limit is None else "is capped lower"
        shown = {field: value for field, value in self.point.items() if field != self.field}
        return (
            f"{self.field} {_shown(self.better)} {verb} than {_shown(self.worse)}: {by.id!r}"
            f" against {self.worse_row.id!r}, as with {in_words(shown) or 'any facts'}"
        )


def check_monotone(table: Table, defects: Defects) -> None:
    """Note every breach that no row excuses, and every excuse that nothing needs.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
    """
    try:
        found = breaches(table)
    except TooLarge as error:
        defects.add(table.policy.default.at, f"{error.detail}; {error.remedy}")
        return
    excused: set[str] = set()
    for breach in found:
        rows = [one for one in (breach.worse_row, breach.better_row) if one.non_monotone]
        excused.update(row.id for row in rows)
        if not rows:
            defects.add(_place(breach), f"the policy is not monotone: {breach}")
    for row in table.policy.decisions:
        if row.non_monotone and row.id not in excused:
            text = f"the row {row.id!r} is monotone: take non_monotone away"
            defects.add(row.at, text)


def _place(breach: Breach) -> Position:
    if breach.limit is not None:
        return breach.limit.at
    last = breach.better_row
    return breach.worse_row.at if last.id == "default" else last.at


def _shown(value: Word) -> str:
    return str(value).lower()


def breaches(table: Table) -> list[Breach]:
    """One breach for every step's field and every pair of what decides.

    Raises TooLarge if the table is too entangled to say.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    walk = _Walk(table)
    space = table.space
    for step in steps(table.policy.tiers):
        walk.follow_step(step)
    for field, more in MORE_IS_BETTER.items():
        cuts = space.cuts(field)
        for (low, below), (high, above) in pairwise(cuts):
            if field == "amount_minor" and not low and high == 1:
                continue  # nothing is no smaller payment
            if more:
                walk.follow(_Edge(field, low, high, {}), below, above)
            else:
                walk.follow(_Edge(field, high, low, {}), above, below)
    return list(walk.found.values())


class _Walk:
    """Follows pairs of sets of points and keeps the first breach of each kind."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._space = table.space
        self._tighter = cache(self._tighter_of)
        self._order = self._space.order()
        self._edge = _Edge("", "", "", {})
        self._seen: set[tuple[int, int, int]] = set()
        self._path: list[tuple[str, Word]] = []
        self.found: dict[tuple[str, str, str, str], Breach] = {}

    def follow_step(self, step: Step) -> None:
        """Compare the two words of `step` everywhere."""
        alive, fixed = self._space.all, Point()
        if step.given is not None:
            field, word = step.given
            alive &= self._space.given(field, word)
            fixed[field] = word
        edge = _Edge(step.field, step.worse, step.better, fixed)
        worse = alive & self._space.given(step.field, step.worse)
        self.follow(edge, worse, alive & self._space.given(step.field, step.better))

    def follow(self, edge: _Edge, worse: int, better: int) -> None:
        """Compare the boxes `worse` and `better` of the two sides of `edge`."""
        self._edge = edge
        self._order = self._space.order(edge.field, *edge.fixed)
        self._seen.clear()
        self._descend(0, worse, better)

    def _descend(self, depth: int, worse: int, better: int) -> None:
        worse, better = self._settled(depth, worse), self._settled(depth, better)
        if self._harmless(worse, better):
            return
        depth = self._space.skip(self._order, depth, worse | better)
        if depth == len(self._order.fields):
            self._compare(worse, better)
            return
        place = (depth, worse, better)
        if place in self._seen:
            return
        self._seen.add(place)
        self._space.step()
        field = self._order.fields[depth]
        for value, mask in self._space.split(field, worse | better):
            self._path.append((field, value))
            self._descend(depth + 1, worse & mask, better & mask)
            self._path.pop()

    def _settled(self, depth: int, alive: int) -> int:
        """`alive` without the boxes that cannot matter any more."""
        table = self._table
        rows = alive & table.rows
        final = rows & self._order.free[depth]
        if final:
            rows &= ((final & -final) << 1) - 1
        if not rows & table.allowing:
            return rows
        return rows | (alive & (table.caps | table.limits))

    def _harmless(self, worse: int, better: int) -> bool:
        """Whether no point of the two sets can be a breach."""
        table = self._table
        if worse == better or not worse & table.allowing:
            return True
        if better & table.limits & ~worse:
            return False
        if better & table.rows == worse & table.rows:
            return not better & table.caps & ~worse
        return not better & (table.caps | (table.rows & ~table.allowing))

    def _allows(self, alive: int) -> bool:
        return bool(alive & -alive & self._table.allowing) and not alive & self._table.caps

    def _compare(self, worse: int, better: int) -> None:
        table = self._table
        if not self._allows(worse):
            return
        limit: Limit | None = None
        if self._allows(better):
            limit = self._tighter(worse & table.limits, better & table.limits)
            if limit is None:
                return
        elif better & -better & table.allowing:
            limit = min(table.cap_bits(better), key=lambda one: one.per_payment_minor)
        self._keep(worse, better, limit)

    def _tighter_of(self, worse: int, better: int) -> Limit | None:
        """A limit of `better` that lets less pass in some time than all limits of `worse` do."""
        if not better & ~worse:
            return None
        old = self._table.limit_bits(worse)
        for limit in self._table.limit_bits(better):
            for window in limit.windows:
                length = window.window_ms
                amount, count = _within(old, length)
                if window.max_amount < amount or window.max_count < count:
                    return limit
        return None

    def _keep(self, worse: int, better: int, limit: Limit | None) -> None:
        edge, table = self._edge, self._table
        rows = table.row(worse), table.row(better)
        kind = (edge.field, rows[0].id, rows[1].id, "" if limit is None else limit.id)
        if kind not in self.found:
            point = {**edge.fixed, **dict(self._path)}
            self.found[kind] = Breach(
                field=edge.field,
                worse=edge.worse,
                better=edge.better,
                worse_row=rows[0],
                better_row=rows[1],
                limit=limit,
                point={field: point[field] for field in FIELDS if field in point},
            )


def _within(limits: Iterable[Limit], length: int) -> tuple[int, int]:
    """What limits let pass within a time: the amount and the count."""
    windows = [one for limit in limits for one in limit.windows if one.window_ms >= length]
    amount = min((one.max_amount for one in windows), default=FOREVER)
    return amount, min((one.max_count for one in windows), default=FOREVER)
