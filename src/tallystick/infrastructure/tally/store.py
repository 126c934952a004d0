"""Where the tally is kept: its leaves, tiles, checkpoints, and the frontier to go on from.

    save_leaves, save_tiles, save_checkpoint, save_frontier    rows into the batch's ChangeSet
    TallyStore                                                 reads, for proofs and for the audit

Every table only grows, except the one row of the frontier.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
"""

from collections.abc import Iterable, Iterator

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.infrastructure.tally.merkle import HASH_BYTES, Frontier
from tallystick.infrastructure.tally.tiles import TILE_WIDTH
from tallystick.kernel.errors import Broken

EVENT = Table(
    name="event",
    key="idx",
    insert_head="INSERT INTO event (idx, event_id, leaf, leaf_hash) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail="",
    select_head="SELECT idx, event_id, leaf, leaf_hash FROM event WHERE idx IN ",
)

TILE = Table(
    name="tile",
    key="level, idx",
    insert_head="INSERT INTO tile (level, idx, hash) VALUES ",
    slots="(?, ?, ?)",
    insert_tail="",
    select_head="SELECT level, idx, hash FROM tile WHERE (level, idx) IN ",
)

CHECKPOINT = Table(
    name="checkpoint",
    key="size",
    insert_head="INSERT INTO checkpoint (size, note) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (size) DO UPDATE SET note = excluded.note",
    select_head="SELECT size, note FROM checkpoint WHERE size IN ",
)

TALLY_STATE = Table(
    name="tally_state",
    key="origin",
    insert_head="INSERT INTO tally_state (origin, size, frontier) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (origin) DO UPDATE SET size = excluded.size, frontier = excluded.frontier"
    ),
    select_head="SELECT origin, size, frontier FROM tally_state WHERE origin IN ",
)

MIGRATION = Migration(
    number=1,
    name="tally",
    statements=(
        """CREATE TABLE event (
            idx INTEGER PRIMARY KEY, event_id TEXT NOT NULL, leaf BLOB NOT NULL,
            leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
        ) STRICT""",
        """CREATE TABLE tile (
            level INTEGER NOT NULL, idx INTEGER NOT NULL,
            hash BLOB NOT NULL CHECK (length(hash) = 32), PRIMARY KEY (level, idx)
        ) STRICT, WITHOUT ROWID""",
        "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT",
        """CREATE TABLE tally_state (
            origin TEXT PRIMARY KEY, size INTEGER NOT NULL,
            frontier BLOB NOT NULL CHECK (length(frontier) % 32 = 0)
        ) STRICT""",
    ),
)


def save_leaves(changes: ChangeSet, rows: Iterable[tuple[int, str, bytes, bytes]]) -> None:
    """Append leaves: index, event id, canonical leaf, leaf hash.

    Source: RFC 9162, 2.1
    """
    changes.insert_all(EVENT, rows)


def save_tiles(changes: ChangeSet, rows: Iterable[tuple[int, int, bytes]]) -> None:
    """Append the hashes of subtrees that have become full: level, index, hash.

    Source: RFC 9162, 2.1
    """
    changes.insert_all(TILE, rows)


def save_checkpoint(changes: ChangeSet, size: int, note: str) -> None:
    """Keep the signed checkpoint of the tally at `size`; with cosignatures it may come again.

    Source: RFC 9162, 4.10; C2SP tlog-checkpoint
    """
    changes.upsert(CHECKPOINT, size, (size, note))


def save_frontier(changes: ChangeSet, origin: str, frontier: Frontier) -> None:
    """Keep what the tally `origin` goes on from after this batch.

    Source: RFC 9162, 2.1
    """
    row = (origin, frontier.size, b"".join(frontier.nodes))
    changes.upsert(TALLY_STATE, origin, row)


