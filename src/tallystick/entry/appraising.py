"""Watches by what devices are appraised: what changes is in force within about a second.

    attestation.json                            -> read, verified -> one command -> every front
    attestation-revoked.json, -models.jwt, .pem -> read, verified -> one command -> every front

Fronts ask the writer for every device, so that one change in it reaches all of them at once. A file
that cannot be read or believed changes nothing and is told: what was in force stays, and the age of
its list goes on counting. A list that was taken away is not forgotten either. What a person puts
here may also be older or shorter than what was fetched: it is taken as it is, and recorded.

Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tallystick.application.appraisals import AppraiseAgain, ChangeAppraisal, ForgetBases, TakeList
from tallystick.application.appraisals.store import kept_lists, last_appraisal
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.attesting import SIGNED
from tallystick.entry.notes import Note
from tallystick.entry.vendors.byhand import FILES, Mark, mark_of, marks_of, put_by_hand
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import Conflict, MfsError
from tallystick.kernel.model import replace
from tallystick.process.attestation.lists import ListName
from tallystick.process.attestation.signing import verify_appraisal
from tallystick.process.policy.facts import Dependency
from tallystick.protocol.appraisal_file import read_appraisal_file

EVERY_S: Final = 1.0
_REVOCATION: Final = Dependency.REVOCATION.value


class Appraising:
    """What the folder of a provider says that differs from what is in force.

    The first look gives a command in any case: it keeps what is in force for who asks later.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """

    def __init__(self, platform: Platform) -> None:
        """Look at the files at the first occasion.

        Source: RFC 9334, 8.3
        """
        self._platform = platform
        self._root = platform.folder.root
        self._signed: Mark | None = None
        self._lists: dict[ListName, tuple[Mark | None, ...]] = {}
        self._kept = False

    def changed(self) -> Iterator[ChangeAppraisal | TakeList | MfsError | OSError]:
        """A command for each thing that changed since the last look, or why it cannot be taken.

        That is Malformed, TooLarge, NotAuthentic, NotPermitted, NotFound, or Conflict for a version
        that is not above the last.
        Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
        """
        found: list[ChangeAppraisal | TakeList | MfsError | OSError] = []
        looks: list[Callable[[], ChangeAppraisal | TakeList | None]] = [self._policy]
        looks += [partial(self._list, name) for name in FILES]
        for look in looks:
            try:
                command = look()
            except (MfsError, OSError) as error:
                found.append(error)
                continue
            if command is not None:
                found.append(command)
        if not self._kept and not any(isinstance(one, ChangeAppraisal) for one in found):
            found.append(ChangeAppraisal())
        self._kept = True
        yield from found

    def _policy(self) -> ChangeAppraisal | None:
        before, self._signed = self._signed, mark_of(self._root / SIGNED)
        if self._signed in (None, before):
            return None
        octets = (self._root / SIGNED).read_bytes()
        last, envelope = last_appraisal(self._platform.reader)
        if octets.decode("utf-8", "replace") == envelope:
            return None
        file = read_appraisal_file(octets)
        settings = self._platform.settings
        officers = {name: half.verify_key() for name, half in settings.officers.items()}
        policy = verify_appraisal(file, officers, profile=settings.profile)
        if file.version <= last:
            raise Conflict(
                f"version {file.version} is not above {last}, the last in force",
                remedy="raise the version and sign again",
            )
        return ChangeAppraisal(policy, file.version, octets.decode())

    def _list(self, name: ListName) -> TakeList | None:
        first = name not in self._lists
        before, self._lists[name] = self._lists.get(name), marks_of(self._root, name)
        if self._lists[name] == before:
            return None
        found = put_by_hand(self._root, name)
        if found is None:
            return None
        kept = kept_lists(self._platform.reader).get(name)
        known = self._platform.desks.devices.attesting.known
        after = known.list_digest if name is ListName.REVOKED else known.models_digest
        if kept is None or kept.digest != found.listed.digest:
            return (
                None if first and kept and kept.at >= found.listed.at else TakeList(*found, after)
            )
        if kept.at >= found.listed.at:
            return None
        return TakeList(replace(kept, at=found.listed.at), None, after)


async def watch_appraisal(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Take over, for ever, what changes; then let verdicts be stored anew until none is past.

    What verdicts rested on before is kept until then, and no longer.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """
    watched, tidied = Appraising(platform), ""
    while True:
        await asyncio.sleep(EVERY_S)
        watch_list(platform)
        for change in watched.changed():
            error: object = change
            if isinstance(change, ChangeAppraisal | TakeList):
                outcome = (await writer.ask(change)).outcome
                error = outcome.reply
                if not isinstance(error, MfsError):
                    tell_change(accounting, change, outcome.event)
                    continue
                watched = Appraising(platform)
            why = error.detail if isinstance(error, MfsError) else type(error).__name__
            accounting.note(Note.APPRAISAL_NOT_CHANGED, why=why)
        while not platform.desks.devices.settled:
            reply = (await writer.ask(AppraiseAgain())).outcome.reply
            if isinstance(reply, MfsError):
                break
            await asyncio.sleep(0)
        basis = platform.desks.devices.attesting.basis
        if platform.desks.devices.settled and basis != tidied:
            reply = (await writer.ask(ForgetBases())).outcome.reply
            tidied = tidied if isinstance(reply, MfsError) else basis


def tell_change(accounting: Accounting, change: ChangeAppraisal | TakeList, event: int) -> None:
    """Note what was taken over, where it was recorded as `event`.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.6
    """
    if event < 0:
        return
    if isinstance(change, TakeList):
        one = change.listed
        accounting.note(Note.VENDOR_LIST_TAKEN, list=one.name, members=one.members, to=one.source)
    else:
        accounting.note(Note.APPRAISAL_CHANGED, version=change.version)


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
