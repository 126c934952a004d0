"""The hashes that proofs read, in memory by groups of 256: those just written, those lately read.

A proof takes a hash at a time, and a server may be far away. A hash never changes once it is
durable, so only what may not be durable has to be forgotten.

Source: C2SP tlog-tiles
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from tallystick.infrastructure.tally.log import Appended
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.tiles import TILE_WIDTH

MOST_GROUPS = 256
"""How many groups are kept: 2 MiB of hashes."""


class NearHashes:
    """Where proofs take the hashes of one log from; reads a whole group if it lacks one.

    Source: C2SP tlog-tiles
    """

    def __init__(self, store: TallyStore, most: int = MOST_GROUPS) -> None:
        """Hold at most so many groups of what `store` has.

        Source: C2SP tlog-tiles
        """
        self._store = store
        self._most = most
        self._groups: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """The hashes of leaves [start, end), in order.

        Raises Broken if one of them is missing.
        Source: C2SP tlog-tiles
        """
        number, first = divmod(start, TILE_WIDTH)
        last = first + end - start
        if last <= TILE_WIDTH:
            group = self._group(0, number, last)
            if len(group) >= last:
                return group[first:last]
        return self._store.leaf_hashes(start, end)

    def tile_hash(self, level: int, index: int) -> bytes | None:
        """The stored root over leaves [index * 256^level, (index + 1) * 256^level), level >= 1.

        Source: C2SP tlog-tiles
        """
        number, place = divmod(index, TILE_WIDTH)
        group = self._group(level, number, place + 1)
        return group[place] if place < len(group) else self._store.tile_hash(level, index)

    def keep(self, appended: Appended) -> None:
        """Hold what a batch added, now that it is durable.

        Source: RFC 9162, 2.1
        """
        self._extend(0, enumerate(appended.leaf_hashes, appended.first_index))
        for tile in appended.new_tiles:
            self._extend(tile.level, ((tile.index, tile.hash),))

    def forget(self) -> None:
        """Hold nothing: what is stored has to be read again.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._groups.clear()

    def _extend(self, level: int, hashes: Iterable[tuple[int, bytes]]) -> None:
        for index, hash_ in hashes:
            number, place = divmod(index, TILE_WIDTH)
            group = self._groups.get((level, number))
            if group is None and place == 0:
                group = self._place((level, number), [])
            if group is not None and len(group) == place:
                group.append(hash_)

    def _group(self, level: int, number: int, needed: int) -> list[bytes]:
        """A group from its beginning, as far as it is there without a gap."""
        held = self._groups.get((level, number))
        if held is not None and len(held) >= needed:
            self._groups.move_to_end((level, number))
            return held
        return self._place((level, number), self._store.group(level, number * TILE_WIDTH))

    def _place(self, name: tuple[int, int], group: list[bytes]) -> list[bytes]:
        self._groups[name] = group
        self._groups.move_to_end(name)
        if len(self._groups) > self._most:
            self._groups.popitem(last=False)
        return group
