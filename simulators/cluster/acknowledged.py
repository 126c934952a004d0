"""Writers that note what the database acknowledged, to be compared with what it has afterwards.

Runs by itself in an environment that has psycopg:
`acknowledged.py prepare URL`, `acknowledged.py write URL LOG PAUSE [INSIST-URL]` until its input
is closed, `acknowledged.py compare URL LOG`. A line of LOG is one attempt; PAUSE is in seconds.

Source: PostgreSQL 15, 34; ISO/TS 12812-2:2017, 7.3.3
"""

import itertools
import json
import re
import select
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import psycopg
from psycopg import pq

WRITERS = 4
INSISTING = 9
SPAN = 10_000_000
DEADLINE_S = 4.0

TABLES = (
    "DROP TABLE IF EXISTS drill_row, drill_question",
    "CREATE TABLE drill_row (id bigint PRIMARY KEY, server inet NOT NULL)",
    "CREATE TABLE drill_question (number bigserial PRIMARY KEY, about bigint NOT NULL)",
)
INSERT = b"INSERT INTO drill_row VALUES ($1, inet_server_addr()) RETURNING host(server)"
# A question that writes: its own commit waits for a standby, and with it all that it has seen. A
# read alone may be shown a row that only a lost primary had.
QUESTION = (
    b"WITH asked AS (INSERT INTO drill_question (about) VALUES ($1) RETURNING about) "
    b"SELECT host(server) FROM drill_row JOIN asked ON id = about"
)


class InDoubt(Exception):
    """No answer, a broken connection, or an answer with a warning: it may have happened or not.

    Source: PostgreSQL 15, 27.2.8
    """


class Link:
    """One connection whose statements have a deadline; when it is over, the socket is closed.

    Nothing is cancelled: a cancelled wait for a standby leaves a commit that no standby has.
    Source: PostgreSQL 15, 27.2.8; 34.4
    """

    def __init__(self, url: str) -> None:
        """Connect, one host after the other. Raises InDoubt.

        Source: PostgreSQL 15, 34.1.1.3
        """
        try:
            self._connection = psycopg.connect(url, autocommit=True)
        except psycopg.Error as error:
            raise InDoubt(str(error)) from error
        self._warned = False
        self._pgconn = self._connection.pgconn
        self._pgconn.notice_handler = self._warn

    def ask(self, statement: bytes, number: int, deadline_s: float | None) -> list[str]:
        """The first column of the statement's rows, committed. Raises InDoubt.

        Source: PostgreSQL 15, 34.4
        """
        until = None if deadline_s is None else time.monotonic() + deadline_s
        try:
            self._pgconn.send_query_params(statement, [str(number).encode()])
            while self._pgconn.flush():
                select.select([], [self._pgconn.socket], [], 0.05)
            return list(self._rows(until))
        except psycopg.Error as error:
            raise InDoubt(str(error)) from error

    def close(self) -> None:
        """Close the socket.

        Source: PostgreSQL 15, 34.1
        """
        self._pgconn.finish()

    def _rows(self, until: float | None) -> Iterator[str]:
        while True:
            while self._pgconn.is_busy():
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise InDoubt("no answer in time")
                select.select([self._pgconn.socket], [], [], left)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                if self._warned:
                    raise InDoubt("answered with a warning")
                return
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise InDoubt(result.error_message.decode(errors="replace"))
            for row in range(result.ntuples):
                yield (result.get_value(row, 0) or b"").decode()

    def _warn(self, notice: Any) -> None:
        self._warned = True


