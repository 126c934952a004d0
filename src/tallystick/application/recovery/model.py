"""Recoveries as stored, and the places of agents.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from dataclasses import dataclass
from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.protocol.recovery import RecoveryKind, RecoveryState


class Opener(StrEnum):
    """On whose proof a recovery was opened.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    DEVICE = "device"
    OPERATORS = "operators"
    AGENT = "agent"


class RecoveryRow(Record, frozen=True, kw_only=True):
    """A recovery, freeze or suspension as stored; instants in ms, 0 for never.

    `proof` is the device or agent whose signature opened it, or the digest of the operators'
    evidence; `signed` the signature itself. `device` is a lost one, `numbers` the old and the new
    number, sealed. `next_at` is when something falls due. `access` names operators, by commas.
    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """

    id: str
    customer: str
    kind: RecoveryKind
    state: RecoveryState
    opener: Opener
    proof: str
    evidence: str
    signed: str
    device: str
    numbers: bytes
    opened_at: int
    ready_at: int
    expires_at: int
    half_told_at: int
    next_at: int
    ended_at: int
    ended_by: str
    because: str
    activation: str
    access: str


class Numbers(Record, frozen=True, kw_only=True):
    """The number that is told of a recovery, and the one that replaces it, if any.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    old: str
    new: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryDue:
    """The time of a recovery has come: half of it, or its end; from this process only.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    recovery: str
