"""What is done about keys while the service runs: the list is followed, the account is kept.

    the root's keeper signs a list with successors   keys renew, beside the service
    the new list is served at once                   wallets fetch it within the hour
    the new keys are used once every wallet has it   sessions and checkpoints go on without a pause

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tallystick.application.keylife import SeenKeys
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.suites import served_ways, told
from tallystick.entry.trusting import believed, identity_of
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.dual import DUALS
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, Instant
from tallystick.process.policy.language.suites import SignatureRule
from tallystick.protocol.keylist import KeyList

FOLLOWED_EVERY_S = 1.0
COUNTED_EVERY_S = 30.0
PUBLISHED_MS: Final = HOUR_MS + 5 * MINUTE_MS
"""How long a list is served before its new keys are used; wallets keep a list for an hour."""

_FOLLOWED = (Purpose.SESSION_SIGNATURE, Purpose.TALLY)
_Mark = tuple[int, int, int]


class Follower:
    """Takes a new list and its keys into use.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, platform: Platform) -> None:
        """Begin with the list that `platform` was opened with.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._platform = platform
        self._mark = self._look()
        self._settled = _mark(platform.folder.settings_file)
        self._switch_at = 0
        self._told = ""
        self._seen: object = None

    def tick(self) -> tuple[Note, str] | None:
        """Serve a new list, or use its keys if it is time; what happened, if anything did.

        Raises what a list or a block is refused with; what is in use stays then.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        now = self._platform.clock.now()
        settled = _mark(self._platform.folder.settings_file)
        if settled != self._settled:
            self._settled = settled
            widened = self._widened()
            if widened:
                return Note.OFFICER_WIDENED, widened
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
        return self._way()

    def _widened(self) -> str:
        """Whose second half the settings name now, and the service believes from now on."""
        halves = self._platform.folder.settings().officers.items()
        named = {name: half.verify_key() for name, half in halves}
        return " ".join(self._platform.desks.policy.widen(named))

    def _wide(self) -> list[str]:
        """The officers whose second halves are believed."""
        halves = self._platform.desks.policy.officers.items()
        return [name for name, key in halves if key.algorithm in DUALS]

    def _way(self) -> tuple[Note, str] | None:
        """What the policy asks for and is not in use, told when it changes; nothing at first."""
        platform, policy = self._platform, self._platform.desks.policy
        rule = policy.base.policy.signatures if policy.version else SignatureRule()
        lines = platform.archive.note.rpartition("\n\n")[2].count("\n")
        mark = (policy.version, platform.trust.key_list, lines, len(self._wide()), rule)
        if self._seen == mark or not rule.because:
            return None
        self._seen = mark
        before, self._told = self._told, told(served_ways(platform))
        if self._told:
            return (Note.SUITES_AWAITED, self._told) if self._told != before else None
        return (Note.SUITES_REACHED, f"policy {policy.version}") if before else None

    def _serve(self, now: Instant) -> KeyList:
        platform = self._platform
        trust, before = platform.trust, platform.trust.identity
        listed, root, text, classical = believed(
            platform.folder, trust.root, now, before.key_list_version
        )
        trust.root, trust.key_list, trust.classical = root, text, classical
        trust.ends = Instant(listed.expires_at)
        trust.identity = ProviderIdentity(before.provider, before.kid, before.sign, listed.version)
        return listed

    def _use(self, purpose: Purpose) -> bool:
        """Put the newest listed key of `purpose` into use; whether it was another one."""
        platform = self._platform
        module, trust = platform.module, platform.trust
        now = platform.clock.now()
        listed = verify_key_list(trust.key_list, trust.root, now, 0)
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

    def _look(self) -> tuple[_Mark, ...]:
        folder = self._platform.folder
        return tuple(_mark(one) for one in (folder.classical_list_file, folder.dual_list_file))


def _mark(file: Path) -> _Mark:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def key_duties(
    platform: Platform, writer: WriterLoop, accounting: Accounting
) -> tuple[Coroutine[Any, Any, None], ...]:
    """What is done about keys beside the answering, for ever.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return keep_account(platform, writer), follow_key_list(platform, accounting)


async def follow_key_list(platform: Platform, accounting: Accounting) -> None:
    """Look for a new list, for ever; one that is refused is told and not served.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    follower = Follower(platform)
    while True:
        await asyncio.sleep(FOLLOWED_EVERY_S)
        try:
            happened = follower.tick()
        except (MfsError, OSError) as error:
            accounting.note(Note.KEY_LIST_REFUSED, why=str(error))
            continue
        if happened is not None:
            accounting.note(happened[0], what=happened[1])


async def keep_account(platform: Platform, writer: WriterLoop) -> None:
    """Tell the writer, for ever, which keys there are and how often they were used.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    before: SeenKeys | None = None
    while True:
        await asyncio.sleep(COUNTED_EVERY_S)
        await asyncio.to_thread(_erase_again, platform)
        found = await asyncio.to_thread(platform.seen_keys)
        if found != before or _is_over(platform):
            await writer.ask(found)
            before = found


def _erase_again(platform: Platform) -> None:
    """Erase what the record calls destroyed and the folder still has."""
    rows = list(platform.desks.keylife.rows().values())
    gone = {one.id for one in rows if one.state == KeyState.DESTROYED}
    for block in platform.folder.blocks():
        if peek(block).id in gone:
            with suppress(MfsError, OSError):
                platform.folder.erase_block(peek(block).id)


def _is_over(platform: Platform) -> bool:
    now = platform.clock.now()
    running = {KeyState.ACTIVE.value, KeyState.SUSPENDED.value}
    rows = platform.desks.keylife.rows().values()
    return any(0 < one.ends_at <= now and one.state in running for one in rows)
