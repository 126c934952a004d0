"""What others believe the provider by: the signed key list, its keys, the clock.

Source: ISO/TS 12812-2:2017, 7.4.2; 3.23
"""

from collections.abc import Iterator

from tallystick.entry.auditing import listed_keys
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.renewing import list_is_near_its_end
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import is_synchronised
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.protocol.keylist import KeyEntry, KeyList

AHEAD_MS = 90 * DAY_MS


def look_at_trust(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """The key list, each key that ends within 90 days, and the clock.

    Source: ISO/TS 12812-2:2017, 7.4.2; 3.23
    """
    renew = f"tallystick keys renew {folder.root} --root-key FILE --secret-file FILE"
    try:
        listed = listed_keys(folder)
    except MfsError as error:
        yield wrong("key list", error.detail, error.remedy or f"sign it anew: {renew}")
    else:
        yield _list(listed, now, renew)
        yield _keys(listed, now, renew)
    yield _clock()


def _list(listed: KeyList, now: Instant, renew: str) -> Finding:
    until = f"version {listed.version} ends at {iso_utc(listed.expires_at)}"
    if now >= listed.expires_at:
        return wrong("key list", f"{until}: every wallet refuses it", renew)
    if list_is_near_its_end(listed, now):
        return soon("key list", until, renew)
    return fine("key list", until)


def _keys(listed: KeyList, now: Instant, renew: str) -> Finding:
    newest: dict[str, KeyEntry] = {}
    for entry in listed.entries:
        best = newest.get(entry.purpose)
        if best is None or entry.not_after > best.not_after:
            newest[entry.purpose] = entry
    ended = [one.purpose for one in newest.values() if now >= one.not_after]
    if ended:
        return wrong("listed keys", f"past their time: {', '.join(sorted(ended))}", renew)
    ending = sorted(
        f"{one.purpose} at {iso_utc(one.not_after)[:10]}"
        for one in newest.values()
        if one.not_after - now < min(AHEAD_MS, (one.not_after - one.not_before) // 4)
    )
    if ending:
        return soon("listed keys", f"ending: {', '.join(ending)}", renew)
    return fine("listed keys", f"{len(newest)} purposes, each with a key in force")


def _clock() -> Finding:
    synchronised = is_synchronised()
    if synchronised is None:
        return fine("clock", "this system does not say whether it is synchronised")
    if not synchronised:
        return soon(
            "clock",
            "the kernel says that nothing keeps it synchronised",
            "run chrony or systemd-timesyncd: quotes, sessions and events go by it",
        )
    return fine("clock", "kept synchronised")
