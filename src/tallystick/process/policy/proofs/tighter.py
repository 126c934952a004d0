"""Proof that one policy is nowhere looser than another: over all facts, or with a counter-example.

Parameters are equal. Every limit is kept, for the same payments, none of its caps higher. Rows are
followed together from one set of facts to the next, as in `changes`:

    decided before      may be decided now
    deny                deny
    step-up to a grade  step-up to the same grade, deny
    delay               delay at least as long, deny
    allow               anything

So what was denied is not allowed, and no step-up and no delay is dropped. Whether a payment of some
amount passes follows from its row and its caps, and both are compared.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterator, Sequence

from tallystick.process.policy.facts import Outcome, Word
from tallystick.process.policy.language.model import Limit, Policy, Row, Window
from tallystick.process.policy.proofs.space import EVERYTHING, Point, Space, box_of, in_words

EQUAL = (
    "header",
    "tiers",
    "factors",
    "sessions",
    "attempts",
    "quote_life_ms",
    "handshake",
    "signatures",
    "default",
    "dependencies",
    "operators",
    "tightening",
    "incentives",
    "tightening_caps",
    "regimes",
)
"""What no measure touches."""


def looser(base: Policy, now: Policy) -> str:
    """Where `now` permits what `base` did not, in words; empty where it nowhere does.

    Raises TooLarge if the rows are too entangled to say.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    for name in EQUAL:
        if getattr(base, name) != getattr(now, name):
            return f"{name} is another"
    return next(_looser_limits(base, now), "") or _Rows(base, now).looser()


def _looser_limits(base: Policy, now: Policy) -> Iterator[str]:
    kept = {limit.id: limit for limit in now.limits}
    for limit in base.limits:
        found = kept.get(limit.id)
        if found is None or found.words != limit.words:
            yield f"the limit {limit.id!r} is gone, or is of other payments"
        elif found.per_payment_minor > limit.per_payment_minor:
            yield f"the limit {limit.id!r} lets more pass in one payment"
        else:
            yield from _looser_windows(limit, found.windows)


def _looser_windows(limit: Limit, windows: Sequence[Window]) -> Iterator[str]:
    kept = {window.window_ms: window for window in windows}
    for window in limit.windows:
        found = kept.get(window.window_ms)
        if (
            found is None
            or found.max_amount > window.max_amount
            or found.max_count > window.max_count
        ):
            yield f"the limit {limit.id!r} lets more pass within {window.window_ms // 1000} s"


class _Rows:
    """Both tables in one space: the rows of `base`, then those of `now`."""

    def __init__(self, base: Policy, now: Policy) -> None:
        self._old = (*base.decisions, base.default)
        self._new = (*now.decisions, now.default)
        boxes = [
            *(box_of(row.words, row.bounds) for row in base.decisions),
            EVERYTHING,
            *(box_of(row.words, row.bounds) for row in now.decisions),
            EVERYTHING,
        ]
        self._space = Space(boxes, base.tiers)
        self._order = self._space.order()
        self._offset = len(self._old)
        self._mask = (1 << self._offset) - 1
        self._seen: set[tuple[int, int]] = set()
        self._same: dict[tuple[int, int], bool] = {}
        self._path: list[tuple[str, Word]] = []

    def looser(self) -> str:
        """The first set of facts where a row is looser, in words; empty for none."""
        return self._descend(0, self._space.all)

    def _descend(self, depth: int, alive: int) -> str:
        free = self._order.free[depth]
        old = _settled(alive & self._mask, free)
        new = _settled(alive & ~self._mask, free)
        was, now = self._old[_lowest(old)], self._new[_lowest(new) - self._offset]
        if old & -old & free and new & -new & free:
            return "" if _is_tighter(was, now) else self._shown(was, now)
        if self._is_harmless(old, new):
            return ""
        depth = self._space.skip(self._order, depth, old | new)
        place = (depth, old | new)
        if depth == len(self._order.fields) or place in self._seen:
            return ""
        self._seen.add(place)
        self._space.step()
        field = self._order.fields[depth]
        for value, mask in self._space.split(field, old | new):
            self._path.append((field, value))
            found = self._descend(depth + 1, mask)
            self._path.pop()
            if found:
                return found
        return ""

    def _is_harmless(self, old: int, new: int) -> bool:
        """Whether the same rows are left in both, or none that could make a difference."""
        place = (old, new)
        known = self._same.get(place)
        if known is None:
            was = [_meant(row) for row in _rows(self._old, old)]
            now = [_meant(row) for row in _rows(self._new, new >> self._offset)]
            loosest = all(row.outcome is Outcome.ALLOW for row in _rows(self._old, old))
            strict = all(
                row.outcome is Outcome.DENY for row in _rows(self._new, new >> self._offset)
            )
            known = self._same[place] = loosest or strict or was == now
        return known

    def _shown(self, was: Row, now: Row) -> str:
        point: Point = dict(self._path)
        says = f"{was.id!r} says {_says(was)}, {now.id!r} says {_says(now)}"
        return f"{says}, as with {in_words(point) or 'any facts'}"


def _settled(rows: int, free: int) -> int:
    """`rows` without those behind one that no later field can lose."""
    final = rows & free
    return rows & (((final & -final) << 1) - 1) if final else rows


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _rows(rows: Sequence[Row], mask: int) -> Iterator[Row]:
    while mask:
        yield rows[_lowest(mask)]
        mask &= mask - 1


def _meant(row: Row) -> tuple[object, ...]:
    return row.words, row.bounds, row.outcome, row.grade, row.delay_ms


def _is_tighter(was: Row, now: Row) -> bool:
    if was.outcome is Outcome.ALLOW or now.outcome is Outcome.DENY:
        return True
    if was.outcome is not now.outcome:
        return False
    return was.grade == now.grade and now.delay_ms >= was.delay_ms


def _says(row: Row) -> str:
    length = f"{row.delay_ms // 1000} s" if row.delay_ms else ""
    return " ".join(filter(None, (row.outcome.value, row.grade, length)))
