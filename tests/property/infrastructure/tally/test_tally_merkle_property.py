"""The batch appender, the frontier and the tiles against the recursive definition of RFC 9162."""

import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.tally import merkle, tiles
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic, NotFound


def hashes_of(count: int, seed: int = 0) -> list[bytes]:
    return [hashlib.sha256(b"\x00%d/%d" % (seed, n)).digest() for n in range(count)]


def mth(nodes: list[bytes]) -> bytes:
    """MTH over leaf hashes, written from RFC 9162, 2.1.1."""
    if not nodes:
        return hashlib.sha256(b"").digest()
    if len(nodes) == 1:
        return nodes[0]
    k = 1
    while k * 2 < len(nodes):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(nodes[:k]) + mth(nodes[k:])).digest()


def path(m: int, nodes: list[bytes]) -> list[bytes]:
    """PATH(m, D_n), written from RFC 9162, 2.1.3.1."""
    if len(nodes) == 1:
        return []
    k = 1
    while k * 2 < len(nodes):
        k *= 2
    if m < k:
        return [*path(m, nodes[:k]), mth(nodes[k:])]
    return [*path(m - k, nodes[k:]), mth(nodes[:k])]


def subproof(m: int, nodes: list[bytes], known: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b), written from RFC 9162, 2.1.4.1."""
    if m == len(nodes):
        return [] if known else [mth(nodes)]
    k = 1
    while k * 2 < len(nodes):
        k *= 2
    if m <= k:
        return [*subproof(m, nodes[:k], known), mth(nodes[k:])]
    return [*subproof(m - k, nodes[k:], False), mth(nodes[:k])]


class Kept:
    """Leaf hashes and tiles in memory, as a store keeps them; counts what is read."""

    def __init__(self, *, with_tiles: bool = True) -> None:
        self.hashes: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.with_tiles = with_tiles
        self.read = 0

    def add(self, hashes: list[bytes], batch: merkle.Batch) -> None:
        self.hashes += hashes
        if self.with_tiles:
            self.tiles |= {(one.level, one.index): one.hash for one in batch.tiles}

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        self.read += end - start
        return self.hashes[start:end]

    def tile_hash(self, level: int, index: int) -> bytes | None:
        self.read += 1
        return self.tiles.get((level, index))


def grow(batches: list[int], *, with_tiles: bool = True) -> tuple[Kept, merkle.Frontier]:
    kept, frontier = Kept(with_tiles=with_tiles), merkle.Frontier()
    pool = hashes_of(sum(batches))
    for count in batches:
        chunk = pool[frontier.size : frontier.size + count]
        batch = merkle.append_batch(frontier, chunk)
        kept.add(chunk, batch)
        frontier = batch.frontier
    return kept, frontier


@settings(max_examples=150)
@given(st.lists(st.integers(1, 23), min_size=1, max_size=9))
def test_every_leaf_of_every_ragged_batch_has_the_proof_of_the_definition(
    batches: list[int],
) -> None:
    frontier, all_hashes = merkle.Frontier(), []
    pool = hashes_of(sum(batches))
    for count in batches:
        start = frontier.size
        chunk = pool[start : start + count]
        all_hashes += chunk
        batch = merkle.append_batch(frontier, chunk)
        assert batch.root == mth(all_hashes) == batch.frontier.root()
        assert batch.first_index == start
        assert [list(one) for one in batch.proofs] == [
            path(n, all_hashes) for n in range(start, start + count)
        ]
        unproved = merkle.append_batch(frontier, chunk, prove=False)
        assert unproved.proofs == ()
        assert (unproved.frontier, unproved.root) == (batch.frontier, batch.root)
        assert unproved.tiles == batch.tiles
        slow = frontier
        for one in chunk:
            slow = slow.append(one)
        assert slow == batch.frontier
        frontier = merkle.Frontier.from_octets(batch.frontier.octets())


def test_all_small_trees_prove_inclusion_and_consistency() -> None:
    pool = hashes_of(40)
    for n in range(1, 41):
        kept = Kept()
        kept.hashes = pool[:n]
        root = mth(pool[:n])
        for i in range(n):
            proof = tiles.inclusion_proof(kept, i, n)
            assert list(proof) == path(i, pool[:n])
            merkle.verify_inclusion(index=i, size=n, leaf=pool[i], proof=proof, root=root)
        for m in range(1, n + 1):
            proof = tiles.consistency_proof(kept, m, n)
            assert list(proof) == subproof(m, pool[:n], True)
            merkle.verify_consistency(
                old_size=m, new_size=n, old_root=mth(pool[:m]), new_root=root, proof=proof
            )


@settings(max_examples=30)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.data(), st.booleans())
def test_tiles_give_the_proofs_of_the_definition(
    batches: list[int], data: st.DataObject, with_tiles: bool
) -> None:
    kept, frontier = grow(batches, with_tiles=with_tiles)
    n = data.draw(st.integers(1, frontier.size))
    i = data.draw(st.integers(0, n - 1))
    m = data.draw(st.integers(1, n))
    assert list(tiles.inclusion_proof(kept, i, n)) == path(i, kept.hashes[:n])
    assert list(tiles.consistency_proof(kept, m, n)) == subproof(m, kept.hashes[:n], True)
    assert tiles.frontier_at(kept, n).root() == mth(kept.hashes[:n])


def test_a_tile_of_the_second_level_comes_with_the_leaf_that_fills_it() -> None:
    kept, frontier = grow([65_530, 10, 1_000])
    assert set(kept.tiles) == {(1, n) for n in range(259)} | {(2, 0)}
    assert kept.tiles[(2, 0)] == mth(kept.hashes[:65_536])
    assert frontier.size == 66_540
    kept.read = 0
    proof = tiles.inclusion_proof(kept, 12_345, 66_540)
    assert kept.read <= 3 * 256 + 256
    merkle.verify_inclusion(
        index=12_345, size=66_540, leaf=kept.hashes[12_345], proof=proof, root=frontier.root()
    )
    del kept.tiles[(2, 0)], kept.tiles[(1, 7)]
    assert tiles.inclusion_proof(kept, 66_000, 66_540) == tuple(path(66_000, kept.hashes))


def test_a_store_that_lost_leaves_is_broken_and_does_not_prove() -> None:
    kept, _ = grow([700])
    kept.hashes = kept.hashes[:300]
    with pytest.raises(Broken):
        tiles.inclusion_proof(kept, 0, 700)
    kept.tiles.clear()
    with pytest.raises(Broken):
        tiles.subtree_root(kept, 0, 512)


def test_what_is_not_in_the_tree_is_not_found() -> None:
    kept, _ = grow([5])
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(NotFound):
            tiles.inclusion_proof(kept, index, size)
    for old, new in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(NotFound):
            tiles.consistency_proof(kept, old, new)
    assert tiles.subtree_root(kept, 3, 3) == merkle.EMPTY_ROOT


@settings(max_examples=200)
@given(st.integers(1, 60), st.data())
def test_no_altered_proof_is_accepted(n: int, data: st.DataObject) -> None:
    pool = hashes_of(n)
    i = data.draw(st.integers(0, n - 1))
    proof = path(i, pool)
    mutated = list(proof)
    how = data.draw(st.sampled_from(["flip", "drop", "add", "short", "index", "size"]))
    index, size, root = i, n, mth(pool)
    if how == "flip" and mutated:
        at = data.draw(st.integers(0, len(mutated) - 1))
        bit = data.draw(st.integers(0, 255))
        mutated[at] = (int.from_bytes(mutated[at], "big") ^ 1 << bit).to_bytes(32, "big")
    elif how == "drop" and mutated:
        mutated.pop(data.draw(st.integers(0, len(mutated) - 1)))
    elif how == "short" and mutated:
        mutated[-1] = mutated[-1][:31]
    elif how == "index":
        index = data.draw(st.integers(-2, n + 2).filter(lambda one: one != i))
    elif how == "size":
        size = data.draw(st.integers(-1, i))
    else:
        mutated.insert(data.draw(st.integers(0, len(mutated))), pool[0])
    with pytest.raises(NotAuthentic):
        merkle.verify_inclusion(
            index=index, size=size, leaf=pool[i], proof=tuple(mutated), root=root
        )


def test_an_empty_batch_and_a_cut_frontier_are_malformed() -> None:
    with pytest.raises(Malformed):
        merkle.append_batch(merkle.Frontier(), [])
    octets = grow([7])[1].octets()
    for wrong in (octets[:-1], octets + bytes(32), b"", octets[:8]):
        with pytest.raises(Malformed):
            merkle.Frontier.from_octets(wrong)
    assert merkle.Frontier.from_octets(bytes(8)) == merkle.Frontier()
    assert merkle.Frontier().root() == hashlib.sha256(b"").digest()


def test_appending_keeps_pace_with_the_writer() -> None:
    """A gross bound, ten times what is expected, so that only a change of order fails it."""
    leaves = [b"x" * 500] * 32
    frontier = merkle.Frontier()
    began = time.perf_counter()
    for _ in range(100):
        frontier = merkle.append_batch(frontier, list(map(merkle.leaf_hash, leaves))).frontier
    assert (time.perf_counter() - began) / 3200 < 100e-6
    assert frontier.size == 3200
