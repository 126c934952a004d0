"""The time stamp of a bundle: over the officer's envelope, in a file beside what is signed.

The lock, which is signed, says whether there is one and why not, so that it cannot be taken away
unseen.

Source: RFC 3161, 2.2; ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.timestamps import Stamped, verify_stamp
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import MINUTE_MS, iso_utc
from tallystick.process.conformance.basis import Stamping
from tallystick.process.conformance.bundle.contents import ENVELOPE, STAMP, TIME_STAMPS, Lock

_BEFORE_MS: Final = MINUTE_MS
"""How far the provider's clock may be ahead of the authority's."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The roots that are believed for time stamps, and the policy that is demanded (empty: any).

    Source: RFC 3161, 2.2
    """

    roots: Roots
    policy: str = ""


def is_stamped(lock: Lock) -> bool:
    """Whether a time stamp belongs to the bundle with this lock.

    Raises NotAuthentic for a lock that says neither.
    Source: RFC 3161, 2.2
    """
    if lock.time_stamp not in TIME_STAMPS.values():
        raise NotAuthentic("the lock does not say whether there is a time stamp")
    return lock.time_stamp == TIME_STAMPS[Stamping.STAMPED]


def check_stamp(files: Mapping[str, bytes], lock: Lock, pinned: Pinned | None) -> Stamped | None:
    """What the time stamp proves, or None where there is none or nothing is pinned to verify it.

    Raises NotAuthentic for one that is missing, does not hold, or is older than what it stamps;
    also where one is demanded (`pinned`) and the bundle has none.
    Source: RFC 3161, 2.2
    """
    if not is_stamped(lock):
        if pinned is not None:
            raise NotAuthentic(
                f"the bundle has no time stamp: {lock.time_stamp}",
                remedy="verify it without --tsa-root to see what else holds",
            )
        return None
    if STAMP not in files:
        raise NotAuthentic(f"{STAMP} is missing")
    if pinned is None:
        return None
    found = verify_stamp(files[STAMP], files[ENVELOPE], pinned.roots, policy=pinned.policy)
    if found.at + found.accuracy_ms + _BEFORE_MS < lock.made_at:
        raise NotAuthentic(
            f"the bundle says it was made at {iso_utc(lock.made_at)},"
            f" and was stamped before that, at {iso_utc(found.at)}"
        )
    return found
