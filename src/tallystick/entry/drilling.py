"""A drill of a compromised key, on a copy: the old key is given up, its successor takes over.

    backup -> restored copy -> a successor -> the old key declared compromised, and tried
                                          -> destroyed, and tried; another copy opens the rest

Nothing of the provider is changed; the copy is removed afterwards.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; ISO/IEC 27001, A.5.29
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tallystick.entry.keykeeping import door_blocks, inventory_of
from tallystick.entry.paycrypt_settings import paycrypt_settings
from tallystick.entry.restoring import back_up, restore
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.aead import NONCE_LENGTH
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.keys.dependants import Dependant, dependants
from tallystick.infrastructure.keys.table import KEY_TABLE, load_for
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.card_interface import STRICT
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    OPERATIONS,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.pair_interface import PAIRS_OF
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.errors import MfsError, NotFound, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock


class DrillStep(Record, frozen=True, kw_only=True):
    """One thing that was tried, whether it came out as it has to, and what was seen.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    what: str
    held: bool
    says: str


class Drill(Record, frozen=True, kw_only=True):
    """What a drill came to: the keys, every step, what hangs on the purpose, how long it took.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    purpose: str
    old: str
    successor: str
    steps: tuple[DrillStep, ...]
    dependants: tuple[Dependant, ...]
    took_ms: int

    @property
    def held(self) -> bool:
        """Whether every step came out as it has to.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return all(one.held for one in self.steps)


def rehearsable(folder: ProviderFolder) -> tuple[str, ...]:
    """The purposes whose keys a process of the provider in `folder` holds, by name.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    found = {peek(one).purpose for one in _blocks(folder)} - ADMITTED_ONLY
    return tuple(sorted(one.value for one in found if KEY_TABLE[one].holders))


def drill(folder: ProviderFolder, opener: Opener, purpose: Purpose, clock: Clock) -> Drill:
    """Give up the newest key of `purpose` on a copy of the provider in `folder`.

    Raises NotFound for a purpose of which the folder has no key in force, and what a backup and
    `open_master` raise.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        back_up(folder, place / "backup", clock.now())
        copy = ProviderFolder(place / "copy")
        restore(place / "backup", copy, clock.now(), operating_system)
        module = _module(copy, opener, clock, purpose)
        try:
            holders = KEY_TABLE[purpose].holders
            blocks = [one for one in _blocks(copy) if peek(one).purpose is purpose]
            found = load_for(holders, module, blocks, now=clock.now())
            old = found.newest(purpose)
            successor, steps = _steps(copy, module, old)
        finally:
            module.zeroise()
        kept = len(inventory_of(copy)) == len(inventory_of(folder))
    said = "every key of the record is in the copy" if kept else "the copy lacks keys"
    steps.append(DrillStep(what="the backup has the inventory", held=kept, says=said))
    return Drill(
        purpose=purpose.value,
        old=old.id,
        successor=successor.id,
        steps=tuple(steps),
        dependants=dependants(purpose),
        took_ms=int((time.monotonic() - began) * 1_000),
    )


def _module(folder: ProviderFolder, opener: Opener, clock: Clock, purpose: Purpose) -> SoftModule:
    """A module with the roots of this purpose alone."""
    roots = folder.master(opener).roots((purpose,))
    fixed = paycrypt_settings(folder.root)
    rules = STRICT if fixed is None else fixed.rules()
    return SoftModule(roots, clock, profile=folder.settings().profile, rules=rules)


def _blocks(folder: ProviderFolder) -> list[bytes]:
    """The keys of the service, and those of the payment cryptography door."""
    return [*folder.blocks(), *door_blocks(folder)]


def _steps(
    folder: ProviderFolder, module: SoftModule, old: KeyHandle
) -> tuple[KeyHandle, list[DrillStep]]:
    block = module.export_block(old)
    use = _use_of(module, old)
    steps = [_does("the old key works before", lambda: use(old))]
    successor = module.generate(old.purpose, mechanism=old.mechanism)
    steps.append(_does("a successor is made and works", lambda: use(successor)))
    module.states.put(old.id, KeyState.COMPROMISED)
    if OPERATIONS[old.mechanism] != frozenset({Operation.KEM_OPEN}):
        steps.append(_refuses("the compromised key protects nothing", lambda: use(old)))
    module.states.put(old.id, KeyState.DESTROYED)
    for path, found in folder.block_files():
        if peek(found).id == old.id:
            path.unlink()  # of the copy; its wrap is the provider's and stays
    steps.append(_refuses("the destroyed key is gone", lambda: use(old)))
    steps.append(_refuses("a copy of its block opens nothing", lambda: module.import_block(block)))
    steps.append(_does("the successor goes on", lambda: use(successor)))
    return successor, steps


def _use_of(module: SoftModule, like: KeyHandle) -> Callable[[KeyHandle], object]:
    """One use of a key with this mechanism, one that protects where it has any."""
    operations = OPERATIONS[like.mechanism]
    if Operation.SIGN in operations:
        return lambda handle: module.sign(handle, b"drill")
    if Operation.MAC in operations:
        return lambda handle: module.mac(handle, b"drill")
    if Operation.SEAL in operations:
        return lambda handle: module.seal(handle, module.random(NONCE_LENGTH), b"drill", b"")
    if Operation.KEM_OPEN in operations:
        suite = KemSuite(like.mechanism)
        return lambda handle: module.kem_open(
            handle,
            KemPublicKey(suite, module.public_octets(handle)).seal(b"drill", info=b"drill"),
            info=b"drill",
        )
    return (
        module.pairs.check_value
        if like.purpose.value in PAIRS_OF
        else module.key_blocks.check_value
    )


def _does(what: str, act: Callable[[], object]) -> DrillStep:
    try:
        act()
    except MfsError as error:
        return DrillStep(what=what, held=False, says=error.detail)
    return DrillStep(what=what, held=True, says="it does")


def _refuses(what: str, act: Callable[[], object]) -> DrillStep:
    try:
        act()
    except (NotPermitted, NotFound) as refusal:
        return DrillStep(what=what, held=True, says=refusal.detail)
    return DrillStep(what=what, held=False, says="it was used")
