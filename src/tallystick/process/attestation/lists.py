"""Lists that vendors publish: what they are called, and when a newer one may follow the last.

    android-revoked   certificates above phones' keys that are believed no more; taken at once
    fido-models       models of authenticators with their reports, signed; taken at once
    android-roots     roots of the vendor; told to officers, who sign what is believed

What comes by itself over a network may only do what a vendor does from one day to the next: add,
and rarely withdraw. A list that is older than the last, or lacks much of it, waits for a person.

Source: RFC 9334, 7.4; 10; ISO/TS 12812-2:2017, 7.2.6
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import DAY_MS

SPARED: Final = 8
"""How many entries may always go at once; of longer lists a tenth may."""

_REMEDY: Final = "look at the vendor's notice; if it is right, put the list into the folder by hand"


class ListName(StrEnum):
    """Which list it is.

    Source: RFC 9334, 7.4
    """

    REVOKED = "android-revoked"
    ROOTS = "android-roots"
    MODELS = "fido-models"


class VendorList(Record, frozen=True, kw_only=True):
    """One list as it was last taken over; all times in ms, 0 where there is none.

    `at` is when its source last said that it is this one, `imported_at` when it was taken over.
    `number`, `issued_at` and `due_at` are what it says of itself: its number, its date, and when
    the next one comes. `tag` and `changed` are what the source asks for to say `not modified`.
    `digest` is of its octets (SHA-256, base64url), `members` how many entries it has. `source` is
    an address, or the file that a person put into the folder. `gone` entries went since
    `gone_since`, within a day. `fresh_since` is when it last became fresh after it had been too
    old for the policy of appraisal; `event` is its place in the tally.
    Source: RFC 9334, 7.4; RFC 9110, 8.8
    """

    name: str
    source: str
    digest: str
    at: int
    imported_at: int
    members: int
    number: int = 0
    issued_at: int = 0
    due_at: int = 0
    tag: str = ""
    changed: str = ""
    gone: int = 0
    gone_since: int = 0
    fresh_since: int = 0
    event: int = -1


def followed(
    before: VendorList | None, after: VendorList, was: Mapping[str, str], said: Mapping[str, str]
) -> VendorList:
    """`after`, which says `said`, in the place of `before`, which said `was`; with what went.

    Raises Conflict for a list that is older, has the number of another one, or lacks too much;
    what went within a day counts together, so that a list is not emptied in small steps.
    Source: RFC 9334, 7.4; FIDO Metadata Service 3.0, 3.2; ISO/TS 12812-2:2017, 7.2.6
    """
    if before is None:
        return after
    if before.digest == after.digest:
        return replace(after, gone=before.gone, gone_since=before.gone_since)
    if after.number < before.number:
        raise Conflict(f"number {after.number} comes before {before.number}", remedy=_REMEDY)
    if after.number and after.number == before.number:
        raise Conflict(f"another list has the number {after.number} too", remedy=_REMEDY)
    if 0 < after.issued_at < before.issued_at:
        raise Conflict("it is older than the list in force", remedy=_REMEDY)
    lately = after.at - before.gone_since < DAY_MS
    gone = max(len(was.keys() - said.keys()), before.members - after.members)
    gone += before.gone if lately else 0
    if gone > max(SPARED, before.members // 10) or (before.members and not after.members):
        raise Conflict(f"{gone} entries are gone within a day, of {before.members}", remedy=_REMEDY)
    return replace(after, gone=gone, gone_since=before.gone_since if lately else after.at)
