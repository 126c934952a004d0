"""The schema in numbered steps, forward only, each applied in one commit with its own record.

A step that only adds (tables, their indexes, columns with a default) leaves an older version able
to write: its statements name their columns. So the version before may run on after such a step,
beside a new one that stands by, or in its place if the new one has to be taken back.

Every capability brings its own `Migration`; numbers are unique over all of them.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import re
from collections.abc import Iterable
from typing import LiteralString

from tallystick.infrastructure.store.database import Connection, Database, batch, has_table
from tallystick.infrastructure.store.index import Index
from tallystick.kernel.errors import Broken, Unavailable
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant

_TABLE = re.compile(r"CREATE TABLE (\w+)")
_UNIQUE = re.compile(r"CREATE UNIQUE INDEX \w+ ON (\w+)")
_INSERT = re.compile(r"INSERT INTO (\w+)")
_ADDS = re.compile(r"CREATE INDEX |ALTER TABLE \w+ ADD COLUMN \w+ .*\bDEFAULT\b")


class Migration(Record, frozen=True, kw_only=True):
    """One step of the schema: its number, a name for people, its statements in order.

    `indexes` are of tables that earlier steps made: a server builds them before the step and
    outside of its commit, while others write. So a step has them beside statements only if neither
    needs the other.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    number: int
    name: str
    statements: tuple[LiteralString, ...] = ()
    indexes: tuple[Index, ...] = ()


def migrate(database: Database, migrations: Iterable[Migration], now: Instant) -> tuple[int, ...]:
    """Apply the steps that the file does not have yet, lowest number first; gives their numbers.

    A step that fails leaves nothing of itself. Raises Unavailable if a newer version has changed
    what this one relies on, Broken if two steps share a number or an applied step was changed.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    steps = _in_order(migrations)
    database.execute(
        """CREATE TABLE IF NOT EXISTS schema_version (
            number INTEGER PRIMARY KEY, name TEXT NOT NULL,
            statements TEXT NOT NULL, applied_at INTEGER NOT NULL
        ) STRICT"""
    )
    applied: dict[int, str] = dict(database.rows("SELECT number, statements FROM schema_version"))
    _check_known(applied, steps)
    missing = [step for step in steps.values() if step.number not in applied]
    for step in missing:
        _apply(database, step, now)
    return tuple(step.number for step in missing)


def missing_indexes(reader: Connection, migrations: Iterable[Migration]) -> list[Index]:
    """The indexes of steps that the store lacks, as far as their tables are there already.

    Whoever stands by may build them while another is the writer.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    there = {shape.table for shape in reader.shapes()}
    applied = set(schema_numbers(reader))
    return [
        index
        for step in _in_order(migrations).values()
        if step.number not in applied
        for index in step.indexes
        if index.table in there
    ]


def schema_numbers(database: Connection) -> tuple[int, ...]:
    """The numbers of the steps that the file has, in order; none for a file without a schema.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    if not has_table(database, "schema_version"):
        return ()
    return tuple(
        row[0] for row in database.rows("SELECT number FROM schema_version ORDER BY number")
    )


def only_adds(statements: str) -> bool:
    """Whether a step's `statements` (joined by `;` and a line break) leave older versions working.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    made: set[str] = set()
    for statement in statements.split(";\n"):
        table = _TABLE.match(statement)
        if table is not None:
            made.add(table[1])
            continue
        unique = _UNIQUE.match(statement)
        if unique is not None and unique[1] in made:
            continue
        filled = _INSERT.match(statement)
        if filled is not None and filled[1] in made:
            continue
        if not _ADDS.match(statement):
            return False
    return True


def _in_order(migrations: Iterable[Migration]) -> dict[int, Migration]:
    steps: dict[int, Migration] = {}
    for step in sorted(migrations, key=lambda one: one.number):
        if step.number in steps:
            raise Broken(f"two steps of the schema have number {step.number}")
        steps[step.number] = step
    return steps


def _check_known(applied: dict[int, str], steps: dict[int, Migration]) -> None:
    for number in sorted(applied):
        step = steps.get(number)
        if step is None and only_adds(applied[number]):
            continue
        if step is None:
            raise Unavailable(
                f"the database has step {number} of the schema, which this version does not know",
                remedy="run the version that wrote it, or a newer one",
            )
        if applied[number] != _text(step):
            raise Broken(
                f"step {number} of the schema was changed after it had been applied",
                remedy="leave applied steps as they are and add a new one",
            )


def _text(step: Migration) -> str:
    """The statements without their layout, so that reformatting the source changes nothing."""
    statements = (*step.statements, *(index.plain for index in step.indexes))
    return ";\n".join(" ".join(statement.split()) for statement in statements)


def _apply(database: Database, step: Migration, now: Instant) -> None:
    for index in step.indexes:
        database.build(index)
    with batch(database):
        for statement in step.statements:
            database.execute(statement)
        database.execute(
            "INSERT INTO schema_version (number, name, statements, applied_at) VALUES (?, ?, ?, ?)",
            (step.number, step.name, _text(step), now),
        )
