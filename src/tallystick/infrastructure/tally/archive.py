"""The tally on disk and at the writer's hand: what a batch saves, and receipts new and old.

The note of a batch is signed once the batch is durable and stored with the next one. Its signature
is deterministic, so a restart that finds the last one missing signs the same note again.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
"""

from collections.abc import Callable

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.log import Appended, TallyLog
from tallystick.infrastructure.tally.near import NearHashes
from tallystick.infrastructure.tally.store import (
    TallyStore,
    save_checkpoint,
    save_frontier,
    save_leaves,
    save_tiles,
)
from tallystick.infrastructure.tally.tiles import consistency_proof, frontier_at, inclusion_proof
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Broken, NotFound
from tallystick.protocol.receipt import Checkpoint, Disclosure, Receipt, parse_checkpoint

EventIds = Callable[[bytes], str]


class Archive:
    """Keeps one log: appends batches to it, signs what is durable, proves what is old.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader, signer: NoteSigner, origin: str) -> None:
        """Continue the log `origin` as the file has it.

        Raises Broken when the file is shorter than its last checkpoint.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.store = TallyStore(reader)
        self._near = NearHashes(self.store)
        self._signer = signer
        self._origin = origin
        self._unsaved: tuple[int, str] | None = None
        self.log = self._from_disk()
        self.note = self._last_note()

    @property
    def size(self) -> int:
        """How many events the log has, the batch being committed included.

        Source: RFC 9162, 2.1
        """
        return self.log.frontier.size

    @property
    def durable_size(self) -> int:
        """How many events are durable and signed.

        Source: RFC 9162, 2.1
        """
        return parse_checkpoint(self.note.split("\n\n", 1)[0] + "\n").size if self.note else 0

    def append(self, changes: ChangeSet, leaves: list[bytes], ids: list[str]) -> Appended:
        """Add `leaves` (whose event ids are `ids`) to the log and their rows to the batch.

        Source: RFC 9162, 2.1
        """
        appended = self.log.append(leaves)
        first = appended.first_index
        save_leaves(
            changes,
            [
                (first + position, identifier, leaf, hash_)
                for position, (identifier, leaf, hash_) in enumerate(
                    zip(ids, leaves, appended.leaf_hashes, strict=True)
                )
            ],
        )
        save_tiles(changes, [(tile.level, tile.index, tile.hash) for tile in appended.new_tiles])
        save_frontier(changes, self._origin, appended.frontier)
        if self._unsaved is not None:
            save_checkpoint(changes, *self._unsaved)
        return appended

    def sign(self, appended: Appended) -> str:
        """The signed checkpoint of a batch that is durable now.

        Source: C2SP tlog-checkpoint
        """
        self._near.keep(appended)
        self.note = self.log.sign(appended, self._signer)
        self._unsaved = (appended.size, self.note)
        return self.note

    def sign_with(self, signer: NoteSigner) -> None:
        """Sign the next checkpoints with another key; the list names it and the one before.

        Source: C2SP tlog-checkpoint; ISO/TS 12812-2:2017, 7.4.2
        """
        self._signer = signer

    def flush(self, changes: ChangeSet) -> None:
        """Add the note that no batch has stored yet, at the end of a run.

        Source: C2SP tlog-checkpoint
        """
        if self._unsaved is not None:
            save_checkpoint(changes, *self._unsaved)
            self._unsaved = None

    def reread(self) -> None:
        """Go on from what is stored, after a batch that nobody knows to be durable.

        If it is after all, its checkpoint is signed now. Raises what the start raises.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._near.forget()
        self.log = self._from_disk()
        if self.size > self.durable_size:
            self.note = self._last_note()

    def receipt(self, index: int, disclosures: tuple[Disclosure, ...]) -> Receipt:
        """The receipt of an event that was recorded before: the same proof and note as ever.

        Raises NotFound for an index that no checkpoint covers.
        Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1.3
        """
        leaf = self.store.leaf(index)
        covering = self._covering(index)
        if leaf is None or covering is None:
            raise NotFound("no such event in the tally")
        size, note = covering
        proof = inclusion_proof(self._near, index, size)
        return Receipt(
            leaf=b64url(leaf),
            index=index,
            proof=b64url(b"".join(proof)),
            checkpoint=note,
            disclosures=disclosures,
        )

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """The proof that the log at `new_size` continues the log at `old_size`.

        Raises NotFound beyond what is signed.
        Source: RFC 9162, 2.1.4
        """
        signed = self.durable_size
        if not 0 < old_size <= new_size <= signed:
            raise NotFound(
                "the tally has no such sizes", remedy=f"ask for sizes between 1 and {signed}"
            )
        return tuple(consistency_proof(self._near, old_size, new_size))

    def _covering(self, index: int) -> tuple[int, str] | None:
        covering = self.store.checkpoint_covering(index)
        if covering is None and self._unsaved is not None and index < self._unsaved[0]:
            return self._unsaved
        return covering

    def _from_disk(self) -> TallyLog:
        frontier = self.store.load_frontier(self._origin)
        latest = self.store.latest_checkpoint()
        signed: Checkpoint | None = None
        if latest is not None:
            signed = parse_checkpoint(latest[1].split("\n\n", 1)[0] + "\n")
        if self._unsaved is not None:
            signed = parse_checkpoint(self._unsaved[1].split("\n\n", 1)[0] + "\n")
        return TallyLog(self._origin, frontier, signed)

    def _last_note(self) -> str:
        size = self.log.frontier.size
        if size == 0:
            return ""
        if self.store.size() != size or not self._roots_agree():
            raise Broken(
                "the tally's leaves and its frontier differ",
                remedy="run `tallystick tally verify`, then restore under a new origin",
            )
        latest = self.store.latest_checkpoint()
        if latest is not None and latest[0] == size:
            return latest[1]
        note = self.log.sign_end(self._signer)
        self._unsaved = (size, note)
        return note

    def _roots_agree(self) -> bool:
        """Whether the stored leaves give the root that the log goes on from."""
        return frontier_at(self._near, self.size).root() == self.log.frontier.root()
