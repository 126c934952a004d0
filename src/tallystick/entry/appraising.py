"""Watches by what devices are appraised: what changes is in force within about a second.

    attestation.json, attestation-revoked.json -> read, verified -> one command -> every front

Fronts ask the writer for every device, so that one change in it reaches all of them at once. A file
that cannot be read or believed changes nothing and is told: what was in force stays, and the age of
its list goes on counting. A list that was taken away is not forgotten either.

Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
"""

import asyncio
from pathlib import Path
from typing import Final

from tallystick.application.appraisals import AppraiseAgain, ChangeAppraisal
from tallystick.application.appraisals.store import last_appraisal
from tallystick.application.devices import Attesting
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.attesting import REVOKED, SIGNED, known_in
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import Conflict, MfsError
from tallystick.process.attestation.model import AppraisalPolicy
from tallystick.process.attestation.signing import verify_appraisal
from tallystick.process.policy.facts import Dependency
from tallystick.protocol.appraisal_file import read_appraisal_file

EVERY_S: Final = 1.0
_REVOCATION: Final = Dependency.REVOCATION.value
_Mark = tuple[int, int, int]


class Appraising:
    """What the folder of a provider says that differs from what is in force.

    The first look gives a command in any case: it keeps what is in force for who asks later.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """

    def __init__(self, platform: Platform) -> None:
        """Look at both files at the first occasion.

        Source: RFC 9334, 8.3
        """
        self._platform = platform
        self._root = platform.folder.root
        self._marks: dict[str, _Mark | None] = {}
        self._kept = False

    def changed(self) -> ChangeAppraisal | None:
        """The command that takes over what changed since the last look; None for nothing.

        Raises Malformed, TooLarge, NotAuthentic, NotPermitted, or Conflict for a version that is
        not above the last.
        Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
        """
        marks = {name: _mark(self._root / name) for name in (SIGNED, REVOKED)}
        moved = {name for name, mark in marks.items() if mark != self._marks.get(name)}
        self._marks = marks
        before = self._platform.desks.devices.attesting
        policy, version, envelope = before.policy, 0, ""
        if SIGNED in moved and marks[SIGNED] is not None:
            policy, version, envelope = self._signed(policy)
        known = before.known
        if REVOKED in moved and marks[REVOKED] is not None:
            known = known_in(self._root)
        if not version and known == before.known and self._kept:
            return None
        self._kept = True
        attesting = Attesting(policy, known, before.verdict_keys)
        return ChangeAppraisal(attesting, version, envelope)

    def _signed(self, before: AppraisalPolicy) -> tuple[AppraisalPolicy, int, str]:
        octets = (self._root / SIGNED).read_bytes()
        last, envelope = last_appraisal(self._platform.reader)
        if octets.decode("utf-8", "replace") == envelope:
            return before, 0, ""
        file = read_appraisal_file(octets)
        settings = self._platform.settings
        officers = {name: half.verify_key() for name, half in settings.officers.items()}
        policy = verify_appraisal(file, officers, profile=settings.profile)
        if file.version <= last:
            raise Conflict(
                f"version {file.version} is not above {last}, the last in force",
                remedy="raise the version and sign again",
            )
        return policy, file.version, octets.decode()


async def watch_appraisal(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Take over, for ever, what changes; then let verdicts be stored anew until none is past.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """
    watched = Appraising(platform)
    while True:
        await asyncio.sleep(EVERY_S)
        watch_list(platform)
        try:
            change = watched.changed()
        except (MfsError, OSError) as error:
            why = error.detail if isinstance(error, MfsError) else type(error).__name__
            accounting.note(Note.APPRAISAL_NOT_CHANGED, why=why)
            continue
        if change is not None:
            outcome = (await writer.ask(change)).outcome
            if isinstance(outcome.reply, MfsError):
                accounting.note(Note.APPRAISAL_NOT_CHANGED, why=outcome.reply.detail)
                watched = Appraising(platform)
                continue
            if outcome.event >= 0:
                accounting.note(Note.APPRAISAL_CHANGED, version=change.version)
        while not platform.desks.devices.settled:
            reply = (await writer.ask(AppraiseAgain())).outcome.reply
            if isinstance(reply, MfsError):
                break
            await asyncio.sleep(0)


def watch_list(platform: Platform) -> None:
    """Count the vendor's list as failing while it is older than the policy of appraisal allows.

    A provider that goes on without a list, or never had one, leans on none.
    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
    """
    attesting, now = platform.desks.devices.attesting, platform.clock.now()
    if attesting.policy.without_list or not attesting.known.list_at:
        return
    watch = platform.desks.policy.watch
    watch.connect(_REVOCATION)
    if now - attesting.known.list_at > attesting.policy.list_age_ms:
        watch.failed(_REVOCATION, now)
    else:
        watch.answered(_REVOCATION, now)


def _mark(path: Path) -> _Mark | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
