"""Operators, their invitations, and their acts.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from tallystick.kernel.model import Record


class Operator(Record, frozen=True, kw_only=True):
    """A person who operates the service: one key, one role. `name` is sealed.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    role: str
    status: str
    public: bytes
    name: bytes
    enrolled_at: int


class Invitation(Record, frozen=True, kw_only=True):
    """A one-time code by which an operator enrols, as a MAC.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    code_mac: str
    role: str
    expires_at: int
    used_at: int
    issued_by: str


class ActRow(Record, frozen=True, kw_only=True):
    """An act as it was signed; `state` is waiting or done, `jws` both signatures, a line each.

    `body` is sealed: it may name people.

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
