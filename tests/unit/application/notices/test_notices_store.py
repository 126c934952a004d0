"""Notices in a real file: appended, found when due, never again once delivered."""

from tallystick.application.notices.model import Channel, NoticeRow, Template
from tallystick.application.notices.rules import attempted
from tallystick.application.notices.store import (
    MIGRATION,
    NOTICE,
    due_notices,
    next_due,
    next_seq,
)
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.model import row_of
from tallystick.kernel.time import Instant


def notice(seq: int, due_at: int) -> NoticeRow:
    return NoticeRow(
        seq=seq,
        channel=Channel.SMS,
        customer="cus_x",
        template=Template.PAYMENT_SENT,
        reference="ord_x",
        created_at=due_at,
        attempts=0,
        due_at=due_at,
        delivered_at=0,
    )


def write(database: Database, changes: ChangeSet) -> None:
    database.begin()
    changes.flush(database)
    database.commit()


def test_notices_are_due_in_order_until_they_were_delivered(place: Place) -> None:
    database = open_database(place)
    migrate(database, [MIGRATION], Instant(0))
    assert (next_seq(database), next_due(database)) == (1, 0)
    changes = ChangeSet()
    for row in (notice(1, 300), notice(2, 100), notice(3, 200), notice(4, 900)):
        changes.insert(NOTICE, row_of(row))
    write(database, changes)
    assert (next_seq(database), next_due(database)) == (5, 100)
    assert [one.seq for one in due_notices(database, Instant(300), 10)] == [2, 3, 1]
    assert [one.seq for one in due_notices(database, Instant(300), 2)] == [2, 3]
    first, second, *_ = due_notices(database, Instant(300), 10)
    changes = ChangeSet()
    changes.upsert(NOTICE, 2, row_of(attempted(first, Instant(300), delivered=True)))
    changes.upsert(NOTICE, 3, row_of(attempted(second, Instant(300), delivered=False)))
    write(database, changes)
    assert [one.seq for one in due_notices(database, Instant(300), 10)] == [1]
    assert [one.seq for one in due_notices(database, Instant(5_300), 10)] == [1, 4, 3]
    database.close()
