"""What the service does about time by itself: it stamps the log, gathers the stamps, renews them.

To gather a month is to verify 720 stamps. That is done on a thread of its own, by one at a time:
payments are answered meanwhile, and a service that ends lets what was begun come to its end.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; RFC 4998, 5.2
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tallystick.entry.accounting import Accounting
from tallystick.entry.dating.gathered import gather, renew
from tallystick.entry.notes import Note
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.archiving import Stamp
from tallystick.entry.pki.checkpoints import all_roots, keep_stamp, other_authority, own_stamp
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.threads import to_its_end
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant

EVERY_S: Final = 3600.0
FIRST_S: Final = 60.0


def stamp_once(
    folder: CertificateFolder, note: str, stamp: Stamp, now: Instant
) -> tuple[tuple[str, str], ...]:
    """Stamp the checkpoint `note` where it is new; gather what is due and renew what was gathered.

    Gives each file that is damaged, below `pki/stamps`, with why it does not count; it is left as
    it is and keeps nothing else up. Whoever comes while another does it for the same folder waits.
    Raises Unavailable where nobody stamps.
    Source: ISO/TS 12812-2:2017, 3.23; RFC 4998, 5.2
    """
    damaged: dict[str, str] = {}

    def tell(file: Path, error: Exception) -> None:
        why = error.detail if isinstance(error, MfsError) else type(error).__name__
        damaged.setdefault(file.relative_to(folder.stamps).as_posix(), why)

    with _alone(folder):
        keep_stamp(folder, note, stamp)
        roots = all_roots(folder)
        gather(folder, stamp, roots, now, tell)
        renew(folder, stamp, roots, now, tell)
    return tuple(damaged.items())


async def stamp_for_ever(
    newest: Callable[[], str],
    accounting: Accounting,
    folder: CertificateFolder,
    desk: CertificateDesk,
    every_s: float = EVERY_S,
    first_s: float = FIRST_S,
) -> None:
    """Stamp the newest checkpoint, again and again; what fails is noted and tried again.

    A kept stamp that is damaged is noted once.
    Source: ISO/TS 12812-2:2017, 3.23
    """
    wait, told = first_s, frozenset[tuple[str, str]]()
    while True:
        await asyncio.sleep(wait)
        wait = every_s
        note = newest()
        try:
            stamp = _whose(folder, desk)
            if stamp is not None:
                found = await to_its_end(partial(stamp_once, folder, note, stamp, desk.now()))
                for file, why in found:
                    if (file, why) not in told:
                        accounting.note(Note.STAMP_DAMAGED, file=file, why=why)
                told = frozenset(found)
        except (MfsError, OSError) as error:
            accounting.note(Note.NOT_STAMPED, why=getattr(error, "detail", type(error).__name__))


def _whose(folder: CertificateFolder, desk: CertificateDesk) -> Stamp | None:
    """Who stamps: the authority that the configuration names, else the own one; None for nobody."""
    other = other_authority(folder)
    if other is not None:
        return other.stamp
    return partial(own_stamp, desk) if desk.stamps else None


@contextmanager
def _alone(folder: CertificateFolder) -> Generator[None]:
    """Hold the lock of the stamps in `folder` against every other thread and process."""
    lock = folder.root / "stamps.lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
