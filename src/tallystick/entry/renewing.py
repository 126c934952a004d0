"""Renewal of the signed key list: what is near its end gets a successor, the version counts up.

Whoever keeps the root runs this; the service takes the new keys into use at its next start.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Collection
from typing import Final

from tallystick.entry.auditing import listed_keys
from tallystick.entry.keylisting import check_root, save_lists, signature_rule
from tallystick.entry.module_settings import open_module
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import SERVER_ROLES, public_half
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.keys.keylist import entry_of
from tallystick.infrastructure.keys.table import KEY_TABLE, end_of_life, load_for, purposes_of
from tallystick.infrastructure.modules.block import is_reference, peek
from tallystick.infrastructure.modules.interface import (
    DUAL_SIGNATURE,
    ED25519,
    MECHANISMS,
    CryptoModule,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import DAY_MS, Clock, Instant
from tallystick.process.policy.language.suites import CLASSICAL, DUAL, SignatureRule
from tallystick.protocol.keylist import KeyEntry, KeyList

LIST_LIFE_MS = 7 * DAY_MS
SUITES: Final = {"classical": ED25519, "hybrid": DUAL_SIGNATURE}
"""What the tally is signed with: one signature, or two of which both count."""

RENEWED = (Purpose.SESSION_SIGNATURE, Purpose.DEVICE_CA, Purpose.TALLY)
"""Purposes whose keys the list names and a renewal replaces."""

_EARLY_MS = 30 * DAY_MS
_SHORT_LIVED = frozenset({Purpose.SESSION_SIGNATURE.value})


class Renewed(Record, frozen=True, kw_only=True):
    """What a renewal made: the list's version and end, the new keys, the old ones left out.

    `tightening` says whether a key that signs tightenings was made; settings name its public half.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    version: int
    expires_at: int
    made: tuple[KeyEntry, ...]
    dropped: tuple[KeyEntry, ...]
    tightening: bool = False


