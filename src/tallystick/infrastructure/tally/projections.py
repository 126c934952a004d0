"""Holds values in rows of state against the fields of the events that they came from.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterable, Iterator

from tallystick.infrastructure.tally.findings import Finding, FindingKind, Projection
from tallystick.infrastructure.tally.leaf import decode_leaf, field_commitment
from tallystick.kernel.errors import Broken, Malformed
from tallystick.protocol.receipt import EventLeaf, Scalar


class ProjectionCheck:
    """Goes through projections beside the leaves, both in the order of the events.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, projections: Iterable[Projection]) -> None:
        """Read `projections` once, as the leaves come.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._rest = iter(projections)
        self._next = next(self._rest, None)

    def at_leaf(self, index: int, leaf: bytes) -> Iterator[Finding]:
        """What differs between the event `index` and the rows that say they come from it.

        Raises Broken when the projections are not in the order of the events.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        due = list(self._until(index + 1))
        if not due:
            return
        try:
            event = decode_leaf(leaf)
        except Malformed:
            event = None
        for projection in due:
            if event is None or projection.event_index < index:
                yield _differs(projection, "its event is not in the tally")
            elif not _agrees(projection, event):
                yield _differs(projection, f"event {index} recorded another {projection.field}")

    def after_last(self) -> Iterator[Finding]:
        """The rows that name events beyond the end.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for projection in self._until(None):
            yield _differs(projection, "its event is not in the tally")

    def _until(self, end: int | None) -> Iterator[Projection]:
        while self._next is not None and (end is None or self._next.event_index < end):
            taken, self._next = self._next, next(self._rest, None)
            if self._next is not None and self._next.event_index < taken.event_index:
                raise Broken("the rows of state are not read in the order of their events")
            yield taken


def _agrees(projection: Projection, event: EventLeaf) -> bool:
    if not projection.salt:
        return _public_value(event, projection.field) == projection.value
    try:
        commitment = field_commitment(projection.salt, projection.field, projection.value)
    except Malformed:
        return False
    return event.c.get(projection.field) == commitment


def _public_value(event: EventLeaf, field: str) -> Scalar | None:
    named: dict[str, Scalar] = {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "stage": event.stage,
        "policy": event.policy,
    }
    return event.p.get(field, named.get(field))


def _differs(projection: Projection, detail: str) -> Finding:
    return Finding(kind=FindingKind.ROW_DIFFERS, row=projection.row, detail=detail)
