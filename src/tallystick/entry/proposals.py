"""What waits for officers in a folder: the loop's policies, and tightenings beyond their caps.

    FOLDER/proposals/DIGEST.yaml         a policy that the loop proposes; .waits.json until when
    FOLDER/proposals/tpr_....json        a tightening beyond its caps, for two officers to sign
    FOLDER/proposals/tpr_....signed.json what they signed: taken in, then .done or .refused

Each proposal is noted when it begins to wait and when it does so no more, and counted.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 6.2.3
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallystick.application.own_commands import ApproveTightening
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.time import SECOND_MS, Instant, iso_utc
from tallystick.process.loop.model import STATE_FILE, Waits, read_state, read_waits
from tallystick.protocol.statements import read_statement

PROPOSALS: Final = "proposals"
WAITS: Final = ".waits.json"
SIGNED: Final = ".signed.json"
EVERY_S: Final = 5.0
COUNT: Final = "proposals_waiting"
OLDEST: Final = "proposals_oldest_seconds"
_MOST_OCTETS: Final = 64 * 1024


def waits_until(policy: Path) -> int:
    """Until when (ms) the loop's proposal in the file `policy` waits; 0 where nothing says so.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        return read_waits(policy.with_suffix(WAITS).read_bytes()).until
    except (MfsError, OSError):
        return 0


def loops_proposal(root: Path) -> Waits | None:
    """What the loop proposed last in the folder `root`, if its last round still does.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        state = read_state((root / STATE_FILE).read_bytes())
        if not state.proposal:
            return None
        return read_waits((root / PROPOSALS / f"{state.proposal}{WAITS}").read_bytes())
    except (MfsError, OSError):
        return None


def is_waiting(one: Waits, version: int, now: Instant) -> bool:
    """Whether the loop's proposal waits at `now` while policy `version` is in force.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return version < one.version and now < one.until


class Desk:
    """Knows which proposals wait; notes of the loop's when that begins and ends.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, platform: Platform, accounting: Accounting, root: Path) -> None:
        """Look into the folder `root` of `platform`.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._platform = platform
        self._accounting = accounting
        self._root = root
        self._told: Waits | None = None
        accounting.gauges[COUNT] = lambda: len(list(self._since()))
        accounting.gauges[OLDEST] = self._oldest_s

    def look(self, found: Waits | None) -> None:
        """Note what changed: `found` is what the loop proposes now.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        now, version = self._platform.clock.now(), self._platform.desks.policy.version
        before = self._told
        waits = found is not None and is_waiting(found, version, now)
        if before is not None and (not waits or before != found):
            why = "not needed any more"
            if version >= before.version:
                why = f"policy version {version} is in force"
            elif now >= before.until:
                why = "expired"
            self._note(Note.PROPOSAL_ENDED, before, why)
        if found is not None and waits and before != found:
            self._note(Note.PROPOSAL_WAITS, found, f"policy version {found.version} is proposed")
        self._told = found if waits else None

    def _note(self, note: Note, one: Waits, why: str) -> None:
        self._accounting.note(
            note, kind="policy", proposal=one.digest, until=iso_utc(one.until), why=why
        )

    def _since(self) -> Iterator[int]:
        now, policy = self._platform.clock.now(), self._platform.desks.policy
        if self._told is not None and is_waiting(self._told, policy.version, now):
            yield self._told.at
        for one in policy.measures.proposals.waiting:
            if now < one.until:
                yield one.proposal().at

    def _oldest_s(self) -> int:
        now = self._platform.clock.now()
        return max((now - at for at in self._since()), default=0) // SECOND_MS

    def leave(self) -> None:
        """Leave each tightening that waits for officers to sign; take away what waits no more.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        place = self._root / PROPOSALS
        waiting = {
            one.id: one.body for one in self._platform.desks.policy.measures.proposals.waiting
        }
        for name, body in waiting.items():
            path = place / f"{name}.json"
            if not path.exists():
                place.mkdir(mode=0o700, exist_ok=True)
                replace_file(path, body.encode())
        for path in place.glob("tpr_*.json"):
            if path.name.removesuffix(SIGNED).removesuffix(".json") not in waiting:
                path.unlink(missing_ok=True)

    def signed(self) -> list[tuple[Path, str]]:
        """What officers signed and left, and what it says; empty where it cannot be read.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return [
            (path, _text(path)) for path in sorted((self._root / PROPOSALS).glob(f"tpr_*{SIGNED}"))
        ]


def _text(path: Path) -> str:
    try:
        octets = path.read_bytes()
        return octets.decode() if len(octets) <= _MOST_OCTETS else ""
    except (OSError, UnicodeDecodeError):
        return ""


async def watch_proposals(desk: Desk, writer: WriterLoop, root: Path) -> None:
    """Look after proposals again and again, for ever.

    A file that one officer signed waits for the second; what is refused for good is put aside.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            desk.look(await asyncio.to_thread(loops_proposal, root))
            for path, text in await asyncio.to_thread(desk.signed):
                await _take_in(writer, path, text)
            await asyncio.to_thread(desk.leave)
        except OSError:
            continue


def _lacks_one(text: str) -> bool:
    """Whether one officer signed `text` and the second has not yet."""
    try:
        return len(read_statement(text.encode()).signatures) == 1
    except MfsError:
        return False


async def _take_in(writer: WriterLoop, path: Path, text: str) -> None:
    if _lacks_one(text):
        return
    try:
        reply: object = (await writer.ask(ApproveTightening(text))).outcome.reply
    except Unavailable:
        return
    if isinstance(reply, Unavailable):
        return
    ending = ".refused" if isinstance(reply, MfsError) else ".done"
    await asyncio.to_thread(path.replace, path.with_suffix(ending))
