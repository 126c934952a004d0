"""Holds a tally against checkpoints that somebody else kept.

Source: ISO/TS 12812-2:2017, 7.3.3; C2SP tlog-checkpoint; C2SP tlog-witness
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tallystick.infrastructure.tally.findings import Anchor, Finding, FindingKind, events
from tallystick.infrastructure.tally.merkle import Frontier, append_batch, leaf_hash
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import Checkpoint


class _Renaming(Record, frozen=True, kw_only=True):
    index: int
    old: str
    new: str


class AnchorCheck:
    """Keeps the anchors of one audit, and which name the log had at which size.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, anchors: Sequence[Anchor], origin: str) -> None:
        """Judge `anchors` of the log that is now called `origin`, as the walk goes by their sizes.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._anchors = sorted(anchors, key=lambda one: one.checkpoint.size)
        self._sizes = [one.checkpoint.size for one in self._anchors]
        self._leaves: dict[int, list[Anchor]] = {}
        for anchor in self._anchors:
            if anchor.index >= 0:
                self._leaves.setdefault(anchor.index, []).append(anchor)
        self._renamings: list[_Renaming] = []
        self._first_name = ""
        self.origin = origin
        self._met: set[int] = set()

    def names(self) -> tuple[str, ...]:
        """What the anchors are called, by size.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return tuple(anchor.name for anchor in self._anchors)

    def named(self, origin: str) -> None:
        """Remember the name on the oldest checkpoint as the first name of the log.

        Source: C2SP tlog-checkpoint
        """
        self._first_name = self._first_name or origin

    def renamed(self, index: int, old: str, new: str) -> None:
        """Remember that the event `index` gave the log a new name.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._renamings.append(_Renaming(index=index, old=old, new=new))

    def origin_at(self, size: int) -> str:
        """The name of the log when it had `size` events, as its own rows tell it.

        Source: C2SP tlog-checkpoint
        """
        for renaming in reversed(self._renamings):
            if renaming.index < size:
                return renaming.new
        return self._renamings[0].old if self._renamings else self._first_name or self.origin

    def is_of_this_log(self, checkpoint: Checkpoint) -> bool:
        """Whether `checkpoint` carries the name that the log had at its size.

        Source: C2SP tlog-checkpoint
        """
        return checkpoint.origin == self.origin_at(checkpoint.size)

    def at_leaf(self, index: int, hash_: bytes) -> Iterator[Finding]:
        """What differs between the event `index` and the receipts of it.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        for anchor in self._leaves.get(index, ()):
            if leaf_hash(anchor.leaf) != hash_:
                yield Finding(
                    kind=FindingKind.EDITED,
                    row=events(index, index + 1),
                    detail=f"not the event on {anchor.name}",
                )

    def in_batch(self, before: Frontier, hashes: Sequence[bytes]) -> Iterator[Finding]:
        """What differs between the anchors inside a batch of confirmed leaf hashes and the batch.

        Source: RFC 9162, 2.1.1
        """
        end = before.size + len(hashes)
        for index in self._leaves.keys() & set(range(before.size, end)):
            yield from self.at_leaf(index, hashes[index - before.size])
        first, last = (bisect_right(self._sizes, size) for size in (before.size, end))
        for number in range(first, last):
            anchor = self._anchors[number]
            checkpoint = anchor.checkpoint
            inside = checkpoint.size - before.size
            if self.is_of_this_log(checkpoint):
                self._met.add(number)
                if append_batch(before, hashes[:inside], prove=False).root != checkpoint.root:
                    yield Finding(
                        kind=FindingKind.FORKED,
                        row=f"checkpoint {checkpoint.size}",
                        detail=f"{anchor.name} was signed over another history of this log",
                    )

    def beyond(self, size: int) -> Iterator[Checkpoint]:
        """The anchors' checkpoints above `size`, smallest first.

        Source: C2SP tlog-checkpoint
        """
        for anchor in self._anchors:
            if anchor.checkpoint.size > size:
                yield anchor.checkpoint

    def unmet(self, rows: int) -> Iterator[Finding]:
        """The anchors that speak of events which the log of `rows` events does not have.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for anchor in self._anchors:
            checkpoint = anchor.checkpoint
            first = self._end_of(checkpoint.origin, rows)
            if checkpoint.size > first:
                yield Finding(
                    kind=FindingKind.ROLLED_BACK,
                    row=events(first, checkpoint.size),
                    detail=f"{anchor.name} vouches for events that are not there",
                )

    def _end_of(self, origin: str, rows: int) -> int:
        """How many events the log had under the name `origin` when it ended.

        Source: C2SP tlog-checkpoint
        """
        for renaming in self._renamings:
            if renaming.old == origin:
                return renaming.index
        return rows if self.origin_at(rows) == origin else 0

    def blind_spots(self, rows: int) -> Iterator[str]:
        """What these anchors leave unseen in a log of `rows` events.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        covered = max(
            (one.checkpoint.size for at, one in enumerate(self._anchors) if at in self._met),
            default=0,
        )
        if covered < rows or not rows:
            yield (
                f"Events recorded after number {covered} and removed together with their "
                "checkpoints: only a receipt, a checkpoint or a witness's note that was kept "
                "elsewhere and is newer than that shows them."
            )
        if not self._anchors:
            yield (
                "A second history under the same name, signed with the tally key and shown to "
                "somebody else: compare with a witness, or with a customer's receipt."
            )
