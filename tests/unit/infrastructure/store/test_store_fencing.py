"""One writer and no other: who was overtaken never writes again, on either engine."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.postgres import fresh_schema, run_sql

from tallystick.infrastructure.store.address import Address, parse_address
from tallystick.infrastructure.store.boots import MIGRATIONS, next_boot
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import (
    Place,
    is_being_written,
    open_database,
    open_reader,
)
from tallystick.infrastructure.store.postgres.lease import beat_of
from tallystick.kernel.errors import Malformed, Unavailable
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)


def started(place: Place, owner: str, *, take_over: bool = False) -> Database:
    database = open_database(place, take_over=take_over)
    migrate(database, MIGRATIONS, NOW)
    database.execute("CREATE TABLE IF NOT EXISTS line (seq INTEGER PRIMARY KEY) STRICT")
    database.fence(next_boot(database, owner), owner)
    return database


def write(database: Database, seq: int) -> None:
    database.begin()
    try:
        database.execute("INSERT INTO line (seq) VALUES (?)", (seq,))
    except BaseException:
        database.rollback()
        raise
    database.commit()


def stored(place: Place) -> list[int]:
    with open_reader(place) as reader:
        return [row[0] for row in reader.rows("SELECT seq FROM line ORDER BY seq")]


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_second_writer_is_refused_until_the_first_one_ends(place: Place) -> None:
    with started(place, "first") as first:
        write(first, 1)
        assert is_being_written(place)
        with pytest.raises(Unavailable, match="another process is the writer"):
            open_database(place)
    assert not is_being_written(place)
    with started(place, "second") as second:
        write(second, 2)
    assert stored(place) == [1, 2]


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("begun", [False, True], ids=["between batches", "inside a batch"])
def test_a_writer_that_was_overtaken_never_writes_again(place: Place, begun: bool) -> None:
    """Its lock is gone as after a lost file or a lost connection, and it does not know."""
    old = started(place, "old")
    write(old, 1)
    if isinstance(place, Address):
        if begun:
            old.begin()
            old.execute("INSERT INTO line (seq) VALUES (2)")
        new = started(place, "new", take_over=True)
    else:
        place.with_name(place.name + ".lock").unlink()
        new = started(place, "new")
        if begun:
            pytest.skip("a file lets nobody in while a batch is open")
    write(new, 3)
    with pytest.raises(Unavailable):
        (old.commit if begun else lambda: write(old, 4))()
    if old.lost:
        with pytest.raises(Unavailable, match="another process has become the writer"):
            old.recover()
    for _ in range(2):
        with pytest.raises(Unavailable):
            write(old, 5)
    write(new, 6)
    old.close()
    new.close()
    assert stored(place) == [1, 3, 6]


@pytest.fixture
def address():
    with fresh_schema() as address:
        yield address


@pytest.mark.requirement("MFS-7.3.3-06")
def test_the_server_itself_refuses_a_batch_under_an_old_number(address: Address) -> None:
    """The fence alone, with the lock and the connection still there."""
    with started(address, "old") as old:
        write(old, 1)
        run_sql(address, "UPDATE boot SET number = number + 1, owner = 'new'")
        with pytest.raises(Unavailable, match="another process has become the writer"):
            write(old, 2)
        with pytest.raises(Unavailable, match="another process has become the writer"):
            old.recover()
        run_sql(address, "UPDATE boot SET owner = 'old'")
    assert stored(address) == [1]


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_batch_on_its_way_is_waited_for_before_anybody_takes_its_place(
    address: Address,
) -> None:
    """Whoever raises the number waits for a batch that has passed its fence."""
    with started(address, "old") as old:
        old.begin()
        old.execute("INSERT INTO line (seq) VALUES (1)")
        old._link.sync()
        code = (
            "import psycopg, sys\n"
            "with psycopg.connect(sys.argv[1], autocommit=True) as other:\n"
            "    other.execute('SET lock_timeout = 300')\n"
            "    try: other.execute('UPDATE boot SET number = number + 1')\n"
            "    except psycopg.errors.LockNotAvailable: print('waited')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, address.url], capture_output=True, text=True, check=True
        )
        assert done.stdout == "waited\n"
        old.commit()
    assert stored(address) == [1]


def test_a_lost_connection_is_recovered_under_a_new_number(address: Address) -> None:
    with started(address, "one") as database, database.reader() as reader:
        write(database, 1)
        before = database.one("SELECT number FROM boot")
        run_sql(
            address,
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'tallystick writer%'"
            " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
            f" OR pid = {reader._link.pid}",
        )
        with pytest.raises(Unavailable):
            write(database, 2)
        assert database.lost
        with pytest.raises(Unavailable):
            write(database, 2)
        database.recover()
        assert not database.lost
        write(database, 2)
        assert reader.rows("SELECT seq FROM line ORDER BY seq") == [(1,), (2,)]
        after = database.one("SELECT number FROM boot")
        assert before is not None
        assert after == (before[0] + 1,)


def test_a_reader_that_was_closed_is_not_missed(address: Address) -> None:
    with started(address, "one") as database:
        with database.reader() as reader:
            assert reader.one("SELECT 1") == (1,)
        reader.close()
        assert not database.lost
        write(database, 1)


def test_a_writer_beats_and_says_that_it_ended(address: Address) -> None:
    with open_reader(address) as reader:
        with started(address, "one") as database:
            assert beat_of(reader) == 0
            beat = database.upkeep()
            beat.run()
            beat.run()
            assert beat_of(reader) == 2
            run_sql(address, "UPDATE boot SET owner = 'two'")
            beat.run()
            assert beat_of(reader) == 2, "an old writer does not look alive"
            run_sql(address, "UPDATE boot SET owner = 'one'")
            beat.close()
        assert beat_of(reader) == 0


@pytest.mark.threat("THR-BE-07")
@pytest.mark.parametrize(
    "text",
    [
        "postgresql://wallet:secret@db/wallet",
        "postgresql://db/wallet?password=secret",
        "postgresql://db/wallet?sslmode=verify-full&PassWord=secret",
        "postgresql://db",
        "mysql://db/wallet",
    ],
)
def test_an_address_with_a_password_or_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)
    assert caught.value.remedy


def test_nobody_at_an_address_is_said_with_what_to_do(tmp_path: Path) -> None:
    nobody = parse_address(f"postgresql://tallystick@/wallet?host={tmp_path}")
    for act in (open_database, open_reader):
        with pytest.raises(Unavailable, match="cannot be reached") as caught:
            act(nobody)
        assert caught.value.remedy
