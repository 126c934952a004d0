"""Reads a whole tally and names every row that was edited, lost, added, moved or never signed.

The walk goes from checkpoint to checkpoint. Where the rows between two do not lead from the one
root to the other, it looks for what was done (explain), and goes on behind it: with the undone
rows, or, if nothing explains them, with the stored tiles, provided that a later checkpoint confirms
those. Anchors (checkpoints, receipts, cosigned notes kept elsewhere) show what the store alone
cannot.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1; C2SP tlog-checkpoint
"""

from collections.abc import Iterable, Iterator, Sequence

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.tally.anchors import AnchorCheck
from tallystick.infrastructure.tally.checkpoint import parse_note
from tallystick.infrastructure.tally.explain import Row, explain_rows
from tallystick.infrastructure.tally.findings import (
    Anchor,
    AuditReader,
    Finding,
    FindingKind,
    Projection,
    Report,
    events,
)
from tallystick.infrastructure.tally.leaf import RESTORED, decode_leaf
from tallystick.infrastructure.tally.merkle import (
    TILE_HEIGHT,
    Frontier,
    Tile,
    leaf_hash,
)
from tallystick.infrastructure.tally.projections import ProjectionCheck
from tallystick.infrastructure.tally.tiles import frontier_at
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic
from tallystick.protocol.receipt import Checkpoint, parse_checkpoint

_EVERYTHING = 2**63 - 1
_BLOCK = 1 << TILE_HEIGHT


