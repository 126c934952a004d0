"""The log on disk as the writer goes on from it: it starts only from what fits together."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests.unit.infrastructure.tally.tally_fixture import ORIGIN, event_id, payment_leaf

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.store import MIGRATION
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.time import Instant

KEY = Ed25519SigningKey.generate()
SIGNER = NoteSigner.of(ORIGIN, KEY)


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    with open_database(place) as one:
        migrate(one, (MIGRATION,), Instant(0))
        yield one


def opened(database: Database) -> Archive:
    return Archive(database, SIGNER, ORIGIN)


def append(database: Database, archive: Archive, first: int, count: int) -> None:
    changes = ChangeSet()
    numbers = range(first, first + count)
    leaves = [payment_leaf(number)[0] for number in numbers]
    appended = archive.append(changes, leaves, [event_id(number) for number in numbers])
    GroupCommit(database).run(changes)
    archive.sign(appended)


@pytest.fixture
def filled(database: Database) -> Database:
    archive = opened(database)
    for first in range(0, 300, 100):
        append(database, archive, first, 100)
    return database


def test_an_archive_goes_on_where_it_was_and_signs_what_was_left(filled: Database) -> None:
    again = opened(filled)
    assert again.size == again.durable_size == 300
    append(filled, again, 300, 5)
    for index in (0, 99, 299, 304):
        receipt = again.receipt(index, ())
        assert verify_receipt(receipt, KEY.public(), origin=ORIGIN).index == index


def test_an_event_that_there_is_not_is_not_found(filled: Database) -> None:
    with pytest.raises(NotFound, match="no such event"):
        opened(filled).receipt(300, ())


@pytest.mark.requirement("MFS-7.3.3-07")
@pytest.mark.parametrize(
    "change",
    [
        ("DELETE FROM event WHERE idx = 299",),
        ("UPDATE tally_state SET frontier = ?", bytes(4 * 32)),
        ("UPDATE event SET leaf_hash = ? WHERE idx = 299", bytes(32)),
    ],
)
def test_a_log_that_does_not_fit_together_is_never_gone_on_from(
    filled: Database, change: tuple
) -> None:
    filled.execute(change[0], change[1:])
    with pytest.raises(Broken, match=r"differ|shorter"):
        opened(filled)


def statements_of(database: Database, ask: Callable[[], object]) -> int:
    """How many statements the store is asked, each a way there and back."""
    seen: list[str] = []
    database.trace(seen.append)
    ask()
    database.trace(None)
    return len([one for one in seen if one.startswith("SELECT")])


def test_a_proof_asks_the_store_for_groups_and_only_once(filled: Database) -> None:
    again = opened(filled)
    assert statements_of(filled, lambda: again.receipt(0, ())) <= 5
    assert statements_of(filled, lambda: again.receipt(7, ())) == 2, "the leaf and its note"
    assert statements_of(filled, lambda: again.consistency(9, 300)) == 0


def test_what_was_just_written_is_not_asked_for(filled: Database) -> None:
    again = opened(filled)
    for first in range(300, 900, 50):
        append(filled, again, first, 50)
        proved = partial(again.consistency, first, first + 50)
        assert statements_of(filled, proved) == 0
    for index in (0, 255, 256, 511, 512, 899):
        receipt = again.receipt(index, ())
        assert verify_receipt(receipt, KEY.public(), origin=ORIGIN).index == index


def test_it_reads_again_after_a_batch_that_nobody_knows_to_be_durable(filled: Database) -> None:
    archive = opened(filled)
    before = archive.consistency(100, 300)
    filled.execute("UPDATE event SET leaf_hash = ? WHERE idx = 200", (bytes(32),))
    assert archive.consistency(100, 300) == before, "no hash changes in a store that is whole"
    archive.reread()
    assert archive.consistency(100, 300) != before
