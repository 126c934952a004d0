"""A store key gets a successor, and ends once nothing is sealed under it any more.

    begin    a new store key, wrapped, beside the old one; the service seals under it from its next
             start on and moves what is there, while it works
    left     what is still sealed under an earlier key, or from before fields had labels
    finish   the earlier keys are destroyed; refused while anything is left

Each step can be cut short and repeated: `begin` makes no second successor while one waits.

Source: ISO/TS 12812-2:2017, 7.4.2; C; ISO 11568
"""

from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import BlockHeader, peek
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.sealing import key_tag_of
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.artefacts import stored_groups
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock

UNDER_STORE_KEYS = frozenset(
    {
        "operators' names",
        "operators' acts",
        "emergencies",
        "findings on emergencies",
        "renewal secrets",
    }
)
"""The kinds of the survey that are sealed under a store key; others are under their subject's."""

_SHOWN = 8


class Moved(Record, frozen=True, kw_only=True):
    """Of one kind: how many are sealed under the newest key, and how many are not yet.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    kind: str
    moved: int
    left: int


def store_keys(folder: ProviderFolder) -> list[tuple[BlockHeader, Path]]:
    """The store keys of `folder` with their files, the newest first.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    files = sorted((folder.root / "keys").glob("*.block"))
    found = [(peek(one.read_bytes()), one) for one in files]
    mine = [one for one in found if one[0].purpose is Purpose.STORE]
    return sorted(mine, key=lambda one: (one[0].created_at, one[0].id), reverse=True)


def begin(folder: ProviderFolder, opener: Opener, mechanism: str, clock: Clock) -> BlockHeader:
    """Make a successor of the newest store key; gives the one that waits, if there is one already.

    Raises NotPermitted for a mechanism that seals no store, and what the opener raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    known = store_keys(folder)
    if len(known) > 1 and known[0][0].mechanism == mechanism:
        return known[0][0]
    roots = folder.master(opener).roots((Purpose.STORE,))
    module = SoftModule(roots, clock, profile=folder.settings().profile)
    try:
        handle = module.generate(Purpose.STORE, mechanism=mechanism)
        block = module.export_block(handle)
    finally:
        module.zeroise()
    folder.save_block(f"{Purpose.STORE.value}-{handle.id}", block)
    return peek(block)


def progress(folder: ProviderFolder) -> tuple[Moved, ...]:
    """Of each kind, what is under the newest store key and what is left; kinds with none left out.

    Raises NotFound where there is no store key.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    known = store_keys(folder)
    if not known:
        raise NotFound("there is no store key", remedy="check the folder of keys")
    tag = known[0][0].id[-_SHOWN:]
    moved: dict[str, list[int]] = {}
    with open_reader(folder.stored()) as reader:
        for group in stored_groups(reader):
            if group.kind in UNDER_STORE_KEYS:
                counts = moved.setdefault(group.kind, [0, 0])
                counts[key_tag_of(group.head) != tag] += group.count
    return tuple(
        Moved(kind=kind, moved=counts[0], left=counts[1]) for kind, counts in sorted(moved.items())
    )


def finish(folder: ProviderFolder) -> tuple[str, ...]:
    """Destroy every store key but the newest; gives their ids.

    Raises Conflict while something is sealed under one of them.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    left = sum(one.left for one in progress(folder))
    if left:
        raise Conflict(
            f"{left} things are not under the newest key yet",
            remedy="let the service go on: tallystick crypto progress FOLDER",
        )
    ended: list[str] = []
    for header, file in store_keys(folder)[1:]:
        file.unlink()
        ended.append(header.id)
    return tuple(ended)
