"""What was stored and signed before there were caps is read as it was."""

import json

from tallystick.application.policing.store import MEASURE_MIGRATION, MIGRATION
from tallystick.application.tightenings.store import MIGRATION as CAPS
from tallystick.application.tightenings.store import every_proposal
from tallystick.entry.inforce import kept_measures, kept_proposals, waiting_proposals
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.codec import encode_canonical
from tallystick.protocol.measures import MeasureStatement, measure_statements

SIGNED_BEFORE = {
    "entry": "record-in-doubt", "evidence": "seen", "keep_until": 2,
    "measure": "tgt_" + "0" * 26, "policy": "A" * 43, "provider": "p", "since": 1, "v": 1,
    "version": 1,
}  # fmt: skip


def test_a_measure_from_before_caps_is_read_before_and_after_the_step(place: Place) -> None:
    database = open_database(place)
    try:
        migrate(database, (MIGRATION, MEASURE_MIGRATION), 1)
        with batch(database):
            database.execute(
                "INSERT INTO policy_measure (id, version, entry, since, until, ended,"
                " blocked_until, evidence, file, event, end_event) VALUES"
                " ('tgt_1', 1, 'unwitnessed', 5, 0, '', 0, 'seen', 'f', 3, -1)"
            )
        with database.reader() as reader:
            (before,) = kept_measures(reader)
            assert kept_proposals(reader) == waiting_proposals(reader, 1) == ()
        migrate(database, (MIGRATION, MEASURE_MIGRATION, CAPS), 1)
        with database.reader() as reader:
            assert kept_measures(reader) == (before,)
            assert every_proposal(reader) == ()
        assert (before.step, before.cohort, before.touched, before.approval) == (
            "unwitnessed", "", "", "",
        )  # fmt: skip
    finally:
        database.close()


def test_a_statement_that_says_nothing_new_is_signed_in_the_same_octets() -> None:
    octets = json.dumps(SIGNED_BEFORE, separators=(",", ":"), sort_keys=True).encode()
    read = measure_statements.decode_canonical(octets)
    assert isinstance(read, MeasureStatement)
    assert encode_canonical(read) == octets