class TallyStore:
    """Reads the stored tally through any connection.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def load_frontier(self, origin: str) -> Frontier | None:
        """What the tally `origin` goes on from; None for a tally without a leaf.

        Raises Broken if the number of hashes does not fit the size.
        Source: RFC 9162, 2.1
        """
        row = self._reader.one("SELECT size, frontier FROM tally_state WHERE origin = ?", (origin,))
        if row is None:
            return None
        size, joined = row
        if len(joined) != HASH_BYTES * int(size).bit_count():
            raise Broken("the stored frontier has another length than its size says")
        nodes = tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
        return Frontier(size=size, nodes=nodes)

    def origins(self) -> tuple[str, ...]:
        """The origins of the tallies that this file has, the longest last.

        Source: C2SP tlog-checkpoint
        """
        rows = self._reader.rows("SELECT origin FROM tally_state ORDER BY size, origin")
        return tuple(row[0] for row in rows)

    def size(self) -> int:
        """The number of leaves by the highest index, gaps included.

        Source: RFC 9162, 2.1
        """
        row = self._reader.one("SELECT coalesce(max(idx) + 1, 0) FROM event")
        return 0 if row is None else int(row[0])

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The stored hashes of the leaves `start` to `end` (exclusive).

        Raises Broken if one of them is missing.
        Source: RFC 9162, 2.1
        """
        rows = self._reader.rows(
            "SELECT leaf_hash FROM event WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
        )
        if len(rows) != max(0, end - start):
            raise Broken(
                f"leaves are missing between {start} and {end}",
                remedy="audit the tally against a checkpoint kept elsewhere",
            )
        return [row[0] for row in rows]

    def tile_hash(self, level: int, index: int) -> bytes | None:
        """The hash of the full subtree `index` at `level`; None if it is not full yet.

        Source: RFC 9162, 2.1
        """
        row = self._reader.one("SELECT hash FROM tile WHERE level = ? AND idx = ?", (level, index))
        return None if row is None else row[0]

    def group(self, level: int, start: int) -> list[bytes]:
        """Up to 256 hashes of `level` (0: leaves) from `start` on, as far as there is no gap.

        Source: C2SP tlog-tiles
        """
        if level == 0:
            rows = self._reader.rows(
                "SELECT idx, leaf_hash FROM event WHERE idx >= ? AND idx < ? ORDER BY idx",
                (start, start + TILE_WIDTH),
            )
        else:
            rows = self._reader.rows(
                "SELECT idx, hash FROM tile WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx",
                (level, start, start + TILE_WIDTH),
            )
        return [row[1] for place, row in enumerate(rows, start) if row[0] == place]

    def leaf(self, index: int) -> bytes | None:
        """The canonical leaf at `index`, or None.

        Source: RFC 9162, 2.1
        """
        row = self._reader.one("SELECT leaf FROM event WHERE idx = ?", (index,))
        return None if row is None else row[0]

    def index_of(self, event_id: str) -> int | None:
        """The index of the last event with this id, or None; reads every row.

        Source: RFC 9162, 2.1
        """
        row = self._reader.one("SELECT max(idx) FROM event WHERE event_id = ?", (event_id,))
        return None if row is None or row[0] is None else int(row[0])

    def indices_of(self, event_id: str) -> list[int]:
        """The indices of every event with this id, in order; reads every row.

        Source: RFC 9162, 2.1
        """
        rows = self._reader.rows(
            "SELECT idx FROM event WHERE event_id = ? ORDER BY idx", (event_id,)
        )
        return [int(row[0]) for row in rows]

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, canonical leaf and stored hash of the leaves that exist from `start` to `end`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        yield from self._reader.stream(
            "SELECT idx, leaf, leaf_hash FROM event WHERE idx >= ? AND idx < ? ORDER BY idx",
            (start, end),
        )

    def checkpoint_covering(self, index: int) -> tuple[int, str] | None:
        """Size and note of the first checkpoint that covers the leaf at `index`, or None.

        Source: C2SP tlog-checkpoint
        """
        row = self._reader.one(
            "SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1", (index,)
        )
        return None if row is None else (row[0], row[1])

    def latest_checkpoint(self) -> tuple[int, str] | None:
        """Size and note of the last checkpoint, or None.

        Source: C2SP tlog-checkpoint
        """
        row = self._reader.one("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return None if row is None else (row[0], row[1])

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Size and note of every checkpoint, smallest first.

        Source: C2SP tlog-checkpoint
        """
        yield from self._reader.stream("SELECT size, note FROM checkpoint ORDER BY size")

    def tile_hashes(self) -> Iterator[tuple[int, int, bytes]]:
        """Level, index and hash of every full subtree that is kept.

        Source: RFC 9162, 2.1
        """
        yield from self._reader.stream("SELECT level, idx, hash FROM tile ORDER BY level, idx")
