"""Fetches vendors' lists while the service runs, takes over what changed, and says what fails.

    due -> one request on a thread -> read, checked against the last -> one command of the writer
        -> not modified -> the list in force is of now
        -> no answer, not a list, older, much shorter -> noted; again later, each time rarer

When a list is asked for is told in `vendors/rounds`. The dependency `attestation` fails from the
moment on at which a list is older than its source allows, also after a start; before that an outage
of a vendor is only noted.

Source: RFC 9334, 7.4; 10; RFC 9111, 4.2; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
"""

import asyncio
from typing import Final

from tallystick.application.appraisals import TakeList
from tallystick.application.appraisals.store import kept_lists, kept_said
from tallystick.entry.accounting import Accounting
from tallystick.entry.appraising import tell_change
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.threads import to_its_end
from tallystick.entry.vendors.byhand import Mark, mark_of
from tallystick.entry.vendors.comparing import compared
from tallystick.entry.vendors.fetching import Fetch, Fetched
from tallystick.entry.vendors.proxy import way_to
from tallystick.entry.vendors.reading import ReadList, read_list
from tallystick.entry.vendors.rounds import Rounds, fetched, part_of
from tallystick.entry.vendors.sources import FILE, Source, sources_in
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, SECOND_MS, Instant
from tallystick.process.attestation.lists import ListName, VendorList, followed
from tallystick.process.policy.facts import Dependency

EVERY_S: Final = 0.5

_ATTESTATION: Final = Dependency.ATTESTATION.value


