"""Batches: one after the other, as a whole, and on one thread at a time."""

import threading

import pytest

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import CommitThread, GroupCommit
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.errors import Broken

LINE = Table(
    name="line",
    key="seq",
    insert_head="INSERT INTO line (seq) VALUES ",
    slots="(?)",
    insert_tail="",
    select_head="SELECT seq FROM line WHERE seq IN ",
)


@pytest.fixture
def database(place: Place):
    with open_database(place) as opened:
        opened.execute("CREATE TABLE line (seq INTEGER PRIMARY KEY) STRICT")
        yield opened


def rows(*numbers: int) -> ChangeSet:
    changes = ChangeSet()
    changes.insert_all(LINE, [(number,) for number in numbers])
    return changes


def stored(database: Database) -> list[int]:
    with database.reader() as reader:
        return [row[0] for row in reader.rows("SELECT seq FROM line ORDER BY seq")]


def test_nothing_is_there_before_the_commit_and_all_of_it_after(database: Database) -> None:
    store = GroupCommit(database)
    store.begin()
    store.write(rows(1, 2))
    store.write(rows(3))
    assert stored(database) == []
    store.commit()
    assert stored(database) == [1, 2, 3]
    assert store.batches == 1


def test_a_batch_that_breaks_a_rule_leaves_nothing_and_the_next_one_works(database) -> None:
    store = GroupCommit(database)
    store.run(rows(1))
    with pytest.raises(Broken):
        store.run(rows(2, 1))
    assert stored(database) == [1]
    store.rollback()
    store.run(rows(2))
    assert stored(database) == [1, 2]
    assert store.batches == 2


def test_a_batch_can_be_given_up(database: Database) -> None:
    store = GroupCommit(database)
    store.begin()
    store.write(rows(1))
    store.rollback()
    assert stored(database) == []


def test_the_steps_have_an_order(database: Database) -> None:
    store = GroupCommit(database)
    for act in (store.commit, lambda: store.write(rows(1))):
        with pytest.raises(Broken, match="one batch at a time"):
            act()
    store.begin()
    with pytest.raises(Broken, match="one batch at a time"):
        store.begin()
    store.rollback()


def test_the_commit_waits_on_the_helper_thread_and_nothing_else_may_be_asked(database) -> None:
    store, thread = GroupCommit(database), CommitThread()
    entered, go_on = threading.Event(), threading.Event()
    names: list[str] = []
    own = database.commit

    def slow() -> None:
        names.append(threading.current_thread().name)
        entered.set()
        go_on.wait(10)
        own()

    database.commit = slow
    store.begin()
    store.write(rows(1))
    done = thread.submit(store.commit)
    assert entered.wait(10)
    for act in (store.begin, store.rollback, lambda: store.write(rows(2))):
        with pytest.raises(Broken):
            act()
    assert not done.done()
    go_on.set()
    assert done.result(10) is None
    thread.close()
    assert names[0].startswith("commit")
    assert stored(database) == [1]


def test_what_was_submitted_runs_in_order_and_failures_come_back() -> None:
    thread, seen = CommitThread(), []
    first = [thread.submit(lambda number=number: seen.append(number)) for number in range(20)]

    def fail() -> None:
        raise Broken("no")

    failed = thread.submit(fail)
    thread.close()
    assert seen == list(range(20))
    assert all(one.done() for one in first)
    with pytest.raises(Broken):
        failed.result()
