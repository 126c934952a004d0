"""Enrolled devices: two keys, a certificate, a trust that policy reads, and a renewal counter.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
"""

from enum import StrEnum
from typing import Final

from tallystick.kernel.model import Record

COPIED: Final = "a copy of this device was used"
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
