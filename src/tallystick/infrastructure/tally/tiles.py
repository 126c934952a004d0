"""Proofs for any leaf and any two sizes, from leaf hashes and the tile hashes kept beside them.

A tile hash spares reading the 256^level leaves below it, so a proof costs at most 255 reads at each
level. A missing tile is no fault: what it stood for is computed from the level below.

Source: RFC 9162, 2.1.3.1; 2.1.4.1; C2SP tlog-tiles
"""

from collections.abc import Sequence
from typing import Protocol

from tallystick.infrastructure.tally.merkle import (
    EMPTY_ROOT,
    TILE_HEIGHT,
    Frontier,
    Proof,
    node_hash,
)
from tallystick.kernel.errors import Broken, NotFound

TILE_WIDTH = 1 << TILE_HEIGHT


class LeafSource(Protocol):
    """Where the hashes of a tally are kept.

    Source: C2SP tlog-tiles
    """

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """The hashes of leaves [start, end), in order.

        Source: C2SP tlog-tiles
        """
        ...

    def tile_hash(self, level: int, index: int) -> bytes | None:
        """The stored root over leaves [index * 256^level, (index + 1) * 256^level), level >= 1.

        Source: C2SP tlog-tiles
        """
        ...


def inclusion_proof(source: LeafSource, index: int, size: int) -> Proof:
    """The hashes that lead from leaf `index` to the root of the first `size` leaves.

    Raises NotFound for an index outside the tree.
    Source: RFC 9162, 2.1.3.1
    """
    if not 0 <= index < size:
        raise NotFound("the tally has no such leaf at that size")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree_root(source, middle, end))
            end = middle
        else:
            proof.append(subtree_root(source, start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(source: LeafSource, old_size: int, new_size: int) -> Proof:
    """The hashes that show the first `old_size` leaves to be the beginning of the first `new_size`.

    Raises NotFound when the sizes are not 0 < old_size <= new_size.
    Source: RFC 9162, 2.1.4.1
    """
    if not 0 < old_size <= new_size:
        raise NotFound("consistency is proved from a size of at least one to one not smaller")
    proof: list[bytes] = []
    start, end, known = 0, new_size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(subtree_root(source, middle, end))
            end = middle
        else:
            proof.append(subtree_root(source, start, middle))
            start, known = middle, False
    if not known:
        proof.append(subtree_root(source, start, end))
    return tuple(reversed(proof))


def frontier_at(source: LeafSource, size: int) -> Frontier:
    """The frontier of the first `size` leaves, to go on appending from there.

    Source: RFC 9162, 2.1.1
    """
    nodes: list[bytes] = []
    start = 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            nodes.append(_full_root(source, height, start >> height))
            start += 1 << height
    return Frontier(size=size, nodes=tuple(nodes))


def subtree_root(source: LeafSource, start: int, end: int) -> bytes:
    """The root over leaves [start, end) as a tree of their own; `start` is aligned as in RFC 9162.

    Source: RFC 9162, 2.1.1
    """
    if start == end:
        return EMPTY_ROOT
    roots: list[bytes] = []
    while start < end:
        height = (end - start).bit_length() - 1
        roots.append(_full_root(source, height, start >> height))
        start += 1 << height
    root = roots.pop()
    while roots:
        root = node_hash(roots.pop(), root)
    return root


def _split(count: int) -> int:
    """The largest power of two below `count`.

    Source: RFC 9162, 2.1.1
    """
    return 1 << ((count - 1).bit_length() - 1)


def _full_root(source: LeafSource, height: int, index: int) -> bytes:
    """The root of the full subtree number `index` of 2^height leaves.

    Source: RFC 9162, 2.1.1
    """
    level, spread = divmod(height, TILE_HEIGHT)
    first, count = index << spread, 1 << spread
    if level == 0:
        nodes = list(source.leaf_hashes(first, first + count))
        if len(nodes) != count:
            raise Broken(f"the store lacks leaves between {first} and {first + count}")
    else:
        nodes = [_tile(source, level, at) for at in range(first, first + count)]
    while len(nodes) > 1:
        nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
    return nodes[0]


def _tile(source: LeafSource, level: int, index: int) -> bytes:
    stored = source.tile_hash(level, index)
    if stored is not None:
        return stored
    first = index << TILE_HEIGHT
    if level == 1:
        nodes = list(source.leaf_hashes(first, first + TILE_WIDTH))
        if len(nodes) != TILE_WIDTH:
            raise Broken(f"the store lacks leaves between {first} and {first + TILE_WIDTH}")
    else:
        nodes = [_tile(source, level - 1, at) for at in range(first, first + TILE_WIDTH)]
    while len(nodes) > 1:
        nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
    return nodes[0]
