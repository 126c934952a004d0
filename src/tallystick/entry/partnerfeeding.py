"""Fetches lists of partners' authorities while the service runs, and says what fails.

    due -> one request on a thread -> signature, number and time, on a thread -> a file, at once
        -> not modified -> the file stays
        -> no answer, no list, another's signature, older -> noted; the file stays, while it lasts

A list is asked for within its period, and once half of the time is over for which it still lasts.
Nothing is taken from a partner, and nothing goes there, once no list of its authority is current.

Source: RFC 5280, 5.1.2.5; 6.3.3; ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.pki.listsources import FILE, Wanted, marks_of_sources, registered, wanted
from tallystick.entry.pki.partnerlists import PartnerLists
from tallystick.entry.pki.taking import Taken, file_of, take
from tallystick.entry.threads import to_its_end
from tallystick.entry.vendors.byhand import Mark, mark_of
from tallystick.entry.vendors.fetching import Fetch, Fetched
from tallystick.entry.vendors.proxy import way_to
from tallystick.entry.vendors.rounds import SOONEST_S, Rounds, fetched, part_of
from tallystick.infrastructure.crypto.crl import RevocationList
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import Expired, MfsError, Unavailable
from tallystick.kernel.time import SECOND_MS, Instant

EVERY_S: Final = 0.5


class PartnerFeeder:
    """Feeds the lists of the authorities of one provider's partners, as long as it is served.

    Source: RFC 5280, 6.3.3; ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, platform: Platform, accounting: Accounting) -> None:
        """Tell of the lists in metrics from now on; nothing is fetched yet.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._platform, self._accounting = platform, accounting
        self._root = platform.folder.root
        self._known = PartnerLists(platform.list_files)
        self._marks: object = None
        self._unread, self._unread_since = "", 0
        self._authorities: dict[str, Certificate] = {}
        self._answers: dict[str, tuple[Wanted, Mark | None, Fetched]] = {}
        self._ends: dict[str, Instant] = {}
        part = part_of(platform.module)
        self._rounds = Rounds[Wanted](platform.clock, self._took, self._fails, self._period_s, part)
        accounting.labelled |= {
            "partner_list_failing_seconds": ("list", self.failing),
            "partner_list_left_seconds": ("list", self.left),
            "partner_list_members": ("list", self.members),
        }

    def left(self) -> dict[str, int]:
        """For how many seconds the list of each authority still counts; 0 where there is none.

        Source: RFC 5280, 5.1.2.5
        """
        now = self._platform.clock.now()
        return self._of_each(lambda one, at: (one.next_update - at) // SECOND_MS, now)

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

    def members(self) -> dict[str, int]:
        """How many certificates the list of each authority names.

        Source: RFC 5280, 5.1.2.6
        """
        return self._of_each(lambda one, _: len(one.revoked), self._platform.clock.now())

    async def feed(self) -> None:
        """Fetch what is due, for ever.

        Source: RFC 5280, 6.3.3; ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self._look_again()
                self._rounds.begin()
        finally:
            await self._rounds.end()

    async def _look_again(self) -> None:
        """See whether sources or registered authorities changed; those before stay if not read.

        What cannot be read is tried each time: it may become readable without another date.
        """
        marks = self._marks
        try:
            marks = await asyncio.to_thread(marks_of_sources, self._root)
            if marks == self._marks and not self._unread:
                return
            found = await asyncio.to_thread(wanted, self._root)
            self._authorities = await asyncio.to_thread(registered, self._root)
        except (MfsError, OSError) as error:
            why = error.detail if isinstance(error, MfsError) else type(error).__name__
            if why != self._unread or marks != self._marks:
                self._note(Note.PARTNER_LIST_REFUSED, FILE, error)
            now = self._platform.clock.now()
            self._unread_since = self._unread_since if self._unread else now
            self._marks, self._unread = marks, why
            return
        self._marks, self._unread = marks, ""
        self._rounds.take(found)

    async def _took(self, name: str, one: Wanted, at: Instant) -> int:
        """Take over what the source has; gives for how many seconds it says that it is good.

        It may answer that nothing changed only while the file is still the one that it gave.
        """
        file = file_of(self._root, name)
        was, mark, before = self._answers.get(name, (None, None, None))
        known = before if was == one and mark is not None and mark == mark_of(file) else None
        tag, changed = ("", "") if known is None else (known.tag, known.changed)
        way = await asyncio.to_thread(way_to, self._root, one.url)
        answer = await fetched(Fetch(one.url, tag=tag, changed=changed, way=way))
        if answer.octets is None:
            if self._ends.get(name, 0) <= at:
                raise Expired("the list is past, and its server has none that is newer")
            return answer.max_age_s
        taken = await to_its_end(lambda: self._take(name, one, answer.octets or b"", at))
        self._answers[name] = one, mark_of(file), replace(answer, octets=None)
        self._ends[name] = taken.found.next_update
        if taken.is_new:
            self._accounting.note(
                Note.PARTNER_LIST_TAKEN,
                list=name,
                number=taken.found.number,
                members=len(taken.found.revoked),
            )
        return answer.max_age_s

    def _take(self, name: str, one: Wanted, octets: bytes, at: Instant) -> Taken:
        files = self._platform.list_files
        files.look()
        taken = take(self._root, name, one, octets, files.lists, at)
        files.look()
        return taken

    def _period_s(self, name: str, one: Wanted) -> int:
        """Half of the time that is left to the list, but not more often than once a minute."""
        ends = self._ends.get(name)
        if ends is None:
            return one.every_s
        left_s = (ends - self._platform.clock.now()) // SECOND_MS
        return min(one.every_s, max(left_s // 2, SOONEST_S))

    def _fails(self, name: str, error: Exception) -> None:
        away = isinstance(error, Unavailable)
        self._note(
            Note.PARTNER_LIST_NOT_REACHED if away else Note.PARTNER_LIST_REFUSED, name, error
        )

    def _note(self, note: Note, name: str, error: Exception) -> None:
        why = error.detail if isinstance(error, MfsError) else type(error).__name__
        self._accounting.note(note, list=name, why=why)

    def _of_each(
        self, tell: Callable[[RevocationList, Instant], int], now: Instant
    ) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, one in self._rounds.sources.items():
            if one.delta:
                continue
            authority = self._authorities.get(one.authority)
            lists = () if authority is None else self._known.current(authority, now)
            found[name] = tell(lists[0], now) if lists else 0
        return found


async def feed_partner_lists(platform: Platform, accounting: Accounting) -> None:
    """Feed the lists of partners' authorities for ever.

    Source: RFC 5280, 6.3.3; ISO/TS 12812-2:2017, 7.4.2
    """
    await PartnerFeeder(platform, accounting).feed()
