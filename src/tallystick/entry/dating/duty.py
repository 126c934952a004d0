"""What the service does about time by itself: it stamps the log, gathers the stamps, renews them.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; RFC 4998, 5.2
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tallystick.entry.accounting import Accounting
from tallystick.entry.dating.gathered import gather, renew
from tallystick.entry.notes import Note
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.archiving import Stamp
from tallystick.entry.pki.checkpoints import all_roots, keep_stamp, other_authority, own_stamp
from tallystick.entry.pki.places import CertificateFolder
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant

EVERY_S: Final = 3600.0
FIRST_S: Final = 60.0


def stamp_once(folder: CertificateFolder, note: str, stamp: Stamp, now: Instant) -> None:
    """Stamp the checkpoint `note` where it is new; gather what is due and renew what was gathered.

    Raises Unavailable where nobody stamps, NotAuthentic where a kept stamp does not hold.
    Source: ISO/TS 12812-2:2017, 3.23; RFC 4998, 5.2
    """
    keep_stamp(folder, note, stamp)
    roots = all_roots(folder)
    gather(folder, stamp, roots, now)
    renew(folder, stamp, roots, now)


async def stamp_for_ever(
    newest: Callable[[], str],
    accounting: Accounting,
    folder: CertificateFolder,
    desk: CertificateDesk,
    every_s: float = EVERY_S,
    first_s: float = FIRST_S,
) -> None:
    """Stamp the newest checkpoint, again and again; what fails is noted and tried again.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    wait = first_s
    while True:
        await asyncio.sleep(wait)
        wait = every_s
        note = newest()
        try:
            other = other_authority(folder)
            if other is not None:
                await asyncio.to_thread(stamp_once, folder, note, other.stamp, desk.now())
            elif desk.stamps:
                stamp_once(folder, note, lambda data: own_stamp(desk, data), desk.now())
        except (MfsError, OSError) as error:
            accounting.note(Note.NOT_STAMPED, why=getattr(error, "detail", type(error).__name__))
