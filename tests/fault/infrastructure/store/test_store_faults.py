"""The store when things fail: disk full, lock held, process killed, log torn."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.opening import open_database
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.errors import Broken, Unavailable

LINE = Table(
    name="line",
    key="seq",
    insert_head="INSERT INTO line (seq, text) VALUES ",
    slots="(?, ?)",
    insert_tail="",
    select_head="SELECT seq, text FROM line WHERE seq IN ",
)
SCHEMA = "CREATE TABLE IF NOT EXISTS line (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"


def rows(*numbers: int, width: int = 10) -> ChangeSet:
    changes = ChangeSet()
    changes.insert_all(LINE, [(number, "x" * width) for number in numbers])
    return changes


def stored(database: Database) -> list[int]:
    return [row[0] for row in database.rows("SELECT seq FROM line ORDER BY seq")]


@pytest.fixture
def database(tmp_path: Path):
    with open_database(tmp_path / "book.db") as opened:
        opened.execute(SCHEMA)
        yield opened


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_full_disk_undoes_the_batch_and_the_store_goes_on_when_there_is_room(database) -> None:
    store = GroupCommit(database)
    store.run(rows(1))
    database.execute("PRAGMA max_page_count = 10")
    with pytest.raises(Unavailable, match="full") as caught:
        store.run(rows(2, 3, width=100_000))
    assert "free space" in caught.value.remedy
    assert caught.value.retryable
    assert stored(database) == [1]
    database.execute("PRAGMA max_page_count = 1000000")
    store.run(rows(2, 3, width=100_000))
    assert stored(database) == [1, 2, 3]


CAPPED = """
import pathlib, resource, signal, sys
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.errors import Unavailable
sys.path.insert(0, sys.argv[2])
from test_store_faults import SCHEMA, rows, stored

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_database(pathlib.Path(sys.argv[1])) as database:
    database.execute(SCHEMA)
    store = GroupCommit(database)
    store.run(rows(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    store.begin()
    store.write(rows(2, width=300_000))
    try:
        store.commit()
    except Unavailable as error:
        print(error.detail)
    print(stored(database))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    store.run(rows(3))
    print(stored(database))
"""


def run_script(script: str, *arguments: str | Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": "src"},
    ).stdout


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_disk_that_refuses_the_very_commit_leaves_nothing_of_it(tmp_path: Path) -> None:
    told = run_script(CAPPED, tmp_path / "book.db", Path(__file__).parent).splitlines()
    assert told[0] in {"the disk of the database is full", "the disk of the database fails"}
    assert told[1:] == ["[1]", "[1, 3]"]
    with open_database(tmp_path / "book.db") as database:
        assert stored(database) == [1, 3]
        database.check_integrity()


def test_a_lock_held_by_somebody_else_is_told_and_passes(database: Database) -> None:
    store = GroupCommit(database)
    other = sqlite3.connect(database.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked") as caught:
            store.begin()
        assert caught.value.retry_after_s == 1
        with pytest.raises(Broken):
            store.write(rows(1))
        other.execute("ROLLBACK")
    finally:
        other.close()
    store.run(rows(1))
    assert stored(database) == [1]


WRITER = """
import pathlib, sys
from tallystick.infrastructure.store.commit import CommitThread, GroupCommit
from tallystick.infrastructure.store.opening import open_database
sys.path.insert(0, sys.argv[2])
from test_store_faults import SCHEMA, rows

database = open_database(pathlib.Path(sys.argv[1]))
database.execute(SCHEMA)
last = database.one("SELECT coalesce(max(seq), 0) FROM line")[0]
store, thread = GroupCommit(database), CommitThread()
while True:
    batch = range(last + 1, last + 8)
    store.begin()
    store.write(rows(*batch))
    thread.submit(store.commit).result()
    last = batch[-1]
    if last % 3 == 0:
        database.checkpoint()
    print(last, flush=True)
"""


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("answers", [1, 7, 40])
def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path, answers: int) -> None:
    path, acknowledged = tmp_path / "book.db", 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, Path(__file__).parent],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        try:
            assert process.stdout is not None
            for _ in range(answers):
                acknowledged = int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGKILL)
            rest, _ = process.communicate(timeout=30)
        acknowledged = max([acknowledged, *map(int, rest.split())])
        with open_database(path) as database:
            found = stored(database)
            database.check_integrity()
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged
        assert len(found) % 7 == 0, "a batch is there as a whole or not at all"


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("damage", ["cut", "flipped", "zeroed"])
def test_a_torn_end_of_the_log_costs_the_last_batch_and_no_other(tmp_path, damage: str) -> None:
    live, torn = tmp_path / "live.db", tmp_path / "torn.db"
    with open_database(live) as database:
        database.execute(SCHEMA)
        store = GroupCommit(database)
        for number in range(1, 6):
            store.run(rows(number, number + 10))
        torn.write_bytes(live.read_bytes())
        log = bytearray(live.with_name("live.db-wal").read_bytes())
    if damage == "cut":
        del log[-1000:]
    elif damage == "flipped":
        log[-1000] ^= 0x40
    else:
        log[-2000:] = bytes(2000)
    torn.with_name("torn.db-wal").write_bytes(log)
    torn.chmod(0o600)
    with open_database(torn) as database:
        assert stored(database) == [1, 2, 3, 4, 11, 12, 13, 14]
        database.check_integrity()
        GroupCommit(database).run(rows(5, 15))
        assert stored(database) == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]


def test_a_commit_that_breaks_a_rule_is_undone_and_the_next_batch_works(database) -> None:
    database.execute(
        "CREATE TABLE child (line INTEGER REFERENCES line (seq) DEFERRABLE INITIALLY DEFERRED)"
    )
    store = GroupCommit(database)
    store.begin()
    store.write(rows(1))
    database.execute("INSERT INTO child VALUES (99)")
    with pytest.raises(Broken, match="rule"):
        store.commit()
    assert stored(database) == []
    store.run(rows(2))
    assert stored(database) == [2]
    assert store.batches == 1


def test_a_page_damaged_under_a_stream_ends_it_with_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with open_database(path) as database:
        database.execute(SCHEMA)
        GroupCommit(database).run(rows(*range(200), width=1_000))
    octets = bytearray(path.read_bytes())
    octets[-4096 * 3 :] = b"\xff" * 4096 * 3
    path.write_bytes(octets)
    with open_database(path) as database:
        stream, found = database.stream("SELECT seq, text FROM line ORDER BY seq"), []
        with pytest.raises(Broken, match="damaged"):
            found.extend(stream)
    assert 0 < len(found) < 200


def test_a_batch_that_stops_half_way_is_undone(database: Database) -> None:
    store = GroupCommit(database)
    store.begin()
    store.write(rows(1))
    wrong = ChangeSet()
    wrong.insert(LINE, (2, None))
    with pytest.raises(Broken):
        store.write(wrong)
    assert stored(database) == []
    store.run(rows(1))
    assert stored(database) == [1]