def audit(
    reader: AuditReader,
    tally_keys: Sequence[VerifyKey],
    *,
    origin: str,
    anchors: Sequence[Anchor] = (),
    projections: Iterable[Projection] = (),
) -> Report:
    """Every fault that the stored tally of `origin` shows against its checkpoints and `anchors`.

    `tally_keys` are the public keys that signed its checkpoints, all that were ever in force;
    `projections` are values of state that events speak of, by event index.
    Never raises for a fault of the tally, that is a finding; Broken for a reader out of order.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    walk = _Walk(reader, tally_keys, AnchorCheck(anchors, origin), ProjectionCheck(projections))
    walk.run()
    return walk.report()


class _StoredTiles:
    """Stored tiles as the source of a frontier at a multiple of 256 leaves.

    Source: C2SP tlog-tiles
    """

    def __init__(self, tiles: dict[tuple[int, int], bytes]) -> None:
        self._tiles = tiles

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """None: what no tile covers is unknown here.

        Source: C2SP tlog-tiles
        """
        del start, end
        return []

    def tile_hash(self, level: int, index: int) -> bytes | None:
        """The tile as it is stored.

        Source: C2SP tlog-tiles
        """
        return self._tiles.get((level, index))


class _Walk:
    def __init__(
        self,
        reader: AuditReader,
        tally_keys: Sequence[VerifyKey],
        anchors: AnchorCheck,
        projections: ProjectionCheck,
    ) -> None:
        self._keys = tally_keys
        self._rows = self._read_rows(reader)
        self._next = next(self._rows, None)
        self._tiles = {(level, index): hash_ for level, index, hash_ in reader.tile_hashes()}
        self._notes = reader.checkpoints()
        self._anchors = anchors
        self._projections = projections
        self._findings: list[Finding] = []
        self._unexplained: list[tuple[int, int]] = []
        self._good = Frontier()
        self._window: list[Row] = []
        self._block: list[bytes] = []  # leaf hashes since the last multiple of 256
        self._position = 0  # size of the tree that the rows read so far should make up
        self._shift = 0  # how many rows were put in before
        self._gap = self._lost = False
        self._read = self._signed = self._signed_size = 0

    @staticmethod
    def _read_rows(reader: AuditReader) -> Iterator[Row]:
        for index, leaf, stored in reader.leaves(0, _EVERYTHING):
            yield Row(index=index, leaf=leaf, stored=stored, computed=leaf_hash(leaf))

    def run(self) -> None:
        """Walk to the end.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        short = False
        for checkpoint in self._checkpoints():
            self._fill(checkpoint.size)
            named = self._anchors.origin_at(checkpoint.size)
            if checkpoint.origin != named:
                row = f"checkpoint {checkpoint.size}"
                self._find(FindingKind.CHECKPOINT_SIGNATURE, row, f"of another log than {named}")
                continue
            self._check_order(checkpoint)
            self._signed, self._signed_size = self._signed + 1, checkpoint.size
            short = short or self._position < checkpoint.size
            if not short:
                self._settle(checkpoint)
        if short and not self._unexplained:
            self._find(
                FindingKind.TRUNCATED,
                events(self._position, self._signed_size),
                "signed, but no longer there",
            )
        self._walk_tail()
        self._findings += self._projections.after_last()
        self._findings += self._anchors.unmet(self._position)
        self._judge_unexplained()

    def _check_order(self, checkpoint: Checkpoint) -> None:
        """Checkpoints come by size, and two of one size have one root.

        Source: C2SP tlog-checkpoint
        """
        if checkpoint.size < self._signed_size:
            raise Broken("the checkpoints are not read in the order of their sizes")
        same = checkpoint.size == self._signed_size == self._good.size
        if same and checkpoint.root != self._good.root():
            row = f"checkpoint {checkpoint.size}"
            self._find(FindingKind.FORKED, row, "the tally key signed two roots for one size")

    def _walk_tail(self) -> None:
        """Rows behind the last checkpoint: only an anchor can vouch for them.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        begin = self._signed_size
        for anchor in self._anchors.beyond(begin):
            self._fill(anchor.size)
            if self._position >= anchor.size and self._anchors.is_of_this_log(anchor):
                self._settle(anchor)
        self._fill(_EVERYTHING)
        if self._position > begin:
            self._find(
                FindingKind.CHECKPOINT_MISSING,
                events(begin, self._position),
                "no signed checkpoint covers it; a stop between commit and signature leaves this "
                "too, until the service starts again",
            )

    def _find(self, kind: FindingKind, row: str, detail: str) -> None:
        self._findings.append(Finding(kind=kind, row=row, detail=detail))

    def _checkpoints(self) -> Iterator[Checkpoint]:
        """The stored checkpoints that a tally key signed; a finding for each other one.

        Source: C2SP tlog-checkpoint
        """
        for size, note in self._notes:
            try:
                checkpoint = self._verified(note)
            except (NotAuthentic, Malformed) as error:
                self._find(FindingKind.CHECKPOINT_SIGNATURE, f"checkpoint {size}", error.detail)
                continue
            if checkpoint.size == size:
                self._anchors.named(checkpoint.origin)
                yield checkpoint
            else:
                self._find(
                    FindingKind.CHECKPOINT_SIGNATURE,
                    f"checkpoint {size}",
                    f"the signed text says size {checkpoint.size}",
                )

    def _verified(self, note: str) -> Checkpoint:
        stated = parse_checkpoint(parse_note(note).text)
        for one in self._keys:
            try:
                return verify_checkpoint(note, one, origin=stated.origin)
            except NotAuthentic:
                continue
        raise NotAuthentic("none of the tally's keys signed it")

    def _fill(self, size: int) -> None:
        """Take rows until they should make up a tree of `size`, or are at their end.

        Source: RFC 9162, 2.1
        """
        while self._next is not None and self._next.index - self._shift < size:
            self._take(self._next)

    def _take(self, row: Row) -> None:
        place = row.index - self._shift
        if place > self._position:
            self._gap = True
            missing = events(self._position + self._shift, row.index)
            self._find(FindingKind.DELETED, missing, "the row is gone")
        elif place < self._position:
            self._gap = True
            self._find(FindingKind.REORDERED, events(row.index, row.index + 1), "read out of turn")
        self._position = place + 1
        self._read += 1
        self._window.append(row)
        self._keep_block(row.stored)
        self._findings += self._projections.at_leaf(row.index, row.leaf)
        self._note_restoration(row, place)
        self._next = next(self._rows, None)

    def _keep_block(self, hash_: bytes) -> None:
        if (self._position - 1) % _BLOCK == 0:
            self._block = []
        self._block.append(hash_)

    def _note_restoration(self, row: Row, place: int) -> None:
        if RESTORED.encode() not in row.leaf:
            return
        try:
            event = decode_leaf(row.leaf)
        except Malformed:
            return
        if event.kind == RESTORED:
            old, new = str(event.p.get("old_origin")), str(event.p.get("new_origin"))
            self._anchors.renamed(place, old, new)
            lost_until = event.p.get("old_size")
            if isinstance(lost_until, int) and lost_until > place:
                self._find(
                    FindingKind.ROLLED_BACK,
                    events(place, lost_until),
                    f"lost when the log {old} was restored; event {row.index} says so",
                )

    def _settle(self, checkpoint: Checkpoint) -> None:
        """Judge the rows since the last judged size by the root of `checkpoint`.

        Source: RFC 9162, 2.1
        """
        if self._lost or self._gap:
            self._resume(checkpoint)
        elif self._window:
            self._explain(checkpoint)

    def _explain(self, checkpoint: Checkpoint) -> None:
        found = explain_rows(self._good, self._window, self._next, checkpoint.root)
        if found is None:
            self._unexplained.append((self._window[0].index, self._window[-1].index + 1))
            self._resume(checkpoint)
            return
        self._findings += found.findings
        if self._next is not None and found.rows_used > len(self._window):
            self._pass_over(self._next)
        self._replace_block(found.hashes)
        self._findings += self._anchors.in_batch(self._good, found.hashes)
        self._check_tiles(found.grown.tiles)
        self._good, self._window = found.grown.frontier, []

    def _pass_over(self, row: Row) -> None:
        """The last row of a window into which one was put stands behind it; take it too.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._shift, self._read = self._shift + 1, self._read + 1
        self._findings += self._projections.at_leaf(row.index, row.leaf)
        self._next = next(self._rows, None)

    def _replace_block(self, hashes: Sequence[bytes]) -> None:
        """Keep the confirmed hashes, not the stored ones, for a later resumption.

        Source: C2SP tlog-tiles
        """
        inside = self._position % _BLOCK or _BLOCK
        self._block = [*self._block[: max(0, inside - len(hashes))], *hashes[-inside:]]

    def _check_tiles(self, tiles: tuple[Tile, ...]) -> None:
        for tile in tiles:
            stored = self._tiles.get((tile.level, tile.index))
            if stored is not None and stored != tile.hash:
                self._find(
                    FindingKind.TILE_DIFFERS,
                    f"tile {tile.level}/{tile.index}",
                    "the stored hash is not that of the events below it",
                )

    def _resume(self, checkpoint: Checkpoint) -> None:
        """After rows that nothing explains: go on from stored tiles, if they lead to `checkpoint`.

        Source: C2SP tlog-tiles
        """
        for row in self._window:
            self._findings += self._anchors.at_leaf(row.index - self._shift, row.computed)
        self._window, self._gap, self._lost = [], False, True
        inside = checkpoint.size % _BLOCK
        whole = checkpoint.size - inside
        if not whole or len(self._block) < inside:
            return
        try:
            frontier = frontier_at(_StoredTiles(self._tiles), whole)
        except Broken:
            return
        for hash_ in self._block[:inside] if inside else []:
            frontier = frontier.append(hash_)
        if frontier.root() == checkpoint.root:
            self._good, self._lost = frontier, False
            self._resolve_unexplained()

    def _resolve_unexplained(self) -> None:
        for first, end in self._unexplained:
            self._find(FindingKind.EDITED, events(first, end), "not what was signed")
        self._unexplained = []

    def _judge_unexplained(self) -> None:
        """Name what happened to rows that nothing explained, by the number of rows that are left.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        kind, detail = FindingKind.EDITED, "not what was signed"
        if self._position < self._signed_size:
            kind, detail = FindingKind.DELETED, "rows are gone here and those behind moved up"
        elif self._position > self._signed_size:
            kind, detail = FindingKind.INSERTED, "rows were changed or put in here"
        for first, end in self._unexplained:
            self._find(kind, events(first, end), detail)

    def report(self) -> Report:
        """What the walk found.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        named = self._anchors.origin_at(self._position)
        if named != self._anchors.origin:
            self._find(FindingKind.FORKED, "the log", f"its rows name it {named}")
        return Report(
            origin=self._anchors.origin,
            rows=self._read,
            checkpoints=self._signed,
            vouched=self._good.size,
            anchors=self._anchors.names(),
            findings=tuple(dict.fromkeys(self._findings)),
            blind_spots=tuple(self._blind_spots()),
        )

    def _blind_spots(self) -> Iterator[str]:
        yield from self._anchors.blind_spots(self._position)
        if self._good.size < self._position:
            yield (
                f"Changes to events recorded after number {self._good.size}: no signed checkpoint "
                "vouches for them, or rows before them are not what was signed."
            )
        yield "Whether what was recorded was true: the tally proves that it was recorded, and when."
