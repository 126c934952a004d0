"""The database file: who may write it, who may read it, and what failures are called."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.opening import open_database, open_reader
from tallystick.infrastructure.store.sqlite.faults import fault_of
from tallystick.kernel.errors import Broken, Unavailable


@pytest.fixture
def database(tmp_path: Path):
    with open_database(tmp_path / "own" / "book.db") as opened:
        opened.execute("CREATE TABLE pair (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT")
        yield opened


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_open_the_folder_and_the_files(database: Database) -> None:
    database.execute("INSERT INTO pair VALUES ('a', 1)")
    folder = database.path.parent
    assert mode(folder) == 0o700
    assert {mode(file) for file in folder.iterdir()} == {0o600}
    assert {file.name for file in folder.iterdir()} >= {"book.db", "book.db-wal", "book.db.lock"}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "book.db").touch(mode=0o644)
    (tmp_path / "book.db").chmod(0o644)
    with open_database(tmp_path / "book.db"):
        assert mode(tmp_path / "book.db") == 0o600


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Unavailable, match="others may write"):
        open_database(tmp_path / "book.db")
    assert not list(tmp_path.iterdir())


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_database(tmp_path / "book.db")
    assert not (tmp_path / "elsewhere.db").exists()


def test_every_commit_waits_for_the_disk(database: Database) -> None:
    assert database.one("PRAGMA journal_mode") == ("wal",)
    assert database.one("PRAGMA synchronous") == (2,)
    assert database.one("PRAGMA wal_autocheckpoint") == (0,)
    assert database.one("PRAGMA foreign_keys") == (1,)
    assert database.one("PRAGMA secure_delete") == (1,)
    assert database.one("PRAGMA page_size") == (4096,)


def test_a_second_writer_is_refused_in_the_same_and_in_another_process(database: Database) -> None:
    with pytest.raises(Unavailable, match="another process is the writer"):
        open_database(database.path)
    script = (
        "import sys; from tallystick.infrastructure.store.opening import open_database\n"
        "from tallystick.kernel.errors import Unavailable\n"
        "try: open_database(sys.argv[1])\n"
        "except Unavailable as error: print(error.detail)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, database.path],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert done.stdout == "another process is the writer of this database\n"
    database.close()
    open_database(database.path).close()


def test_a_reader_sees_what_is_committed_and_writes_nothing(database: Database) -> None:
    with database.reader() as reader:
        database.begin()
        database.execute("INSERT INTO pair VALUES ('a', 1)")
        assert reader.one("SELECT number FROM pair") is None
        database.commit()
        assert reader.one("SELECT number FROM pair") == (1,)
        assert reader.rows("SELECT * FROM pair") == [("a", 1)]
        assert list(reader.stream("SELECT * FROM pair WHERE id = ?", ("a",))) == [("a", 1)]
        with pytest.raises(Unavailable, match="cannot be written"):
            reader.rows("INSERT INTO pair VALUES ('b', 2)")


def test_a_reader_of_nothing_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_reader(tmp_path / "absent.db")
    assert not list(tmp_path.iterdir())


def test_a_batch_is_undone_as_a_whole(database: Database) -> None:
    database.begin()
    database.execute("INSERT INTO pair VALUES ('a', 1)")
    database.rollback()
    database.rollback()
    assert database.rows("SELECT * FROM pair") == []


@pytest.mark.parametrize(
    ("sql", "parameters", "error"),
    [
        ("INSERT INTO pair VALUES ('a', NULL)", (), Broken),
        ("INSERT INTO pair VALUES ('a', 'text')", (), Broken),
        ("INSERT INTO pair VALUES ('a', ?)", (2**63,), Broken),
        ("INSERT INTO absent VALUES (1)", (), Broken),
        ("INSERT INTO pair VALUES (?, ?)", ("a",), Broken),
    ],
)
def test_what_the_database_refuses_is_an_error_of_ours(database, sql, parameters, error) -> None:
    with pytest.raises(error) as caught:
        database.execute(sql, parameters)
    assert caught.value.__cause__ is not None
    for act in (database.rows, database.one, lambda *a: list(database.stream(*a))):
        with pytest.raises(error):
            act(sql, parameters)
    assert database.rows("SELECT * FROM pair") == []


def test_a_constraint_says_nothing_of_the_values(database: Database) -> None:
    database.execute("INSERT INTO pair VALUES ('+254700000001', 1)")
    with pytest.raises(Broken) as caught:
        database.execute("INSERT INTO pair VALUES ('+254700000001', 1)")
    assert "254" not in str(caught.value)


def test_a_damaged_file_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    path.write_bytes(b"this is not a database" * 400)
    with pytest.raises(Broken, match="damaged"):
        open_database(path)
    path.write_bytes(b"")
    open_database(path).close()  # the lock was let go of


def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with open_database(path) as database:
        database.execute("CREATE TABLE pair (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT")
        database.check_integrity()
        for number in range(500):
            database.execute("INSERT INTO pair VALUES (?, ?)", (f"{number:060d}", number))
    octets = bytearray(path.read_bytes())
    octets[4096 * 3 : 4096 * 3 + 512] = bytes(512)
    path.write_bytes(octets)
    with open_database(path) as database, pytest.raises(Broken, match="damaged"):
        database.check_integrity()


def test_a_reference_to_nothing_is_found(database: Database) -> None:
    database.execute("CREATE TABLE child (pair TEXT REFERENCES pair (id)) STRICT")
    with pytest.raises(Broken):
        database.execute("INSERT INTO child VALUES ('absent')")
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("INSERT INTO child VALUES ('absent')")
    with pytest.raises(Broken, match="damaged"):
        database.check_integrity()


def test_the_log_is_emptied_by_the_helper_and_starts_over(database: Database) -> None:
    wal = database.path.with_name("book.db-wal")
    with database.upkeep() as checkpointer:
        for number in range(50):
            database.execute("INSERT INTO pair VALUES (?, 1)", (f"{number}",))
        size = wal.stat().st_size
        moved = checkpointer.passive()
        assert moved.complete
        assert moved.log_pages == moved.moved_pages > 0
        for number in range(50):
            database.execute("INSERT INTO pair VALUES (?, 1)", (f"more{number}",))
            assert database.checkpoint().complete
        assert wal.stat().st_size == size


def test_a_reader_in_the_middle_keeps_the_log(database: Database) -> None:
    database.execute("INSERT INTO pair VALUES ('a', 1), ('b', 2)")
    with database.reader() as reader:
        rows = reader.stream("SELECT id FROM pair ORDER BY id")
        assert next(rows) == ("a",)
        database.execute("INSERT INTO pair VALUES ('c', 3)")
        assert not database.checkpoint().complete
        assert [*rows] == [("b",)]
        assert database.checkpoint().complete


def test_erased_values_leave_the_file(database: Database) -> None:
    secret = b"wrapped subject key " * 4
    database.execute("CREATE TABLE subject (id INTEGER PRIMARY KEY, wrapped BLOB) STRICT")
    database.execute("INSERT INTO subject VALUES (1, ?)", (secret,))
    assert database.checkpoint().complete
    assert secret in database.path.read_bytes()
    database.execute("DELETE FROM subject")
    assert database.checkpoint().complete
    assert secret not in database.path.read_bytes()


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Unavailable, "locked"),
        (sqlite3.SQLITE_FULL, Unavailable, "full"),
        (sqlite3.SQLITE_IOERR_FSYNC, Unavailable, "disk"),
        (sqlite3.SQLITE_NOMEM, Unavailable, "memory"),
        (sqlite3.SQLITE_CORRUPT_INDEX, Broken, "damaged"),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Broken, "rule"),
        (sqlite3.SQLITE_MISUSE, Broken, "refused"),
    ],
)
def test_extended_codes_are_understood(code: int, error: type, words: str) -> None:
    raised = sqlite3.OperationalError("+254700000001")
    raised.sqlite_errorcode = code
    found = fault_of(raised)
    assert type(found) is error
    assert words in found.detail
    assert "254" not in str(found)


def test_a_closed_database_is_broken_and_closes_once(tmp_path: Path) -> None:
    database = open_database(tmp_path / "book.db")
    database.close()
    database.close()
    with pytest.raises(Broken):
        database.execute("SELECT 1")