class Journal:
    """What was attempted: who, which id, begun and done (monotonic ns), by which server, the end.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, file: TextIO) -> None:
        """Write to `file`, a line at once.

        Source: RFC 8259
        """
        self._file = file
        self._lock = threading.Lock()

    def note(self, writer: int, number: int, began: int, end: str, server: str = "") -> None:
        """Add a line; `end` is acknowledged, applied, absent or refused.

        Source: RFC 8259
        """
        line = {
            "writer": writer, "id": number, "began": began, "done": time.monotonic_ns(),
            "end": end, "server": server,
        }  # fmt: skip
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def write(url: str, writer: int, journal: Journal, stop: threading.Event, pause_s: float) -> None:
    """Insert rows of growing id; on doubt ask by id on a fresh connection before going on.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    link: Link | None = None
    number, doubtful = writer * SPAN, False
    addresses = itertools.cycle(orders(url))
    address = next(addresses)
    while not stop.is_set():
        began = time.monotonic_ns()
        try:
            if link is None:
                link = Link(address)
            if doubtful:
                found = link.ask(QUESTION, number, DEADLINE_S)
                journal.note(writer, number, began, "applied" if found else "absent", *found)
            else:
                number += 1
                doubtful = True
                (server,) = link.ask(INSERT, number, DEADLINE_S)
                journal.note(writer, number, began, "acknowledged", server)
            doubtful = False
        except InDoubt:
            if link is not None:
                link.close()
                link = None
                address = next(addresses)
        time.sleep(pause_s)


def orders(url: str) -> list[str]:
    """The address with its hosts in each rotation.

    After a doubt the next one is tried, so that the host that did not answer is asked last: an old
    primary whose Patroni is dead still says that it takes writes, and then no standby confirms.
    Source: PostgreSQL 15, 34.1.1.3
    """
    scheme, middle, rest = re.split(r"(?<=@)|(?=:\d+/)", url, maxsplit=2)
    hosts = middle.split(",")
    return [scheme + ",".join(hosts[turn:] + hosts[:turn]) + rest for turn in range(len(hosts))]


def insist(url: str, journal: Journal, stop: threading.Event, pause_s: float) -> None:
    """Insert on one server only, whatever it is, and wait for each answer as long as it takes.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    link: Link | None = None
    number = INSISTING * SPAN
    while not stop.is_set():
        number += 1
        began = time.monotonic_ns()
        try:
            link = link or Link(url)
            (server,) = link.ask(INSERT, number, None)
            journal.note(INSISTING, number, began, "acknowledged", server)
        except InDoubt:
            journal.note(INSISTING, number, began, "refused")
            if link is not None:
                link.close()
                link = None
            time.sleep(0.05)
        time.sleep(pause_s)


def prepare(url: str) -> None:
    """Make the two tables anew.

    Source: PostgreSQL 15, CREATE TABLE
    """
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in TABLES:
            connection.execute(statement)


def compare(url: str, log: Path) -> dict[str, int]:
    """How many were acknowledged (or found when asked), and how many of those the database lacks.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    with psycopg.connect(url, autocommit=True) as connection:
        present = {number for (number,) in connection.execute("SELECT id FROM drill_row")}
    ends = {end: {one["id"] for one in lines if one["end"] == end} for end in
            ("acknowledged", "applied", "absent")}  # fmt: skip
    promised = ends["acknowledged"] | ends["applied"]
    return {
        "acknowledged": len(promised),
        "lost": len(promised - present),
        "in_doubt": len(ends["applied"]) + len(ends["absent"]),
        "in_doubt_applied": len(ends["applied"]),
        "absent_but_there": len(ends["absent"] & present),
    }


def run_writers(url: str, log: Path, pause_s: float, stubborn_url: str | None) -> None:
    """Write until the standard input is closed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    stop = threading.Event()
    with log.open("w", encoding="utf-8") as file:
        journal = Journal(file)
        threads = [
            threading.Thread(target=write, args=(url, writer, journal, stop, pause_s))
            for writer in range(WRITERS)
        ]
        if stubborn_url is not None:
            threads.append(
                threading.Thread(
                    target=insist, args=(stubborn_url, journal, stop, pause_s), daemon=True
                )
            )
        for thread in threads:
            thread.start()
        sys.stdin.read()
        stop.set()
        for thread in threads:
            thread.join(timeout=15)


def main() -> None:
    """Do what the command line says.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    command, url, *rest = sys.argv[1:]
    if command == "prepare":
        prepare(url)
    elif command == "write":
        log, pause, *stubborn = rest
        run_writers(url, Path(log), float(pause), stubborn[0] if stubborn else None)
    elif command == "compare":
        print(json.dumps(compare(url, Path(rest[0]))))
    else:
        sys.exit(f"unknown command: {command}")


if __name__ == "__main__":
    main()
