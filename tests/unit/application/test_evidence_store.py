"""Runs of probes are kept as they were recorded, on both engines."""

from tests.unit.process.conformance.pictures import PROBES, saw

from tallystick.application.proving.store import (
    EVIDENCE_RUN,
    MIGRATION,
    is_recorded,
    recorded_runs,
    row_of_run,
)
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.process.conformance.basis import Run


def test_runs_come_back_as_they_were_kept_oldest_first(place: Place) -> None:
    seen = tuple(saw(one) for one in PROBES)
    runs = [
        Run(id=f"run-{at}", at=at, event=at, build="b", dossier="", observations=seen)
        for at in (30, 10, 20)
    ]
    database = open_database(place)
    try:
        with database.reader() as reader:
            assert recorded_runs(reader, 0) == ()
            migrate(database, (MIGRATION,), 1)
            changes = ChangeSet()
            for run in runs:
                changes.insert(EVIDENCE_RUN, row_of_run(run))
            with batch(database):
                changes.flush(database)
        with database.reader() as reader:
            assert recorded_runs(reader, 0) == tuple(sorted(runs, key=lambda one: one.at))
            assert [one.at for one in recorded_runs(reader, 20)] == [20, 30]
            assert [one.digest() for one in recorded_runs(reader, 30)] == [runs[0].digest()]
            assert is_recorded(reader, "run-10")
            assert not is_recorded(reader, "run-11")
    finally:
        database.close()
