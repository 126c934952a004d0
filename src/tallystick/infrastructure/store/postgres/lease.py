"""Who may be the writer: a lock of the connection, a number that beats, and how another takes over.

    lock     pg_try_advisory_lock: gone with the connection, so a killed writer leaves none
    beat     a row that the writer counts up about once a second
    fence    the first statement of every batch, which fails unless the boot number is still ours

A process that is stopped, not killed, keeps its lock. Who waits for it watches the beat with a
clock of its own, so no two clocks are compared; when it stands still for long enough, the old
connection is ended by the server and the boot number goes up. What the old process sends later
fails: its connection is gone, and on any other connection its fence is old.

Source: PostgreSQL 15, 13.3.5; ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from typing import LiteralString

from tallystick.infrastructure.store.database import Reader

# Locks are by database; the schema tells several providers in one database apart.
_LOCK: LiteralString = "hashtextextended('tallystick writer ' || current_schema(), 0)"

TAKE: LiteralString = f"SELECT pg_try_advisory_lock({_LOCK})"
"""True if this connection is the writer from now on."""

HOLDER: LiteralString = f"""SELECT l.pid FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.database =
        (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.objsubid = 1 AND (l.classid::int8 << 32) | l.objid::int8 = {_LOCK}"""
"""The server's process that has the lock."""

END: LiteralString = f"""SELECT pg_terminate_backend(pid, 5000) FROM ({HOLDER}) AS holder"""
"""End the connection that has the lock, waiting at most 5 s for it to be gone."""

END_OWN: LiteralString = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid = ? AND backend_start::text = ?"""
"""End one connection, known by process and start, waiting at most 5 s for it to be gone."""

SELF: LiteralString = """SELECT pid::int8, backend_start::text FROM pg_stat_activity
    WHERE pid = pg_backend_pid()"""
"""This connection, as `END_OWN` names it."""

FENCE = b"SELECT 1 / count(*) FROM (SELECT 1 FROM boot WHERE id = 1 AND number = $1 FOR SHARE) AS m"
"""Fails unless the boot number is $1; whoever raises it waits for this batch to end."""

NEXT: LiteralString = """UPDATE boot SET number = number + 1
    WHERE id = 1 AND owner = ? RETURNING number"""
"""A new number for the same owner after a lost connection; done twice in doubt does no harm."""

BEAT: LiteralString = """INSERT INTO writer_beat (id, number)
    SELECT 1, 1 FROM boot WHERE boot.id = 1 AND boot.owner = ?
    ON CONFLICT (id) DO UPDATE SET number = writer_beat.number + 1"""
"""The owner is alive."""

RESIGN: LiteralString = "UPDATE writer_beat SET number = 0 WHERE id = 1"
"""The writer has ended in good order."""


def is_held(reader: Reader) -> bool:
    """Whether some connection is the writer.

    Source: PostgreSQL 15, 13.3.5
    """
    return reader.one(HOLDER) is not None


def beat_of(reader: Reader) -> int:
    """How often the writer has beaten; 0 before the first time and after the last.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    row = reader.one("SELECT number FROM writer_beat WHERE id = 1")
    return 0 if row is None else int(row[0])
