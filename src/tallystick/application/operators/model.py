"""Operators, their invitations, and their acts.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from typing import Final

from tallystick.kernel.model import Record

ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"
REMOVED: Final = "removed"


class Operator(Record, frozen=True, kw_only=True):
    """A person who operates the service: one key, one role. `name` is sealed.

    `status` is active, suspended or removed. `stands_since` is when it last changed, `stood_by` the
    ids of who changed it, commas between, and `stands_event` what recorded that; of an operator
    whose status never changed they are 0, nothing and -1.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    role: str
    status: str
    public: bytes
    name: bytes
    enrolled_at: int
    stands_since: int = 0
    stood_by: str = ""
    stands_event: int = -1


class Invitation(Record, frozen=True, kw_only=True):
    """A one-time code by which an operator enrols, as a MAC.

    With `operator` it brings a passkey to an operator who is enrolled already.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    code_mac: str
    role: str
    expires_at: int
    used_at: int
    issued_by: str
    operator: str = ""


class Passkey(Record, frozen=True, kw_only=True):
    """A passkey of an operator: its id (base64url), public key (65 octets) and counter.

    `aaguid` is the model of the authenticator; `synced` is 1 if it may be on several devices.

    Source: W3C WebAuthn Level 3, 4; ISO/TS 12812-2:2017, 6.2.1
    """

    credential: str
    operator: str
    public: bytes
    counter: int
    aaguid: str
    synced: int
    status: str
    registered_at: int


class ActRow(Record, frozen=True, kw_only=True):
    """An act as it was signed; `state` is waiting, done or declined.

    `jws` has both signatures, a line each, and `body` is sealed: it may name people.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
    """

    id: str
    name: str
    operator: str
    body: bytes
    jws: str
    state: str
    says: str
    reference: str
    event: int
    expires_at: int
