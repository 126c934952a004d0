"""Vendors' lists: is each as young as it is to be, and are its roots those of the policy?

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
"""

from collections.abc import Iterator

from tallystick.application.appraisals.store import has_lists, kept_lists, kept_said
from tallystick.entry.attesting import attesting_in
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.comparing import compared
from tallystick.entry.vendors.sources import Source, sources_in
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.time import SECOND_MS, Instant, iso_utc
from tallystick.process.attestation.lists import ListName, VendorList

_HOW = "see docs/how-to/vendors-lists.md"


def look_at_vendors(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Each list that is fetched, the one that is put in by hand, and roots that differ.

    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
    """
    try:
        sources = sources_in(folder.root)
    except MfsError as error:
        yield wrong("vendors' lists", error.detail, error.remedy or _HOW)
        return
    try:
        place = folder.stored()
    except NotFound:
        return
    with open_reader(place) as reader:
        if not has_lists(reader):
            return
        kept = kept_lists(reader)
        for name, source in sorted(sources.items()):
            yield _fetched(name, source, kept.get(name), now)
        if ListName.REVOKED not in sources:
            yield from _by_hand(folder, reader, now)
        if ListName.ROOTS in kept:
            yield from _roots(folder, reader)


def _fetched(name: str, source: Source, row: VendorList | None, now: Instant) -> Finding:
    what = f"list {name}"
    if row is None:
        return wrong(what, f"never fetched from {source.url}", _HOW)
    says = f"{row.members} entries from {row.source}, the newest at {iso_utc(row.at)}"
    if now - row.at > source.oldest_s * SECOND_MS:
        return wrong(what, f"{says}: too old", _HOW)
    if 0 < row.due_at < now:
        return soon(what, f"{says}; the next one was due at {iso_utc(row.due_at)[:10]}", _HOW)
    return fine(what, says)


def _by_hand(folder: ProviderFolder, reader: Reader, now: Instant) -> Iterator[Finding]:
    """The list of revoked certificates where nothing fetches it."""
    what = f"list {ListName.REVOKED}"
    try:
        found = attesting_in(folder.root, reader)
    except MfsError as error:
        yield wrong(what, error.detail, error.remedy or _HOW)
        return
    if found.policy.without_list or not found.known.list_at:
        yield fine(what, "nothing fetches it, and nobody put one in")
        return
    says = f"put in by hand, of {iso_utc(found.known.list_at)}"
    if now - found.known.list_at > found.policy.list_age_ms:
        yield soon(what, f"{says}: devices that enrol get no trust", _HOW)
    else:
        yield fine(what, says)


def _roots(folder: ProviderFolder, reader: Reader) -> Iterator[Finding]:
    try:
        policy = attesting_in(folder.root, reader).policy
    except MfsError as error:
        yield wrong("roots of vendors", error.detail, error.remedy or _HOW)
        return
    found = compared(policy, kept_said(reader, ListName.ROOTS))
    if found.lacks:
        says = f"the vendor lists roots that the policy lacks: {'; '.join(found.lacks)}"
        yield soon("roots of vendors", says, _HOW)
    if found.beyond:
        says = f"the policy has roots that the vendor does not list: {'; '.join(found.beyond)}"
        yield soon("roots of vendors", says, _HOW)
    if not found.differ:
        yield fine("roots of vendors", "those of the policy of appraisal")
