"""A key that much is under gets a successor, and ends once nothing is under it any more.

That is a store key, a pepper of PINs, or what wraps the keys of subjects.

    begin    a new key, wrapped, beside the old one; the service uses it from its next start on and
             moves what is there, while it works
    left     what is still under an earlier key, or from before fields had labels
    finish   the earlier keys are destroyed; refused while anything is left

Sealed fields are moved by the service alone. What is kept of a PIN is moved when the PIN is entered
and right, since nobody else can make it anew; whoever does not come is forgotten if people say so.
A key of a subject keeps its value, since the salts of the log come from it: it is wrapped anew, and
what it seals is sealed anew by the mechanism of what wraps it.

Each step can be cut short and repeated: `begin` makes no second successor while one waits.

Source: ISO/TS 12812-2:2017, 7.4.2; C; ISO 11568
"""

from collections.abc import Iterable
from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import BlockHeader, peek, wrapped_under
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.sealing import MAGIC, key_tag_of, mechanism_of
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.wallet_pins import pepper_of
from tallystick.infrastructure.store.artefacts import (
    SUBJECT_KEYS,
    Group,
    stored_groups,
    subject_groups,
)
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.store.starts import uses_no_other
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


MOVED = (Purpose.STORE, Purpose.PIN_PEPPER, Purpose.SUBJECT_WRAP)
"""The purposes whose keys get a successor here."""

_VERIFIERS = "PIN verifiers"


def store_keys(
    folder: ProviderFolder, purpose: Purpose = Purpose.STORE
) -> list[tuple[BlockHeader, Path]]:
    """The keys of `purpose` of `folder` with their files, the newest first.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    found = [(peek(block), file) for file, block in folder.block_files()]
    mine = [one for one in found if one[0].purpose is purpose]
    return sorted(mine, key=lambda one: (one[0].created_at, one[0].id), reverse=True)


def begin(
    folder: ProviderFolder,
    opener: Opener,
    mechanism: str,
    clock: Clock,
    purpose: Purpose = Purpose.STORE,
) -> BlockHeader:
    """Make a successor of the newest key of `purpose`; gives the one that waits, if one does.

    Raises NotPermitted for a mechanism that the purpose does not use, and what the opener raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    known = store_keys(folder, purpose)
    if known and known[0][0].mechanism == mechanism and _waits(folder, purpose, len(known)):
        return known[0][0]
    roots = folder.master(opener).roots((purpose,))
    module = SoftModule(roots, clock, profile=folder.settings().profile)
    try:
        handle = module.generate(purpose, mechanism=mechanism)
        block = module.export_block(handle)
    finally:
        module.zeroise()
    folder.save_block(f"{purpose.value}-{handle.id}", block)
    return peek(block)


def progress(
    folder: ProviderFolder, purposes: Iterable[Purpose] = (Purpose.STORE,)
) -> tuple[Moved, ...]:
    """Of each kind, what is under the newest key and what is left; kinds with none left out.

    Raises NotFound where a purpose has no key.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    wanted = tuple(purposes)
    keys = {one: _newest(folder, one) for one in wanted}
    tags = {one: tag_of(key.id) for one, key in keys.items()}
    moved: dict[str, list[int]] = {}
    with open_reader(folder.stored()) as reader:
        if Purpose.SUBJECT_WRAP in keys:
            for group in subject_groups(reader):
                counts = moved.setdefault(group.kind, [0, 0])
                counts[not _is_moved(group, keys[Purpose.SUBJECT_WRAP])] += group.count
        if not {Purpose.STORE, Purpose.PIN_PEPPER} & tags.keys():
            return _told(moved)
        for group in stored_groups(reader):
            is_pin = group.kind == _VERIFIERS
            purpose = Purpose.PIN_PEPPER if is_pin else Purpose.STORE
            if purpose in tags and (is_pin or group.kind in UNDER_STORE_KEYS):
                counts = moved.setdefault(group.kind, [0, 0])
                under = pepper_of(group.head) if is_pin else key_tag_of(group.head)
                counts[under != tags[purpose]] += group.count
    return _told(moved)


def finish(
    folder: ProviderFolder, purpose: Purpose = Purpose.STORE, *, forget: bool = False
) -> tuple[str, ...]:
    """Destroy every key of `purpose` but the newest; gives their ids.

    With `forget` also while PINs are left under an older pepper: nothing verifies them then, and
    their customers come back by a recovery. Raises Conflict while something else is left under one
    of them, and while a service that began before the newest was there may run: it would go on
    with a key that is gone.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    left = sum(one.left for one in progress(folder, (purpose,)))
    if left and not (forget and purpose is Purpose.PIN_PEPPER):
        raise Conflict(
            f"{left} things are not under the newest key yet",
            remedy="let the service go on: tallystick crypto progress FOLDER",
        )
    newest, *earlier = store_keys(folder, purpose)
    with open_reader(folder.stored()) as reader:
        alone = uses_no_other(reader, purpose.value, tag_of(newest[0].id))
    if earlier and not alone:
        raise Conflict(
            "the service that runs, or was killed, began with an earlier key and still uses it",
            remedy="restart the service, wait until it serves, and finish then",
        )
    ended: list[str] = []
    for header, _ in earlier:
        folder.erase_block(header.id)
        ended.append(header.id)
    return tuple(ended)


def tag_of(key_id: str) -> str:
    """How the key with this id is named in what is under it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return key_id[-_SHOWN:]


def followed(folder: ProviderFolder, purpose: Purpose) -> bool:
    """Whether a key of `purpose` has a successor, and is not ended yet.

    What wraps the keys of subjects is itself the successor of what the master key gives.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return len(store_keys(folder, purpose)) > (purpose is not Purpose.SUBJECT_WRAP)


def _waits(folder: ProviderFolder, purpose: Purpose, known: int) -> bool:
    """Whether the newest of `known` keys has not taken everything over yet."""
    if known > 1 or purpose is not Purpose.SUBJECT_WRAP:
        return known > 1
    return any(one.left for one in progress(folder, (purpose,)))


def _told(moved: dict[str, list[int]]) -> tuple[Moved, ...]:
    return tuple(
        Moved(kind=kind, moved=counts[0], left=counts[1]) for kind, counts in sorted(moved.items())
    )


def _is_moved(group: Group, key: BlockHeader) -> bool:
    """Whether keys of subjects are under `key`, or what they seal is sealed by its mechanism."""
    if group.kind == SUBJECT_KEYS:
        return wrapped_under(group.head) == tag_of(key.id)
    return group.head[:4] == MAGIC and mechanism_of(group.head) == key.mechanism


def _newest(folder: ProviderFolder, purpose: Purpose) -> BlockHeader:
    known = store_keys(folder, purpose)
    if not known:
        raise NotFound(f"there is no {purpose.value} key", remedy="check the folder of keys")
    return known[0][0]
