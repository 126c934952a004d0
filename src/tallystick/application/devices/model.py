"""Enrolled devices: two keys, a certificate, a trust that policy reads, and a renewal counter.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
"""

from enum import StrEnum
from typing import Final

from tallystick.kernel.model import Record


class Reason(StrEnum):
    """Why a device stands where it stands, as it is kept and recorded; an operator writes others.

    What a customer reads of it stands in `notices.texts`, in each language.
    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    COPIED = "a copy of this device was used"
    SUSPENDED = "its owner suspended it"
    RESUMED = "its owner let it act again"
    LOST = "its owner lost it"
    STOLEN = "its owner says it was stolen"
    GIVEN = "its owner gives it away"
    GAVE = "its owner gave it away"
    REMOVED = "removed by its customer"
    DIALLED = "blocked by dialling"
    AGENT_LOST = "reported lost to an agent"
    AGENT_STOLEN = "reported stolen to an agent"
    REPLACED = "its phone was lost"
    UNLOCKING = "what unlocks the phone was changed, so its consent key is void"
    UNUSED = "not used for long"
    STAFF = "the provider's staff decided so"


COPIED: Final = Reason.COPIED.value
"""Why a device is suspended of which two copies made sessions."""


class DeviceStatus(StrEnum):
    """Where a device stands; only an active one may establish a session.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    DORMANT = "dormant"
    LEAVING = "leaving"
    STOLEN = "stolen"
    REMOVED = "removed"
    DELETED = "deleted"


class Device(Record, frozen=True, kw_only=True):
    """A device as stored.

    `possession` and `consent` are public P-256 points (65 bytes); `secret` is the renewal secret of
    the last establishment, sealed; `counter` its number. `attestation` keeps
    evidence and verdicts where it was appraised, else the statement as it came.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    id: str
    customer: str
    status: DeviceStatus
    because: str
    possession: bytes
    consent: bytes
    certificate: str
    certificate_id: str
    trust: str
    attestation_format: str
    attestation: bytes
    enrolled_at: int
    counter: int
    secret: bytes
    renewed_at: int
