"""The keys of a provider as they are found: in its folder, in its key list, with its officers.

    at the start   what the record says of each key counts in the module before anything is loaded
    for ever       what is found goes to the writer, which enters what is new and ends what is over

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

from tallystick.application.keylife import (
    HeldCeremony,
    KeyRow,
    SeenKey,
    SeenKeys,
    kept_custody,
    kept_keys,
)
from tallystick.application.paycrypt import PaymentKey
from tallystick.application.paycrypt.model import OWNER
from tallystick.entry.ceremonies.standing import held_here
from tallystick.entry.paycrypt_settings import PaycryptSettings
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import SERVER_ROLES
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dual import DUAL, DUAL_ES256
from tallystick.infrastructure.keys.table import KEY_TABLE, LoadedKeys, end_of_life, load_for
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.store.blocks import blocks_of_the_door
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.isms.custody import CustodyEntry

T = TypeVar("T")
MASTER = "master"
_ALGORITHMS = {
    "ES256": "ecdsa-p256-sha256",
    "EdDSA": "ed25519",
    DUAL: "ed25519-ml-dsa-65",
    DUAL_ES256: "ecdsa-p256-ml-dsa-65",
}


def recall_states(module: CryptoModule, rows: Iterable[KeyRow]) -> None:
    """Let every key be in the state that the record says, before its block comes in.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for row in rows:
        if row.state != KeyState.ACTIVE:
            module.states.put(row.id, KeyState(row.state))


def load_in_state(
    module: CryptoModule, blocks: Iterable[bytes], rows: Mapping[str, KeyRow], now: Instant
) -> LoadedKeys:
    """The keys of the service without destroyed ones, those that may protect before the others.

    Counts of uses go on where the record left them. Raises what `load_for` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    kept = [one for one in blocks if module.states.of(peek(one).id) is not KeyState.DESTROYED]
    loaded = load_for(SERVER_ROLES, module, kept, now=now)

    def is_stopped(handle: KeyHandle) -> bool:
        return module.states.of(handle.id) is not KeyState.ACTIVE

    ordered = {
        purpose: tuple(sorted(handles, key=is_stopped))
        for purpose, handles in loaded.handles.items()
    }
    for handles in ordered.values():
        for handle in handles:
            row = rows.get(handle.id)
            if row is not None and row.uses:
                module.states.recall(handle.id, row.uses)
    return LoadedKeys(handles=ordered, left=loaded.left)


def state_keeper(
    module: CryptoModule, folder: ProviderFolder, cards: SoftModule | None
) -> Callable[[str, KeyState], None]:
    """What puts a key into a state: in the module, and for a destroyed one in the folder.

    Keys of the payment cryptography door are in `cards`, their blocks in the record.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def apply(key_id: str, state: KeyState) -> None:
        if cards is not None:
            is_there = cards.held(key_id) is not None
            cards.states.put(key_id, state)  # also of a key whose block comes in later
            if is_there:
                return
        module.states.put(key_id, state)
        if state is KeyState.DESTROYED:
            with suppress(MfsError, OSError):  # tried again, and told by the doctor until then
                folder.erase_block(key_id)

    return apply


def found_keys(folder: ProviderFolder, used: Callable[[str], int]) -> Iterator[SeenKey]:
    """Every key that the folder has or names, with how often it was `used`.

    Raises NotAuthentic for what is no key block.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for block in folder.blocks():
        yield _kept(block, used, "")
    for path in sorted((folder.root / "pki" / "keys").glob("*.block")):
        yield _kept(path.read_bytes(), used, "offline")
    settings = folder.settings()
    yield _named(settings.root, Purpose.PROVIDER_ROOT, "offline")
    for name, half in sorted(settings.officers.items()):
        yield _named(half, Purpose.OFFICER, name)


def door_keys(
    rows: Iterable[PaymentKey], cards: SoftModule | None, settings: PaycryptSettings | None
) -> tuple[SeenKey, ...]:
    """The keys of the payment cryptography door, each with an owner of its own.

    Their cryptoperiods are those of `settings`, else of the key table.
    Raises NotAuthentic for what is no key block.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    blocks = [(f"{OWNER}{row.id}", row.block) for row in rows if row.block]
    used = _never if cards is None else cards.states.used
    found = (_kept(block, used, owner) for owner, block in blocks)
    return tuple(one if settings is None else _dated(one, settings) for one in found)


def door_blocks(folder: ProviderFolder) -> list[bytes]:
    """The wrapped keys of the payment cryptography door, and of its domains of surrogates.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _stored(folder, blocks_of_the_door)


def inventory_of(folder: ProviderFolder) -> list[KeyRow]:
    """Every key that the record knows, by purpose and age; none before the provider was served.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return _stored(folder, kept_keys)


def custody_of(folder: ProviderFolder) -> list[CustodyEntry]:
    """The ledger of secure devices; empty before the provider was served.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """
    return _stored(folder, kept_custody)


def _stored(folder: ProviderFolder, read: Callable[[Connection], list[T]]) -> list[T]:
    """What `read` finds in the store; nothing before the provider was served."""
    try:
        place = folder.stored()
    except NotFound:
        return []
    with open_reader(place) as reader:
        return read(reader)


def seen_keys(
    folder: ProviderFolder, module: CryptoModule, at_the_door: tuple[SeenKey, ...]
) -> SeenKeys:
    """What is found now, as a command for the writer: keys, and ceremonies that were held.

    `at_the_door` is what `door_keys` found.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    ceremonies = tuple(
        HeldCeremony(
            id=one.id,
            script=one.script,
            profile=one.profile,
            digest=one.digest,
            people=len(one.people),
            held_at=one.held_at,
        )
        for one in held_here(folder)
    )
    return SeenKeys((*found_keys(folder, module.states.used), *at_the_door), ceremonies)


def _kept(block: bytes, used: Callable[[str], int], owner: str) -> SeenKey:
    header = peek(block)
    holders = " ".join(one.value for one in KEY_TABLE[header.purpose].holders)
    return SeenKey(
        id=header.id,
        purpose=header.purpose.value,
        mechanism=header.mechanism,
        owner=owner or holders,
        parent=MASTER,
        created_at=header.created_at,
        ends_at=end_of_life(header),
        kept=True,
        uses=used(header.id),
    )


def _never(_: str) -> int:
    return 0


def _dated(one: SeenKey, settings: PaycryptSettings) -> SeenKey:
    period = settings.period_ms(Purpose(one.purpose))
    return replace(one, ends_at=one.created_at + period if period else 0)


def _named(half: PublicHalf, purpose: Purpose, owner: str) -> SeenKey:
    mechanism = _ALGORITHMS.get(half.algorithm)
    if mechanism is None:
        raise NotPermitted(f"the settings name a key of algorithm {half.algorithm[:20]!r}")
    return SeenKey(
        id=f"{purpose.value}-{b64url(sha256(half.public.encode()))[:16]}",
        purpose=purpose.value,
        mechanism=mechanism,
        owner=owner,
        parent="",
        created_at=0,
        ends_at=0,
        kept=False,
    )
