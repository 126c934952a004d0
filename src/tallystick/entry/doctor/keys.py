"""The keys of the provider: which end within 90 days, are used up, or are out of service.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Iterator

from tallystick.application.keylife import KeyRow
from tallystick.application.paycrypt.model import OWNER
from tallystick.entry.ceremonies.standing import held_here
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.keykeeping import custody_of, inventory_of
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.suites import standing, told
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.isms.custody import newest

AHEAD_MS = 90 * DAY_MS
_OUT = {KeyState.SUSPENDED.value, KeyState.COMPROMISED.value}
_FULL = 9, 10
_LONG_MS = 8 * DAY_MS


def look_at_keys(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Every long-lived key that ends within 90 days, and those that are stopped or used up.

    Ceremonies that are not done are told, and transcripts that do not verify.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    yield from _ceremonies(folder)
    every = f"tallystick keys list {folder.root} --all"
    try:
        rows = inventory_of(folder)
    except MfsError as error:
        yield wrong("keys", error.detail, error.remedy or every)
        return
    if not rows:
        yield soon("keys", "no key was entered yet", f"tallystick serve {folder.root}")
        return
    yield _ending(rows, now, every)
    late = [
        one.device for one in newest(custody_of(folder)).values() if 0 < one.inspection_due() <= now
    ]
    if late:
        remedy = "inspect them, and record it: tallystick operator act record-custody"
        yield soon("secure devices", f"inspection overdue: {', '.join(late)}", remedy)
    out = [f"{_called(one)} {one.id} is {one.state}" for one in rows if one.state in _OUT]
    if out:
        yield soon("keys out of service", "; ".join(out), "resume it, or put in a successor")
    kept = {peek(one).id for one in folder.blocks()}
    left = [one.id for one in rows if one.state == KeyState.DESTROYED and one.id in kept]
    if left:
        yield wrong(
            "destroyed keys",
            f"still kept: {', '.join(left)}",
            "mount every place of the wraps while the service runs",
        )
    yield from _mechanisms(folder, now)
    full = [f"{_called(one)} {one.id}" for one in rows if _is_full(one)]
    if full:
        yield soon("keys used up", ", ".join(full), "put successors into use")


def _mechanisms(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    try:
        waits = told(standing(folder, now))
    except MfsError as error:
        yield wrong("mechanisms", error.detail, error.remedy or "tallystick crypto suites")
        return
    if waits:
        yield soon("mechanisms", "not as the policy asks", waits)


def _ceremonies(folder: ProviderFolder) -> Iterator[Finding]:
    place = folder.root / "ceremonies"
    begun = sorted(one.stem for one in place.glob("*.state"))
    if begun:
        remedy = f"tallystick ceremony resume {folder.root} PLAN"
        yield wrong("ceremonies", f"not done: {', '.join(begun)}", remedy)
    there = {one.stem for one in place.glob("*.dsse")}
    if not there:
        return
    try:
        strange = sorted(there - {one.id for one in held_here(folder)})
    except MfsError as error:
        yield wrong("ceremonies", error.detail, error.remedy or "let the record answer")
        return
    if strange:
        says = f"transcripts that do not verify: {', '.join(strange)}"
        yield wrong("ceremonies", says, "tallystick ceremony verify FILE --provider FOLDER")


def _ending(rows: list[KeyRow], now: Instant, every: str) -> Finding:
    active = [one for one in rows if one.state == KeyState.ACTIVE]
    newest: dict[tuple[str, str], KeyRow] = {}
    for one in active:
        if one.ends_at - one.created_at > _LONG_MS:
            place = one.purpose, one.owner
            best = newest.get(place)
            newest[place] = one if best is None or one.ends_at > best.ends_at else best
    ending = [one for one in newest.values() if one.ends_at - now < AHEAD_MS]
    says = ", ".join(f"{_called(one)} at {iso_utc(one.ends_at)[:10]}" for one in ending)
    if any(one.ends_soon(now) for one in ending):
        return soon("keys", f"ending within 90 days: {says}", f"look at {every}")
    counted = f"{len(active)} active keys of {len(rows)}"
    return fine("keys", f"{counted}; ending within 90 days: {says or 'none'}")


def _called(row: KeyRow) -> str:
    """A purpose names a key of the service; of keys of the door there are many for one."""
    return f"{row.purpose} ({row.owner})" if row.owner.startswith(OWNER) else row.purpose


def _is_full(row: KeyRow) -> bool:
    most = row.most_uses()
    return row.state == KeyState.ACTIVE and most > 0 and row.uses * _FULL[1] > most * _FULL[0]
