"""The modules of two doors, beside the one that holds the provider's own keys.

Source: ISO 9564-1; ISO 11568; ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.application.keylife.store import every_key
from tallystick.entry.grounds import Ground
from tallystick.entry.keykeeping import recall_states
from tallystick.entry.paycrypt_settings import PURPOSES, paycrypt_settings
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import CryptoModule
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.database import Database
from tallystick.kernel.time import Clock


def pin_module(module: CryptoModule, on: Ground) -> SoftModule:
    """Where PINs of accounts are sealed and compared: here, also if the keys live elsewhere.

    What makes a guess slow would make everybody wait in a process that serves one call at a time.
    Source: ISO 9564-1; ISO/TS 12812-2:2017, 7.4.2
    """
    if isinstance(module, SoftModule):
        return module
    return SoftModule(BlockRoots({}), on.clock, profile=on.settings.profile)


def cards_module(
    folder: ProviderFolder,
    master: MasterKey,
    clock: Clock,
    entropy: Entropy | None,
    database: Database,
) -> SoftModule | None:
    """The module of the payment cryptography door, with the roots of its keys and no others.

    It knows from the record in which state each key is, before any comes in. None where the
    provider has no such door.
    Source: ISO 11568; ISO/TS 12812-2:2017, 7.4.2
    """
    fixed = paycrypt_settings(folder.root)
    if fixed is None:
        return None
    made = SoftModule(
        master.roots(PURPOSES),
        clock,
        profile=folder.settings().profile,
        entropy=entropy,
        rules=fixed.rules(),
    )
    recall_states(made, every_key(database))
    return made
