"""What became of one order, step by step, as far as it is stored.

    quoted -> decided -> recorded (stage by stage) -> told to the customer, to core systems

When an answer left is not stored: it leaves once the event is durable, and is sent again to whoever
asks again.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Iterator

from tallystick.application.core import book_id
from tallystick.application.notices.store import notices_about
from tallystick.application.payments.model import OrderRow, Stage
from tallystick.application.payments.store import ORDER
from tallystick.application.webhooks.store import every_webhook
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.ids import id_time
from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc


class Step(Record, frozen=True, kw_only=True):
    """One step: when (ms, 0 where that is not stored), what, and more of it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    at: int
    what: str
    says: str


def follow_order(reader: Reader, identifier: str, *, elsewhere: bool) -> tuple[Step, ...]:
    """The steps of the order `identifier`, in order; none if it is not known.

    `elsewhere` says that a core system's book counts.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    order = RowCache(ORDER, OrderRow, reader, capacity=1).get(identifier)
    if order is None:
        return ()
    steps = [_quoted(order), _decided(order), *_recorded(reader, order)]
    if elsewhere:
        steps += _at_the_core(order)
    return (*steps, *_notices(reader, order), *_webhooks(reader, order))


def _quoted(order: OrderRow) -> Step:
    return Step(at=id_time(order.id), what="quoted", says="the terms were offered under this id")


def _decided(order: OrderRow) -> Step:
    says = f"policy {order.policy}, row {order.row}, consent {order.grade}"
    if order.error:
        says += f": {order.error}, {order.because or order.detail}"
    return Step(at=order.at, what="refused" if order.error else "permitted", says=says)


def _recorded(reader: Reader, order: OrderRow) -> Iterator[Step]:
    store = TallyStore(reader)
    for index in store.indices_of(order.id):
        leaf = store.leaf(index)
        if leaf is None:
            continue
        event = decode_leaf(leaf)
        covering = store.checkpoint_covering(index)
        signed = f"signed with the first {covering[0]} events" if covering else "not signed yet"
        yield Step(at=event.at, what=f"recorded {event.stage}", says=f"event {index}, {signed}")


def _at_the_core(order: OrderRow) -> Iterator[Step]:
    ended = "waits for its answer"
    if order.stage is Stage.UNKNOWN:
        ended = "its answer is not believed or did not come: people look at it"
    elif order.stage is not Stage.ACCEPTED:
        ended = f"it ended as {order.stage.value}"
    yield Step(at=0, what="at the core", says=f"transfer {book_id(order.id)}: {ended}")


def _notices(reader: Reader, order: OrderRow) -> Iterator[Step]:
    for row in notices_about(reader, order.id):
        if row.delivered_at:
            says = f"taken by the message centre at try {row.attempts}"
        elif row.due_at:
            says = f"waits since {iso_utc(row.created_at)}, {row.attempts} tries"
        else:
            says = f"given up after {row.attempts} tries"
        yield Step(at=row.delivered_at, what=f"notice {row.template.value}", says=says)


def _webhooks(reader: Reader, order: OrderRow) -> Iterator[Step]:
    for row in every_webhook(reader):
        if row.wants("payment"):
            passed = order.event < row.cursor
            says = "told" if passed else f"not told yet, {row.failures} failures"
            yield Step(at=0, what=f"webhook {row.id}", says=f"event {order.event}: {says}")
