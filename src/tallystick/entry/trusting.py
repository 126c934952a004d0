"""The key list that is served and the keys that it names, followed while the service runs.

    the root's keeper signs a list with successors   keys renew, beside the service
    the new list is served at once                   wallets fetch it within the hour
    the new keys are used once every wallet has it   sessions and checkpoints go on without a pause

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from tallystick.entry.accounting import Accounting
from tallystick.entry.keykeeping import keep_account
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, Instant
from tallystick.protocol.keylist import KeyList

if TYPE_CHECKING:
    from tallystick.entry.assembly import Platform

EVERY_S = 1.0
PUBLISHED_MS: Final = HOUR_MS + 5 * MINUTE_MS
"""How long a list is served before its new keys are used; wallets keep a list for an hour."""

_FOLLOWED = (Purpose.SESSION_SIGNATURE, Purpose.TALLY)
_Mark = tuple[int, int, int]


class Trust:
    """What the service serves as its key list, and as whom it answers handshakes.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
    """

    __slots__ = ("ends", "identity", "key_list")

    def __init__(self, identity: ProviderIdentity, key_list: str, ends: Instant) -> None:
        """Serve `key_list`, which `ends` then, and answer as `identity`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.identity = identity
        self.key_list = key_list
        self.ends = ends


def identity_of(
    module: CryptoModule, handle: KeyHandle, provider: str, version: int
) -> ProviderIdentity:
    """Who answers handshakes with the key of `handle`, by the list of this `version`.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    return ProviderIdentity(
        provider=provider,
        kid=handle.id,
        sign=lambda message: module.sign(handle, message),
        key_list_version=version,
    )


class Follower:
    """Takes a new list and its keys into use.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, platform: "Platform") -> None:
        """Begin with the list that `platform` was opened with.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._platform = platform
        self._mark = self._look()
        self._switch_at = 0

    def tick(self) -> tuple[Note, str] | None:
        """Serve a new list, or use its keys if it is time; what happened, if anything did.

        Raises what a list or a block is refused with; what is in use stays then.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        now = self._platform.clock.now()
        mark = self._look()
        if mark != self._mark:
            self._mark = mark
            listed = self._serve(now)
            self._switch_at = now + PUBLISHED_MS
            return Note.KEY_LIST_SERVED, f"version {listed.version}"
        if 0 < self._switch_at <= now:
            self._switch_at = 0
            used = [one for one in _FOLLOWED if self._use(one)]
            if used:
                return Note.KEYS_IN_USE, " ".join(used)
        return None

    def _serve(self, now: Instant) -> KeyList:
        platform = self._platform
        text = platform.folder.key_list_file.read_text(encoding="utf-8")
        before = platform.trust.identity
        root = platform.settings.root.verify_key()
        listed = verify_key_list(text, root, now, before.key_list_version)
        trust = platform.trust
        trust.key_list, trust.ends = text, Instant(listed.expires_at)
        trust.identity = ProviderIdentity(before.provider, before.kid, before.sign, listed.version)
        return listed

    def _use(self, purpose: Purpose) -> bool:
        """Put the newest listed key of `purpose` into use; whether it was another one."""
        platform = self._platform
        module, trust = platform.module, platform.trust
        now = platform.clock.now()
        root = platform.settings.root.verify_key()
        listed = verify_key_list(trust.key_list, root, now, 0)
        kids = {one.kid for one in listed.entries if one.purpose == purpose}
        known = platform.keys.newest(purpose)
        newest = known
        for block in platform.folder.blocks():
            header = peek(block)
            fresh = header.id in kids and header.created_at > newest.created_at
            if fresh and module.states.of(header.id) is KeyState.ACTIVE:
                newest = module.import_block(block)
        if newest.id == known.id:
            return False
        handles = platform.keys.handles
        handles[purpose] = (newest, *handles[purpose])
        if purpose is Purpose.TALLY:
            signer = ModuleSigner(module, newest)
            platform.archive.sign_with(NoteSigner.of(platform.settings.origin, signer))
        else:
            provider = platform.settings.provider
            trust.identity = identity_of(module, newest, provider, listed.version)
        return True

    def _look(self) -> _Mark:
        try:
            found = self._platform.folder.key_list_file.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def key_duties(
    platform: "Platform", writer: WriterLoop, accounting: Accounting
) -> tuple[Coroutine[Any, Any, None], ...]:
    """What is done about keys beside the answering, for ever.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return keep_account(platform, writer), follow_key_list(platform, accounting)


async def follow_key_list(platform: "Platform", accounting: Accounting) -> None:
    """Look for a new list, for ever; one that is refused is told and not served.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    follower = Follower(platform)
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            happened = follower.tick()
        except (MfsError, OSError) as error:
            accounting.note(Note.KEY_LIST_REFUSED, why=str(error))
            continue
        if happened is not None:
            accounting.note(happened[0], what=happened[1])
