"""Rows by table: one statement a table whatever the size of the batch."""

import pytest

from tallystick.infrastructure.store.changes import ChangeSet, load, load_rows
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.store.sqlite.database import (
    MAX_VARIABLES,
    SqliteDatabase,
    insert_statement,
)
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.errors import Broken

PAIR = Table(
    name="pair",
    key="id",
    insert_head="INSERT INTO pair (id, number) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (id) DO UPDATE SET number = excluded.number",
    select_head="SELECT id, number FROM pair WHERE id IN ",
)
LINE = Table(
    name="line",
    key="seq",
    insert_head="INSERT INTO line (seq, pair) VALUES ",
    slots="(?, ?)",
    insert_tail="",
    select_head="SELECT seq, pair FROM line WHERE seq IN ",
)


@pytest.fixture
def database(place: Place):
    with open_database(place) as opened:
        opened.execute("CREATE TABLE pair (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT")
        opened.execute("CREATE TABLE line (seq INTEGER PRIMARY KEY, pair TEXT NOT NULL) STRICT")
        yield opened


def batch(size: int, first: int = 0) -> ChangeSet:
    changes = ChangeSet()
    for number in range(first, first + size):
        changes.upsert(PAIR, f"p{number}", (f"p{number}", number))
        changes.insert(LINE, (number, f"p{number}"))
    return changes


@pytest.mark.parametrize("size", [1, 2, 64, 1000])
def test_the_number_of_statements_does_not_depend_on_the_batch(database, size: int) -> None:
    seen: list[str] = []
    database.trace(seen.append)
    batch(size).flush(database)
    database.trace(None)
    assert len(seen) == 2
    assert database.one("SELECT count(*), sum(number) FROM pair") == (
        size,
        size * (size - 1) // 2,
    )
    assert database.one("SELECT count(*) FROM line") == (size,)


def test_a_read_is_one_statement_for_any_number_of_keys(database: Database) -> None:
    batch(1000).flush(database)
    seen: list[str] = []
    database.trace(seen.append)
    found = load(database, PAIR, [f"p{number}" for number in range(0, 2000, 2)])
    database.trace(None)
    assert len(seen) == 1
    assert found == {f"p{number}": (f"p{number}", number) for number in range(0, 1000, 2)}


def test_only_a_batch_beyond_the_limit_of_variables_is_split(database: Database) -> None:
    changes = ChangeSet()
    most = MAX_VARIABLES // 2
    for number in range(most + 1):
        changes.insert(LINE, (number, "p"))
    seen: list[str] = []
    database.trace(seen.append)
    changes.flush(database)
    database.trace(None)
    assert len(seen) == (2 if isinstance(database, SqliteDatabase) else 1)
    assert database.one("SELECT count(*), max(seq) FROM line") == (most + 1, most)


def test_the_last_row_of_a_key_wins(database: Database) -> None:
    changes = ChangeSet()
    for number in (1, 5, 3):
        changes.upsert(PAIR, "p", ("p", number))
    changes.upsert(PAIR, "q", ("q", 9))
    changes.flush(database)
    assert database.rows("SELECT * FROM pair ORDER BY id") == [("p", 3), ("q", 9)]
    again = ChangeSet()
    again.upsert(PAIR, "p", ("p", 4))
    again.flush(database)
    assert load(database, PAIR, ["p"]) == {"p": ("p", 4)}


def test_a_row_that_is_added_and_changed_in_one_batch_ends_in_its_last_state(database) -> None:
    changes = ChangeSet()
    changes.insert(PAIR, ("p", 1))
    changes.upsert(PAIR, "p", ("p", 2))
    changes.flush(database)
    assert database.rows("SELECT * FROM pair") == [("p", 2)]


def test_single_statements_come_after_the_rows(database: Database) -> None:
    changes = ChangeSet()
    changes.statement("DELETE FROM line WHERE seq < ?", (2,))
    changes.insert_all(LINE, [(number, "p") for number in range(2)])
    changes.insert_all(LINE, [(number, "p") for number in range(2, 4)])
    assert not changes.is_empty()
    changes.flush(database)
    assert database.rows("SELECT seq FROM line") == [(2,), (3,)]


def test_an_empty_batch_runs_nothing(database: Database) -> None:
    seen: list[str] = []
    database.trace(seen.append)
    changes = ChangeSet()
    assert changes.is_empty()
    changes.insert_all(LINE, [])
    changes.flush(database)
    assert load(database, PAIR, []) == {}
    database.trace(None)
    assert not seen


def test_integer_keys_and_several_rows_of_a_key(database: Database) -> None:
    batch(5).flush(database)
    assert load(database, LINE, [3, 4, 9]) == {3: (3, "p3"), 4: (4, "p4")}
    by_pair = Table(
        name="line",
        key="pair",
        insert_head="",
        slots="",
        insert_tail="",
        select_head="SELECT pair, seq FROM line WHERE pair IN ",
    )
    database.execute("INSERT INTO line VALUES (9, 'p1')")
    assert load_rows(database, by_pair, ["p1"]) == [("p1", 1), ("p1", 9)]


def test_keys_that_json_cannot_carry_are_refused(database: Database) -> None:
    with pytest.raises(Broken, match="neither text nor an integer"):
        load(database, PAIR, [b"p1"])


def test_text_that_looks_like_sql_is_text(database: Database) -> None:
    name = "'); DROP TABLE pair; --\"\u2028\\"
    changes = ChangeSet()
    changes.upsert(PAIR, name, (name, 1))
    changes.flush(database)
    assert load(database, PAIR, [name]) == {name: (name, 1)}


def test_the_statement_is_made_of_the_table_alone() -> None:
    assert insert_statement(PAIR, 3) == (
        "INSERT INTO pair (id, number) VALUES (?, ?), (?, ?), (?, ?)"
        " ON CONFLICT (id) DO UPDATE SET number = excluded.number"
    )
