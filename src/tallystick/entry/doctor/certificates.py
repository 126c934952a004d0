"""Certificates and time: what ends soon, lists that nobody may rely on any more, missing stamps.

Source: ISO/TS 12812-2:2017, 3.5; 3.23; 7.4.2
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.pki.listsources import Wanted, registered, wanted
from tallystick.entry.pki.making import expiring
from tallystick.entry.pki.partnerlists import FOLDER as PARTNERS_LISTS
from tallystick.entry.pki.partnerlists import ListFiles, PartnerLists
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.pki.taking import file_of
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.certify import names_of
from tallystick.infrastructure.crypto.crl import list_ends, list_octets, open_list, read_list
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.infrastructure.modules.clock import clock_state
from tallystick.infrastructure.pki.register import Register
from tallystick.kernel.errors import MfsError, NotAuthentic
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, iso_utc

AHEAD_MS = 90 * DAY_MS
_SHORT_MS = 7 * DAY_MS
"""What lives no longer than 90 days itself is due in its last week."""


def look_at_certificates(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Lists of partners' authorities; the provider's certificates, lists and stamps, if any.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    yield from _partners_lists(folder, now)
    place = CertificateFolder(folder)
    if not place.exists():
        return
    try:
        register, settings = place.register(), place.settings()
    except MfsError as error:
        yield wrong("certificates", error.detail, error.remedy or "restore pki/ from a backup")
        return
    yield _ending(folder, register, now)
    yield _lists(folder, place, register, now)
    if settings.policy or settings.authority_url:
        yield _stamps(place, now)
        if settings.policy and settings.clock == "kernel":
            yield _clock(settings.accuracy_ms)


def _ending(folder: ProviderFolder, register: Register, now: Instant) -> Finding:
    found = [
        f"{names_of(read_certificate(one.octets))[1]} ({one.profile}) at {iso_utc(ends)[:10]}"
        for one, ends in expiring(register, now, AHEAD_MS)
        if ends - now < min(AHEAD_MS, max(_SHORT_MS, (ends - one.at) // 4))
    ]
    total = sum(1 for _ in register.certificates())
    if found:
        return soon(
            "certificates",
            f"ending: {', '.join(found[:5])}{' ...' if len(found) > 5 else ''}",
            f"see tallystick pki list {folder.root}, and docs/how-to/certificates.md",
        )
    return fine("certificates", f"{total} issued, none ends soon")


def _lists(
    folder: ProviderFolder, place: CertificateFolder, register: Register, now: Instant
) -> Finding:
    remedy = f"tallystick pki crl {folder.root} --secret-file FILE"
    past: list[str] = []
    near: list[str] = []
    for name in register.authorities():
        try:
            octets = place.list_file(name).read_bytes()
            found = read_list(octets, register.authority(name))
        except (OSError, MfsError):
            past.append(name)
            continue
        if now >= found.next_update:
            past.append(name)
        elif found.next_update - now < DAY_MS:
            near.append(name)
    if past:
        says = f"missing or past: {', '.join(past)}; whoever checks refuses their certificates"
        return wrong("lists of revoked certificates", says, remedy)
    if near:
        return soon("lists of revoked certificates", f"end within a day: {', '.join(near)}", remedy)
    return fine("lists of revoked certificates", f"{len(register.authorities())}, all fresh")


def _partners_lists(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Lists of partners' authorities that are past, end soon, or are none; nothing without any."""
    what, past, near = "lists of partners' authorities", list[str](), list[str]()
    try:
        sources = wanted(folder.root)
    except MfsError as error:
        yield wrong(what, error.detail, error.remedy or "see docs/how-to/certificates.md")
        return
    past += [
        f"{name} (never fetched)"
        for name in sources
        if not file_of(folder.root, name).exists() and not _by_hand(folder, sources[name], now)
    ]
    files = sorted((folder.root / PARTNERS_LISTS).glob("*.crl"))
    for file in files:
        try:
            ends = list_ends(file.read_bytes())
        except (OSError, MfsError):
            ends = Instant(0)
        if now >= ends and not _is_followed(folder, file, now):
            past.append(file.name)
        elif 0 < ends - now < DAY_MS:
            near.append(file.name)
    remedy = f"tallystick partner lists fetch {folder.root}; see docs/how-to/certificates.md"
    if past:
        yield wrong(what, f"past or no lists, so partners are refused: {', '.join(past)}", remedy)
    elif near:
        yield soon(what, f"end within a day: {', '.join(near)}", remedy)
    elif files:
        yield fine(what, f"{len(files)}, none ends within a day")


def _by_hand(folder: ProviderFolder, one: Wanted, now: Instant) -> bool:
    """Whether a current list of the authority is there although it was never fetched."""
    authority = registered(folder.root).get(one.authority)
    lists = PartnerLists(ListFiles(folder.root))
    return authority is not None and bool(lists.current(authority, now))


def _is_followed(folder: ProviderFolder, file: Path, now: Instant) -> bool:
    """Whether nobody is refused for the list in `file`: its authority has a current one."""
    lists = PartnerLists(ListFiles(folder.root))
    with suppress(OSError, MfsError):
        found = open_list(list_octets(file.read_bytes()))
        for authority in registered(folder.root).values():
            with suppress(NotAuthentic):  # another's
                found.by(authority)
                return bool(lists.current(authority, now))
    return False


def _stamps(place: CertificateFolder, now: Instant) -> Finding:
    newest = max((one.stat().st_mtime for one in place.stamps.glob("*.json")), default=0.0)
    if not newest:
        return soon("time stamps", "the log was never stamped", "serve it for an hour")
    age = now - int(newest * 1000)
    if age > 24 * HOUR_MS:
        return soon(
            "time stamps", f"the newest is {age // HOUR_MS} hours old", "look at the service's log"
        )
    return fine("time stamps", "the log was stamped within a day")


def _clock(accuracy_ms: int) -> Finding:
    state = clock_state()
    if state is None or not state.synchronised or state.most_off_ms > accuracy_ms:
        return soon(
            "clock of time stamps",
            f"it is not known to be right to {accuracy_ms} ms: nothing is stamped",
            "run chrony; where the host keeps the clock: tallystick pki time --clock declared",
        )
    return fine("clock of time stamps", f"right to {state.most_off_ms} ms")
