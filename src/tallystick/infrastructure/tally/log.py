"""The writer's side of the tally: append a batch, let it become durable, then sign.

No I/O: the caller appends, writes what `Appended` lists in the commit of the batch, and asks for
the signature once the commit is on disk. A checkpoint is therefore never ahead of what survives a
crash.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
"""

from collections.abc import Sequence

from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.merkle import (
    Frontier,
    Proof,
    Tile,
    append_batch,
    leaf_hash,
)
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Broken, Malformed
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import (
    Checkpoint,
    Disclosure,
    Receipt,
    check_origin,
    format_checkpoint,
)


class Appended(Record, frozen=True, kw_only=True):
    """What one batch added: leaves and their hashes, proofs at the new size, tiles, new frontier.

    Source: RFC 9162, 2.1
    """

    origin: str
    first_index: int
    size: int
    root: bytes
    leaves: tuple[bytes, ...]
    leaf_hashes: tuple[bytes, ...]
    proofs: tuple[Proof, ...]
    new_tiles: tuple[Tile, ...]
    frontier: Frontier

    def checkpoint(self) -> Checkpoint:
        """The state after the batch.

        Source: C2SP tlog-checkpoint
        """
        return Checkpoint(origin=self.origin, size=self.size, root=self.root)

    def receipt(
        self, position: int, note: str, disclosures: tuple[Disclosure, ...] = ()
    ) -> Receipt:
        """The receipt of the leaf at `position` of the batch under the signed `note`.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        return Receipt(
            leaf=b64url(self.leaves[position]),
            index=self.first_index + position,
            proof=b64url(b"".join(self.proofs[position])),
            checkpoint=note,
            disclosures=disclosures,
        )


class TallyLog:
    """The growing end of one log; signs each size at most with one root, and never a smaller size.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = ("_frontier", "_origin", "_signed")

    def __init__(
        self, origin: str, frontier: Frontier | None = None, signed: Checkpoint | None = None
    ) -> None:
        """Continue the log `origin` from its stored `frontier`; `signed` is its newest checkpoint.

        Raises Broken when the checkpoint is ahead of the frontier: leaves are missing, and to go on
        under the same name would show two histories. Raises Malformed for a name that cannot be
        one.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._origin = check_origin(origin)
        self._frontier = frontier or Frontier()
        self._signed = signed or Checkpoint(origin=origin, size=0, root=Frontier().root())
        if self._signed.origin == origin and self._signed.size > self._frontier.size:
            raise Broken(
                "the tally is shorter than its last checkpoint",
                remedy="restore the missing leaves, or continue it under a new name",
            )

    @property
    def origin(self) -> str:
        """The log's name.

        Source: C2SP tlog-checkpoint
        """
        return self._origin

    @property
    def frontier(self) -> Frontier:
        """The tree in memory, which may be ahead of the disk by the batch being committed.

        Source: RFC 9162, 2.1.1
        """
        return self._frontier

    def append(self, leaves: Sequence[bytes]) -> Appended:
        """Add `leaves` in order; nothing is signed yet.

        After a failed commit the memory is ahead of the disk: drop this object and start from the
        disk.
        Raises Malformed for an empty batch.
        Source: RFC 9162, 2.1
        """
        hashes = tuple(map(leaf_hash, leaves))
        batch = append_batch(self._frontier, hashes)
        self._frontier = batch.frontier
        return Appended(
            origin=self._origin,
            first_index=batch.first_index,
            size=batch.frontier.size,
            root=batch.root,
            leaves=tuple(leaves),
            leaf_hashes=hashes,
            proofs=batch.proofs,
            new_tiles=batch.tiles,
            frontier=batch.frontier,
        )

    def sign(self, appended: Appended, signer: NoteSigner) -> str:
        """The signed checkpoint of a batch that is durable now.

        Raises Broken for a batch of another log, beyond its end, or at odds with what was signed
        before; Malformed when the signer carries another name than the log.
        Source: C2SP tlog-checkpoint; ISO/TS 12812-2:2017, 7.3.3
        """
        return self.sign_checkpoint(appended.checkpoint(), signer)

    def sign_end(self, signer: NoteSigner) -> str:
        """The signed checkpoint of all leaves, at start, when the last batch was left without one.

        Source: C2SP tlog-checkpoint
        """
        whole = Checkpoint(
            origin=self._origin, size=self._frontier.size, root=self._frontier.root()
        )
        return self.sign_checkpoint(whole, signer)

    def sign_checkpoint(self, checkpoint: Checkpoint, signer: NoteSigner) -> str:
        """The signed note of `checkpoint`, under the guards that `sign` names.

        Source: C2SP tlog-checkpoint
        """
        if signer.key.name != self._origin:
            raise Malformed("the tally key signs under the name of its log")
        last = self._signed
        behind = checkpoint.size < last.size
        forked = checkpoint.size == last.size and checkpoint.root != last.root
        same = last.origin == self._origin
        if (
            checkpoint.origin != self._origin
            or checkpoint.size > self._frontier.size
            or (same and (behind or forked))
        ):
            raise Broken("the checkpoint does not continue what this log has signed")
        note = signer.note(format_checkpoint(checkpoint))
        self._signed = checkpoint
        return note