class Feeder:
    """Feeds the lists of one provider, as long as it is served.

    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """

    def __init__(self, platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
        """Tell of the lists in metrics from now on; nothing is fetched yet.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._platform, self._writer, self._accounting = platform, writer, accounting
        self._root = platform.folder.root
        self._mark: Mark | None = None
        self._rounds = Rounds[Source](
            platform.clock,
            lambda name, source, at: self._took(ListName(name), source, at),
            self._fails,
            lambda _, source: source.every_s,
            part_of(platform.module),
        )
        self._unread, self._unread_since = "", 0
        self._rows = kept_lists(platform.reader)
        self._compared = ("", "")
        self._reports = False
        accounting.labelled |= {
            "vendor_list_age_seconds": ("list", self.ages),
            "vendor_list_members": ("list", lambda: {n: r.members for n, r in self._rows.items()}),
            "vendor_list_failing_seconds": ("list", self.failing),
        }

    def ages(self) -> dict[str, int]:
        """For how many seconds no source has said that a list is still the one, by list.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        now = self._platform.clock.now()
        return {name: max(0, now - one.at) // SECOND_MS for name, one in self._rows.items()}

    def failing(self) -> dict[str, int]:
        """For how many seconds each source has not given a list that counts; 0 while it does.

        The file of sources is among them, while it says nothing that counts.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        since = self._rounds.failing()
        if self._unread:
            now = self._platform.clock.now()
            since[FILE] = max(0, now - self._unread_since) // SECOND_MS
        return since

    async def feed(self) -> None:
        """Fetch what is due and report on the dependency, for ever.

        Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                self._look_again()
                self._rounds.begin()
                self._report()
                self._compare_roots()
        finally:
            await self._rounds.end()

    def _look_again(self) -> None:
        """See whether sources changed, and whether a person put a list in."""
        if mark_of(self._root / FILE) != self._mark or self._unread:
            self._read_sources()
        known = self._platform.desks.devices.attesting.known
        in_force = {ListName.REVOKED: known.list_digest, ListName.MODELS: known.models_digest}
        ours = {name: self._rows[name].digest if name in self._rows else "" for name in in_force}
        if ours != in_force:  # what a person put in is read once it is durable
            self._rows = kept_lists(self._platform.reader)

    def _read_sources(self) -> None:
        """Read the sources again; those before stay while the file cannot be read, and it is told.

        What cannot be read is tried each time: it may become readable without another date.
        """
        mark, now = mark_of(self._root / FILE), self._platform.clock.now()
        try:
            found = sources_in(self._root)
        except MfsError as error:
            if error.detail != self._unread or mark != self._mark:
                self._note(Note.VENDOR_LIST_REFUSED, FILE, error)
            self._unread_since = self._unread_since if self._unread else now
            self._mark, self._unread = mark, error.detail
            return
        self._mark, self._unread = mark, ""
        self._rounds.take(found)

    def _fails(self, name: str, error: Exception) -> None:
        away = isinstance(error, Unavailable)
        self._note(Note.VENDOR_NOT_REACHED if away else Note.VENDOR_LIST_REFUSED, name, error)

    async def _took(self, name: ListName, source: Source, now: Instant) -> int:
        """Take over what the source has; gives for how many seconds it says that it is good."""
        row = self._rows.get(name)
        ours = row if row is not None and row.source == source.url else None
        tag, changed = ("", "") if ours is None else (ours.tag, ours.changed)
        way = await asyncio.to_thread(way_to, self._root, source.url)
        answer = await fetched(Fetch(source.url, tag=tag, changed=changed, way=way))
        if ours is not None and answer.octets is None:
            await self._keep(TakeList(replace(ours, at=now), None, ours.digest))
            return answer.max_age_s
        octets, root = answer.octets or b"", self._root
        was = await to_its_end(lambda: self._said(name))

        def read() -> TakeList:
            found = read_list(name, octets, root, source.url, now)
            return _checked(row, ReadList(_dated(found.listed, answer, now), found.said), was)

        await self._keep(await asyncio.to_thread(read))
        return answer.max_age_s

    def _said(self, name: ListName) -> dict[str, str]:
        with self._platform.database.reader() as reader:
            return dict(kept_said(reader, name))

    async def _keep(self, command: TakeList) -> None:
        outcome = (await self._writer.ask(command)).outcome
        if isinstance(outcome.reply, MfsError):
            raise outcome.reply
        self._rows = kept_lists(self._platform.reader)
        tell_change(self._accounting, command, outcome.event)

    def _report(self) -> None:
        """Say of the dependency whether every list is as young as its source says it is to be."""
        watch, now = self._platform.desks.policy.watch, self._platform.clock.now()
        if not self._rounds.sources:
            if self._reports:
                watch.answered(_ATTESTATION, now)
            self._reports = False
            return
        self._reports = True
        watch.connect(_ATTESTATION)
        old = [since for since in map(self._old_since, self._rounds.sources) if since <= now]
        if not old:
            watch.answered(_ATTESTATION, now)
            return
        if not watch.is_failing(_ATTESTATION):
            watch.failed(_ATTESTATION, Instant(min(old)))
        watch.failed(_ATTESTATION, now)

    def _old_since(self, name: str) -> int:
        """Since when the list is too old; one that was never there, since it is asked for."""
        row = self._rows.get(name)
        if row is None:
            return self._rounds.begun(name)
        return row.at + self._rounds.sources[name].oldest_s * SECOND_MS

    def _compare_roots(self) -> None:
        """Note once what the vendor's roots and those of the policy differ in."""
        row, attesting = self._rows.get(ListName.ROOTS), self._platform.desks.devices.attesting
        seen = ("" if row is None else row.digest, attesting.policy_digest)
        if row is None or seen == self._compared:
            return
        self._compared = seen
        found = compared(attesting.policy, kept_said(self._platform.reader, ListName.ROOTS))
        if found.differ:
            self._accounting.note(
                Note.VENDOR_ROOTS_DIFFER,
                lacks="; ".join(found.lacks)[:400],
                beyond="; ".join(found.beyond)[:400],
            )

    def _note(self, note: Note, name: str, error: Exception) -> None:
        why = error.detail if isinstance(error, MfsError) else type(error).__name__
        self._accounting.note(note, list=name, why=why)


def _dated(listed: VendorList, answer: Fetched, now: Instant) -> VendorList:
    """With what the server says of it; a date in the future is none, or it would bar all others."""
    issued = answer.issued_at if answer.issued_at <= now + DAY_MS else 0
    return replace(listed, tag=answer.tag, changed=answer.changed, issued_at=issued)


def _checked(row: VendorList | None, found: ReadList, was: dict[str, str]) -> TakeList:
    """The command that takes over what was `found`, if it may follow `row`, which said `was`."""
    listed = followed(row, found.listed, was, found.said)
    if row is None or row.digest != listed.digest:
        return TakeList(listed, found.said, "" if row is None else row.digest)
    kept = replace(listed, imported_at=row.imported_at, event=row.event, source=listed.source)
    return TakeList(kept, None, row.digest)


async def feed_lists(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Feed vendors' lists for ever.

    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """
    await Feeder(platform, writer, accounting).feed()
