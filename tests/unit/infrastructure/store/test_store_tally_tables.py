"""The tally on disk: leaves, tiles, checkpoints and the frontier, through the batch and back."""

import pytest

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.infrastructure.tally.merkle import Frontier, leaf_hash, verify_inclusion
from tallystick.infrastructure.tally.store import (
    MIGRATION,
    TallyStore,
    save_checkpoint,
    save_frontier,
    save_leaves,
    save_tiles,
)
from tallystick.infrastructure.tally.tiles import frontier_at, inclusion_proof
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import Instant

ORIGIN = "tally.example/1"


@pytest.fixture
def database(place: Place):
    with open_database(place) as opened:
        migrate(opened, [MIGRATION], Instant(0))
        yield opened


def leaf(index: int) -> bytes:
    return b'{"n":%d}' % index


def fill(database: Database, size: int) -> Frontier:
    changes, frontier = ChangeSet(), Frontier()
    rows = [(index, f"evt{index}", leaf(index), leaf_hash(leaf(index))) for index in range(size)]
    for row in rows:
        frontier = frontier.append(row[3])
    save_leaves(changes, rows)
    save_frontier(changes, ORIGIN, frontier)
    changes.flush(database)
    return frontier


def test_an_empty_tally_has_nothing(database: Database) -> None:
    store = TallyStore(database)
    assert store.load_frontier(ORIGIN) is None
    assert store.latest_checkpoint() is None
    assert store.checkpoint_covering(0) is None
    assert store.leaf(0) is None
    assert store.tile_hash(1, 0) is None
    assert store.size() == 0
    assert store.leaf_hashes(0, 0) == []
    assert store.origins() == ()


def test_leaves_and_the_frontier_come_back_and_prove_themselves(database: Database) -> None:
    frontier = fill(database, 21)
    store = TallyStore(database)
    assert store.load_frontier(ORIGIN) == frontier
    assert frontier_at(store, 21) == frontier
    assert store.origins() == (ORIGIN,)
    assert store.size() == 21
    for index in (0, 15, 20):
        proof = inclusion_proof(store, index, 21)
        hash_ = leaf_hash(store.leaf(index) or b"")
        verify_inclusion(index=index, size=21, leaf=hash_, proof=proof, root=frontier.root())
    assert list(store.leaves(19, 99)) == [
        (index, leaf(index), leaf_hash(leaf(index))) for index in (19, 20)
    ]
    assert store.index_of("evt7") == 7
    assert store.index_of("evt99") is None


def test_a_missing_leaf_is_not_passed_over(database: Database) -> None:
    fill(database, 5)
    database.execute("DELETE FROM event WHERE idx = 3")
    store = TallyStore(database)
    assert store.leaf_hashes(0, 3) == [leaf_hash(leaf(index)) for index in range(3)]
    with pytest.raises(Broken, match="missing"):
        store.leaf_hashes(0, 5)
    with pytest.raises(Broken, match="missing"):
        store.leaf_hashes(3, 9)
    assert [row[0] for row in store.leaves(0, 9)] == [0, 1, 2, 4]


def test_a_leaf_is_written_once(database: Database) -> None:
    fill(database, 3)
    changes = ChangeSet()
    save_leaves(changes, [(2, "evt2", b"other", sha256(b"other"))])
    with pytest.raises(Broken):
        changes.flush(database)
    assert TallyStore(database).leaf(2) == leaf(2)


@pytest.mark.parametrize("frontier", [b"\x00" * 32, b""])
def test_a_frontier_that_does_not_fit_its_size_is_broken(database, frontier: bytes) -> None:
    fill(database, 3)
    database.execute("UPDATE tally_state SET frontier = ?", (frontier,))
    with pytest.raises(Broken, match="frontier"):
        TallyStore(database).load_frontier(ORIGIN)


def test_tiles_come_back_in_order(database: Database) -> None:
    changes = ChangeSet()
    tiles = [(1, 1, sha256(b"b")), (1, 0, sha256(b"a")), (2, 0, sha256(b"c"))]
    save_tiles(changes, tiles)
    changes.flush(database)
    store = TallyStore(database)
    assert store.tile_hash(1, 1) == sha256(b"b")
    assert store.tile_hash(3, 0) is None
    assert list(store.tile_hashes()) == sorted(tiles)


def test_the_first_checkpoint_that_covers_a_leaf_is_found(database: Database) -> None:
    changes = ChangeSet()
    for size in (3, 8, 5):
        save_checkpoint(changes, size, f"note {size}")
    changes.flush(database)
    store = TallyStore(database)
    assert [store.checkpoint_covering(index) for index in (0, 2, 3, 7, 8)] == [
        (3, "note 3"),
        (3, "note 3"),
        (5, "note 5"),
        (8, "note 8"),
        None,
    ]
    assert store.latest_checkpoint() == (8, "note 8")
    assert list(store.checkpoints()) == [(3, "note 3"), (5, "note 5"), (8, "note 8")]


def test_a_cosigned_note_takes_the_place_of_the_bare_one(database: Database) -> None:
    for note in ("bare", "cosigned"):
        changes = ChangeSet()
        save_checkpoint(changes, 3, note)
        changes.flush(database)
    assert list(TallyStore(database).checkpoints()) == [(3, "cosigned")]
