"""The Merkle tree of RFC 9162 over leaf hashes: append in batches, prove, verify.

A frontier (the roots of the full subtrees that the leaves so far make up, largest first) is all
that appending needs: O(log n) hashes. Left siblings of a new leaf come from the frontier and right
siblings can only be in the same batch, so each leaf of a batch is proved without reading an older
one.

Source: RFC 9162, 2.1; ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Sequence

from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"")
TILE_HEIGHT = 8
"""A tile hash is the root of 256 full nodes below it: 2^8."""

Proof = tuple[bytes, ...]

_NOT_IN_TREE = "the event is not in the provider's record that the checkpoint states"
_NOT_AN_EXTENSION = "the newer checkpoint does not continue the older one: history was changed"


class Tile(Record, frozen=True, kw_only=True):
    """Root of the full subtree `index` of 256^level leaves; `level` is at least 1.

    Source: C2SP tlog-tiles
    """

    level: int
    index: int
    hash: bytes


class Frontier(Record, frozen=True, kw_only=True):
    """A tree of `size` leaves by the roots of its full subtrees, largest (leftmost) first.

    Source: RFC 9162, 2.1.1
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """The root hash over all leaves.

        Source: RFC 9162, 2.1.1
        """
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            root = node_hash(left, root)
        return root

    def append(self, hash_: bytes) -> "Frontier":
        """The frontier with one more leaf hash; for replay, where nobody asks for proofs.

        Source: RFC 9162, 2.1.1
        """
        size, nodes = self.size, list(self.nodes)
        node = hash_
        while size & 1:
            node = node_hash(nodes.pop(), node)
            size >>= 1
        nodes.append(node)
        return Frontier(size=self.size + 1, nodes=tuple(nodes))

    def octets(self) -> bytes:
        """Eight bytes of size and the hashes, for a store.

        Source: RFC 9162, 2.1.1
        """
        return self.size.to_bytes(8, "big") + b"".join(self.nodes)

    @classmethod
    def from_octets(cls, octets: bytes) -> "Frontier":
        """The frontier that `octets()` wrote.

        Raises Malformed when the number of hashes does not fit the size.
        Source: RFC 9162, 2.1.1
        """
        size = int.from_bytes(octets[:8], "big")
        if len(octets) != 8 + HASH_BYTES * size.bit_count():
            raise Malformed("the stored frontier has another length than its size says")
        nodes = tuple(octets[at : at + HASH_BYTES] for at in range(8, len(octets), HASH_BYTES))
        return cls(size=size, nodes=nodes)


class Batch(Record, frozen=True, kw_only=True):
    """What appending a batch gave: new frontier and root, a proof per leaf, new tile hashes.

    Source: RFC 9162, 2.1.3
    """

    first_index: int
    frontier: Frontier
    root: bytes
    proofs: tuple[Proof, ...]
    tiles: tuple[Tile, ...]


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf.

    Source: RFC 9162, 2.1.1
    """
    return sha256(b"\x00" + leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two children.

    Source: RFC 9162, 2.1.1
    """
    return sha256(b"\x01" + left + right)


def append_batch(frontier: Frontier, hashes: Sequence[bytes], *, prove: bool = True) -> Batch:
    """Append leaf `hashes` to the tree of `frontier`; proofs are at the new size, if asked for.

    Raises Malformed for an empty batch.
    Source: RFC 9162, 2.1.1; 2.1.3
    """
    if not hashes:
        raise Malformed("a batch has at least one leaf")
    old, new = frontier.size, frontier.size + len(hashes)
    levels = _levels(frontier, hashes, new)
    nodes = tuple(
        levels[height][(new >> height) - 1 - _base(old, height)]
        for height in range(new.bit_length() - 1, -1, -1)
        if (new >> height) & 1
    )
    return Batch(
        first_index=old,
        frontier=Frontier(size=new, nodes=nodes),
        root=levels[-1][0],
        proofs=_batch_proofs(levels, old, new) if prove else (),
        tiles=_new_tiles(levels, old, new),
    )


def _base(old: int, height: int) -> int:
    """Index of the first node that `_levels` keeps at `height`: the last left one before the batch.

    Source: RFC 9162, 2.1.3
    """
    return (old >> height) & ~1


def _levels(frontier: Frontier, hashes: Sequence[bytes], new: int) -> list[list[bytes]]:
    """Nodes at each height from the batch to the root; an unpaired last node is passed upwards.

    Source: RFC 9162, 2.1.1
    """
    old = frontier.size
    left = iter(reversed(frontier.nodes))
    level = [next(left), *hashes] if old & 1 else list(hashes)
    levels = [level]
    for height in range(1, (new - 1).bit_length() + 1):
        above = [sha256(b"\x01" + level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) & 1:
            above.append(level[-1])
        level = [next(left), *above] if (old >> height) & 1 else above
        levels.append(level)
    return levels


def _batch_proofs(levels: list[list[bytes]], old: int, new: int) -> tuple[Proof, ...]:
    """One proof per new leaf, built from the root down, so that siblings share their upper parts.

    Source: RFC 9162, 2.1.3
    """
    tails: list[Proof] = [()]
    first = 0  # index of the node that tails[0] belongs to, at the height of the turn
    for height in range(len(levels) - 2, -1, -1):
        level, base = levels[height], _base(old, height)
        last = (new - 1) >> height
        lowest = old >> height
        below: list[Proof] = []
        for index in range(lowest, last + 1):
            tail = tails[(index >> 1) - first]
            sibling = index ^ 1
            below.append((level[sibling - base], *tail) if sibling <= last else tail)
        tails, first = below, lowest
    return tuple(tails)


def _new_tiles(levels: list[list[bytes]], old: int, new: int) -> tuple[Tile, ...]:
    return tuple(
        Tile(level=height // TILE_HEIGHT, index=index, hash=levels[height][index - base])
        for height in range(TILE_HEIGHT, len(levels), TILE_HEIGHT)
        for base in (_base(old, height),)
        for index in range(old >> height, new >> height)
    )


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Proof, root: bytes) -> None:
    """Accept only if the leaf hash `leaf` is at `index` of the tree of `size` leaves under `root`.

    Raises NotAuthentic otherwise, also for an index outside the tree and hashes of another length.
    Source: RFC 9162, 2.1.3.2
    """
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        raise NotAuthentic(_NOT_IN_TREE)
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotAuthentic(_NOT_IN_TREE)
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last or not equal(computed, root):
        raise NotAuthentic(_NOT_IN_TREE)


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Proof
) -> None:
    """Accept only if the tree under `new_root` begins with the `old_size` leaves under `old_root`.

    Raises NotAuthentic otherwise; an old size of zero proves nothing and is refused.
    Source: RFC 9162, 2.1.4.2
    """
    if not 0 < old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        raise NotAuthentic(_NOT_AN_EXTENSION)
    if old_size == new_size:
        if proof or not equal(old_root, new_root):
            raise NotAuthentic(_NOT_AN_EXTENSION)
        return
    path = (old_root, *proof) if old_size & (old_size - 1) == 0 else proof
    if not path:
        raise NotAuthentic(_NOT_AN_EXTENSION)
    old, new = _replay_consistency(old_size - 1, new_size - 1, path)
    if not equal(old, old_root) or not equal(new, new_root):
        raise NotAuthentic(_NOT_AN_EXTENSION)


def _replay_consistency(node: int, last: int, path: Proof) -> tuple[bytes, bytes]:
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise NotAuthentic(_NOT_AN_EXTENSION)
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise NotAuthentic(_NOT_AN_EXTENSION)
    return old, new


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)
