"""Finds what was done to the rows between two checkpoints, by trying what would undo it.

The tree before the rows is known good and so is the root after them. If the rows as they stand do
not lead there, each simple change is undone in turn (a leaf edited beside its stored hash, two rows
exchanged, a row moved, a row put in) until one leads there; that names the row exactly.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
"""

from collections.abc import Iterable, Iterator, Sequence

from tallystick.infrastructure.tally.findings import Finding, FindingKind, events
from tallystick.infrastructure.tally.merkle import Batch, Frontier, append_batch
from tallystick.kernel.model import Record

TRIAL_ROWS = 64
"""Windows longer than this are not tried pair by pair; they are named as a whole."""


class Row(Record, frozen=True, kw_only=True):
    """A stored event: its index, its leaf, the hash beside it, and the hash that the leaf has.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    index: int
    leaf: bytes
    stored: bytes
    computed: bytes


class Explanation(Record, frozen=True, kw_only=True):
    """The leaf hashes that lead to the signed root, how many rows they take, and what was done.

    `grown` is the tree with them, without proofs.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    hashes: tuple[bytes, ...]
    grown: Batch
    rows_used: int
    findings: tuple[Finding, ...]


def explain_rows(
    before: Frontier, rows: Sequence[Row], next_row: Row | None, root: bytes
) -> Explanation | None:
    """How `rows` lead from the tree `before` to `root`, with what must be undone; None if unknown.

    `next_row` is the row after the window, if there is one: a row put in pushes the last one out.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    computed = [row.computed for row in rows]
    stored = [row.stored for row in rows]
    if grown := _leading_to(before, computed, root):
        return _explained(computed, grown, len(rows), _stale_hashes(rows))
    if grown := _leading_to(before, stored, root):
        return _explained(stored, grown, len(rows), _edited_leaves(rows))
    if len(rows) > TRIAL_ROWS:
        return None
    for moved, finding in _rearranged(rows):
        if grown := _leading_to(before, moved, root):
            return _explained(moved, grown, len(rows), [finding])
    if next_row is not None:
        wider = [*rows, next_row]
        for kept, finding in _without_one(wider):
            if grown := _leading_to(before, kept, root):
                return _explained(kept, grown, len(wider), [finding])
    return None


def _leading_to(before: Frontier, hashes: Sequence[bytes], root: bytes) -> Batch | None:
    grown = append_batch(before, hashes, prove=False)
    return grown if grown.root == root else None


def _explained(
    hashes: Sequence[bytes], grown: Batch, rows_used: int, findings: Iterable[Finding]
) -> Explanation:
    return Explanation(
        hashes=tuple(hashes), grown=grown, rows_used=rows_used, findings=tuple(findings)
    )


def _stale_hashes(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        if row.stored != row.computed:
            yield Finding(
                kind=FindingKind.EDITED,
                row=events(row.index, row.index + 1),
                detail="the hash kept beside the event was changed; the event itself is as signed",
            )


def _edited_leaves(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        if row.stored != row.computed:
            yield Finding(
                kind=FindingKind.EDITED,
                row=events(row.index, row.index + 1),
                detail="the event is not the one that was signed",
            )


def _rearranged(rows: Sequence[Row]) -> Iterator[tuple[list[bytes], Finding]]:
    hashes = [row.computed for row in rows]
    for one in range(len(rows)):
        for other in range(one + 1, len(rows)):
            swapped = hashes.copy()
            swapped[one], swapped[other] = swapped[other], swapped[one]
            names = f"events {rows[one].index} and {rows[other].index}"
            yield swapped, _reordered(names, "the two events stand in each other's place")
    for one in range(len(rows)):
        rest = hashes[:one] + hashes[one + 1 :]
        for place in range(len(rows)):
            name = events(rows[one].index, rows[one].index + 1)
            detail = f"the event was recorded as event {rows[place].index}"
            yield [*rest[:place], hashes[one], *rest[place:]], _reordered(name, detail)


def _reordered(row: str, detail: str) -> Finding:
    return Finding(kind=FindingKind.REORDERED, row=row, detail=detail)


def _without_one(rows: Sequence[Row]) -> Iterator[tuple[list[bytes], Finding]]:
    hashes = [row.computed for row in rows]
    for at, row in enumerate(rows):
        yield (
            hashes[:at] + hashes[at + 1 :],
            Finding(
                kind=FindingKind.INSERTED,
                row=events(row.index, row.index + 1),
                detail="the event was put in between two that were signed",
            ),
        )
