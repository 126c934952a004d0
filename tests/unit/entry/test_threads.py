"""What a thread uses is not closed under it: cancellation waits for the thread."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.entry.threads import to_its_end


def test_the_result_and_the_error_come_through() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def main() -> None:
        assert await to_its_end(lambda: 7) == 7
        with pytest.raises(ValueError, match="no"):
            await to_its_end(fail)

    asyncio.run(main())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fails", [False, True])
def test_who_is_cancelled_goes_on_only_when_the_thread_has_ended(times: int, fails: bool) -> None:
    told: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        leave.wait()
        told.append("worked")
        if fails:
            raise ValueError("nobody waits for this")

    async def main() -> None:
        async def caller() -> None:
            try:
                await to_its_end(work)
            finally:
                told.append("closed")

        task = asyncio.create_task(caller())
        while not entered.is_set():
            await asyncio.sleep(0.001)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.01)
        assert told == []
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert told == ["worked", "closed"]


def test_a_connection_is_never_closed_while_a_thread_reads_it(tmp_path: Path) -> None:
    """With `asyncio.to_thread` in its place, the process dies of this within a few turns."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t(a BLOB)")

        async def once() -> None:
            link = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            with closing(link):
                await to_its_end(lambda: link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

        async def main() -> None:
            for turn in range(200):
                writer.execute("INSERT INTO t VALUES (randomblob(20000))")
                task = asyncio.create_task(once())
                await asyncio.sleep(0.0005 * (turn % 3))
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(main())