def renew_keys(
    folder: ProviderFolder,
    opener: Opener,
    root: SigningKey,
    clock: Clock,
    *,
    suite: str = "",
    wanted: Collection[Purpose] = (),
) -> Renewed:
    """Sign the key list of `folder` anew with `root`, with successors of keys near their end.

    Near is half of a life, at most thirty days; a purpose that is `wanted` gets one anyway, and so
    does one that has moved into a device. Keys that signed what must stay verifiable (tally, device
    CA) stay on the list; a session-signature key past its time leaves it and is destroyed.
    `suite` is `hybrid` or `classical`: the tally's key gets a successor of that suite; empty for
    what the policy in force says, and for the same as before where it says nothing.
    Raises NotPermitted for another root and for a suite that the policy does not ask for,
    NotAuthentic for another opener.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    settings, rule = folder.settings(), signature_rule(folder)
    check_root(folder, root, rule)
    suite = _suite(rule, suite)
    now = clock.now()
    master = folder.master(opener)
    roots = master.roots(purposes_of(SERVER_ROLES))
    module = open_module(folder.root, roots, clock, profile=settings.profile)
    try:
        before = listed_keys(folder)
        made = _successors(folder, module, now, suite, wanted)
        signing = _tightening_key(folder, module, now)
        entries = tuple(entry for entry, _ in made)
        kept = [entry for entry in before.entries if not _is_over(entry, now)]
        version, expires_at = before.version + 1, Instant(now + LIST_LIFE_MS)
        save_lists(
            folder,
            root,
            rule,
            version=version,
            issued_at=now,
            expires_at=expires_at,
            entries=[*kept, *entries],
        )
    finally:
        module.zeroise()
    for entry, block in made:
        folder.save_block(f"{entry.purpose}-{entry.kid}", block)
    _destroy_past(folder, now)
    dropped = tuple(entry for entry in before.entries if entry not in kept)
    return Renewed(
        version=version, expires_at=expires_at, made=entries, dropped=dropped, tightening=signing
    )


def _suite(rule: SignatureRule, wanted: str) -> str:
    """The suite of the tally: what the policy says; what is `wanted` where it says nothing."""
    asked = {DUAL: "hybrid", CLASSICAL: "classical"}.get(rule.checkpoints, "")
    if asked and wanted and wanted != asked:
        raise NotPermitted(
            f"the policy in force asks for {rule.checkpoints} signatures of the log",
            because=rule.because,
            remedy="leave --suite out, or put another policy into force",
        )
    return asked or wanted


def is_near_its_end(entry: KeyEntry, now: Instant) -> bool:
    """Whether a key has less than half of its life, and less than thirty days, before it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    life = KEY_TABLE[Purpose(entry.purpose)].max_life_ms
    return entry.not_after - now < min(_EARLY_MS, life // 2)


def list_is_near_its_end(key_list: KeyList, now: Instant) -> bool:
    """Whether the list has less than two days before it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return key_list.expires_at - now < 2 * DAY_MS


def _successors(
    folder: ProviderFolder,
    module: CryptoModule,
    now: Instant,
    suite: str,
    wanted: Collection[Purpose],
) -> list[tuple[KeyEntry, bytes]]:
    """New keys as they are listed and as they are kept; kept once the list that names them is."""
    loaded = load_for(SERVER_ROLES, module, folder.blocks(), now=now)
    made: list[tuple[KeyEntry, bytes]] = []
    for purpose in RENEWED:
        newest = next(iter(loaded.handles.get(purpose, ())), None)
        mechanism = _mechanism(purpose, newest, suite)
        asked = purpose in wanted or newest is None or newest.mechanism != mechanism
        if not asked and newest is not None and not _is_due(folder, module, newest, now):
            continue
        handle = module.generate(purpose, mechanism=mechanism)
        made.append((_entry(module, handle), module.export_block(handle)))
    return made


def _is_due(folder: ProviderFolder, module: CryptoModule, newest: KeyHandle, now: Instant) -> bool:
    """Whether a key is near its end, or in the wrong place now."""
    return _is_outside(folder, module, newest) or is_near_its_end(_entry(module, newest), now)


def _is_outside(folder: ProviderFolder, module: CryptoModule, handle: KeyHandle) -> bool:
    """Whether a key is not in the device that the settings want it in."""
    inside = {peek(one).id for one in folder.blocks() if is_reference(one)}
    return handle.purpose in module.capabilities().in_device and handle.id not in inside


def _mechanism(purpose: Purpose, newest: KeyHandle | None, suite: str) -> str:
    """What a successor is made of: what the suite says for the tally, as before for the others."""
    if purpose is Purpose.TALLY and suite:
        return SUITES[suite]
    return MECHANISMS[purpose][0] if newest is None else newest.mechanism


def _tightening_key(folder: ProviderFolder, module: CryptoModule, now: Instant) -> bool:
    """Make a key that signs tightenings where there is none for long enough; whether one was."""
    loaded = load_for(SERVER_ROLES, module, folder.blocks(), now=now)
    settings = folder.settings()
    known = {half.public for half in settings.tightening}
    for handle in loaded.handles.get(Purpose.TIGHTENING, ()):
        public = b64url(module.public_octets(handle))
        stays = end_of_life(handle) - now >= _EARLY_MS
        if public in known and stays and not _is_outside(folder, module, handle):
            return False
    handle = module.generate(Purpose.TIGHTENING)
    folder.save_block(f"{Purpose.TIGHTENING.value}-{handle.id}", module.export_block(handle))
    half = public_half(ModuleSigner(module, handle))
    folder.save_settings(replace(settings, tightening=(*settings.tightening, half)))
    return True


def _entry(module: CryptoModule, handle: KeyHandle) -> KeyEntry:
    return entry_of(
        module,
        handle,
        not_before=Instant(handle.created_at),
        not_after=Instant(end_of_life(handle)),
    )


def _is_over(entry: KeyEntry, now: Instant) -> bool:
    return entry.purpose in _SHORT_LIVED and entry.not_after <= now


def _destroy_past(folder: ProviderFolder, now: Instant) -> None:
    for _, block in folder.block_files():
        header = peek(block)
        if header.purpose is Purpose.SESSION_SIGNATURE and end_of_life(header) <= now:
            folder.erase_block(header.id)
