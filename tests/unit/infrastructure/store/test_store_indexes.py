"""Indexes of tables that are large when they get them: beside a writer, and begun again."""

import threading
import time

import psycopg
import pytest
from tests.support.postgres import fresh_schema, run_sql

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.index import index_on
from tallystick.infrastructure.store.migrations import (
    Migration,
    migrate,
    missing_indexes,
    only_adds,
    schema_numbers,
)
from tallystick.infrastructure.store.opening import Place, build_missing, open_database
from tallystick.kernel.errors import Broken, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)
LARGE = Migration(
    number=1,
    name="entries",
    statements=("CREATE TABLE entry (id INTEGER PRIMARY KEY, owner TEXT NOT NULL) STRICT",),
)
INDEX = index_on("entry", "entry_owner", "(owner, id) WHERE owner <> ''")
INDEXED = Migration(number=2, name="entries by owner", indexes=(INDEX,))
VALID = """SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = 'entry_owner' AND c.relnamespace = current_schema()::regnamespace"""
BUILDING = """SELECT pid FROM pg_stat_activity WHERE application_name = 'tallystick index builder'
    AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"""
END_BUILD = f"SELECT pg_terminate_backend(pid) FROM ({BUILDING}) AS building"


def filled(database: Database) -> None:
    migrate(database, [LARGE], NOW)
    for number in range(100):
        database.execute("INSERT INTO entry (id, owner) VALUES (?, ?)", (number, f"o{number % 7}"))


def indexes(database: Database, place: Place) -> list[str]:
    if isinstance(place, Address):
        rows = database.rows(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename = 'entry' AND indexname LIKE 'entry_o%'"
        )
    else:
        rows = database.rows("SELECT name FROM sqlite_schema WHERE name LIKE 'entry_o%'")
    return [row[0] for row in rows]


def test_a_step_builds_its_index_once(place: Place) -> None:
    with open_database(place) as database:
        filled(database)
        assert missing_indexes(database, [LARGE, INDEXED]) == [INDEX]
        assert migrate(database, [LARGE, INDEXED], NOW) == (2,)
        assert indexes(database, place) == ["entry_owner"]
        assert missing_indexes(database, [LARGE, INDEXED]) == []
        assert migrate(database, [LARGE, INDEXED], NOW) == ()
        database.build(INDEX)
        assert indexes(database, place) == ["entry_owner"]


def test_a_step_that_was_not_noted_finds_its_index_there(place: Place) -> None:
    """The process died between the index and the note of the step."""
    with open_database(place) as database:
        filled(database)
        database.build(INDEX)
        assert schema_numbers(database) == (1,)
        assert migrate(database, [LARGE, INDEXED], NOW) == (2,)
        assert indexes(database, place) == ["entry_owner"]


def test_the_version_before_may_go_on_and_a_changed_index_is_noticed(place: Place) -> None:
    with open_database(place) as database:
        filled(database)
        migrate(database, [LARGE, INDEXED], NOW)
        assert only_adds(database.rows("SELECT statements FROM schema_version")[1][0])
        assert migrate(database, [LARGE], NOW) == ()
        other = replace(INDEXED, indexes=(index_on("entry", "entry_owner", "(id)"),))
        with pytest.raises(Broken, match="changed after it had been applied"):
            migrate(database, [LARGE, other], NOW)


def until(place: Address, statement: str, wanted: object) -> None:
    limit = time.monotonic() + 20
    while run_sql(place, statement) != wanted:
        assert time.monotonic() < limit, run_sql(place, statement)
        time.sleep(0.02)


class Building:
    """A migration on a thread of its own; what it came to."""

    def __init__(self, database: Database) -> None:
        self.error: Exception | None = None
        self._database = database
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            migrate(self._database, [LARGE, INDEXED], NOW)
        except (Unavailable, Broken) as error:
            self.error = error

    def ended(self) -> Exception | None:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.error


def begun(place: Address) -> None:
    limit = time.monotonic() + 20
    while not run_sql(place, BUILDING):
        assert time.monotonic() < limit, "no build waits"
        time.sleep(0.02)


def test_others_write_while_the_index_is_built() -> None:
    with fresh_schema() as place, open_database(place) as database:
        filled(database)
        with psycopg.connect(place.url) as slow:
            slow.execute("INSERT INTO entry (id, owner) VALUES (500, 'slow')")
            building = Building(database)
            begun(place)  # it waits for the batch that is open
            for number in range(200, 300):
                statement = f"INSERT INTO entry (id, owner) VALUES ({number}, 'meanwhile')"
                run_sql(place, "SET lock_timeout = '2s'", statement)
            slow.commit()
        assert building.ended() is None
        assert run_sql(place, VALID) == [(True,)]
        found = run_sql(
            place, "SET enable_seqscan = off",
            "SELECT count(*) FROM entry WHERE owner = 'meanwhile' AND owner <> ''",
        )  # fmt: skip
        assert found == [(100,)]
        assert schema_numbers(database) == (1, 2)


def test_an_interrupted_build_is_begun_again() -> None:
    with fresh_schema() as place, open_database(place) as database:
        filled(database)
        with psycopg.connect(place.url) as slow:
            slow.execute("INSERT INTO entry (id, owner) VALUES (500, 'slow')")
            building = Building(database)
            begun(place)
            run_sql(place, END_BUILD)
            assert isinstance(building.ended(), Unavailable)
        assert run_sql(place, VALID) == [(False,)], "it is left behind and of no use"
        assert schema_numbers(database) == (1,)
        assert migrate(database, [LARGE, INDEXED], NOW) == (2,)
        assert run_sql(place, VALID) == [(True,)]


def test_whoever_stands_by_builds_it_beside_the_writer_and_only_one_does() -> None:
    with fresh_schema() as place, open_database(place) as database:
        filled(database)
        with psycopg.connect(place.url) as slow:
            slow.execute("INSERT INTO entry (id, owner) VALUES (500, 'slow')")
            building = Building(database)
            begun(place)
            with pytest.raises(Unavailable, match="another process builds"):
                build_missing(place, [LARGE, INDEXED])
            slow.commit()
        assert building.ended() is None
        run_sql(place, "DROP INDEX entry_owner", "DELETE FROM schema_version WHERE number = 2")
        assert build_missing(place, [LARGE, INDEXED]) == ("entry_owner",)
        assert run_sql(place, VALID) == [(True,)]
        assert schema_numbers(database) == (1,), "the step is noted by the writer"
        assert migrate(database, [LARGE, INDEXED], NOW) == (2,)
