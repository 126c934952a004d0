"""Where runs of probes are kept, each as it was recorded.

Source: ISO/TS 12812-2:2017, 9.1
"""

from typing import Final

from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.process.conformance.basis import LIMIT, Run
from tallystick.process.conformance.checks import Observation

EVIDENCE_RUN = Table(
    name="evidence_run",
    key="run",
    insert_head="INSERT INTO evidence_run (run, at, event, build, dossier, body) VALUES ",
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail="",
    select_head="SELECT run, at, event, build, dossier, body FROM evidence_run WHERE run IN ",
)

MIGRATION = Migration(
    number=90,
    name="evidence",
    statements=(
        """CREATE TABLE evidence_run (
            run TEXT PRIMARY KEY, at INTEGER NOT NULL, event INTEGER NOT NULL,
            build TEXT NOT NULL, dossier TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)

_bodies: Final = Decoder(tuple[Observation, ...], limit=LIMIT)


def row_of_run(run: Run) -> tuple[str, int, int, str, str, str]:
    """The row that keeps `run`.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    body = encode_canonical(run.observations).decode()
    return (run.id, run.at, run.event, run.build, run.dossier, body)


def is_recorded(reader: Reader, run: str) -> bool:
    """Whether a run of this id is kept.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return reader.one("SELECT run FROM evidence_run WHERE run = ?", (run,)) is not None


def recorded_runs(reader: Connection, since: int) -> tuple[Run, ...]:
    """Every run from `since` (ms) on, oldest first; none in a store from before there were any.

    Raises Malformed for a row that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    if not has_table(reader, EVIDENCE_RUN.name):
        return ()
    rows = reader.rows(
        "SELECT run, at, event, build, dossier, body FROM evidence_run WHERE at >= ?"
        " ORDER BY at, run",
        (since,),
    )
    return tuple(
        Run(
            id=row[0],
            at=row[1],
            event=row[2],
            build=row[3],
            dossier=row[4],
            observations=_bodies.decode(row[5].encode()),
        )
        for row in rows
    )
