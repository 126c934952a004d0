"""Acts that wait are found without reading all that were ever done."""

import pytest

from tallystick.application.operators.store import (
    MIGRATION,
    WAITING_MIGRATION,
    waiting_acts,
    waiting_heads,
)
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.store.sqlite.database import SqliteDatabase

ROW = (
    "INSERT INTO act (id, name, operator, body, jws, state, says, reference, event, expires_at)"
    " VALUES (?, ?, 'opr_1', ?, '', ?, '', '', -1, ?)"
)


@pytest.mark.parametrize("ask", [waiting_acts, waiting_heads])
def test_acts_that_wait_are_found_by_an_index_newest_first(place: Place, ask) -> None:
    with open_database(place) as database:
        migrate(database, [MIGRATION, WAITING_MIGRATION], 1)
        with batch(database):
            for number, (state, until) in enumerate(
                [("done", 9), ("waiting", 9), ("waiting", 4), ("declined", 9), ("waiting", 5)]
            ):
                given = f"act_{number}", "close-day", b"", state, until
                database.execute(ROW, given)
        seen: list[str] = []
        database.trace(seen.append)
        assert [one.id for one in ask(database, 5, 9)] == ["act_4", "act_1"]
        database.trace(None)
        assert [one.id for one in ask(database, 5, 1)] == ["act_4"]
        if isinstance(database, SqliteDatabase):
            plan = database.rows(f"EXPLAIN QUERY PLAN {seen[0]}")
        else:
            database.execute("SET enable_seqscan = off")  # a small table is read whole otherwise
            asked = seen[0].replace("$1", "5").replace("$2", "9")
            plan = database.rows(f"EXPLAIN {asked}")
        assert "act_waiting" in "\n".join(row[-1] for row in plan)
