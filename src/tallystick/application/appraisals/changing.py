"""A policy of appraisal and a list of revoked certificates, changed by a command like any other.

Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.application.appraisals.proving import (
    PROVING_EXECUTORS,
    AskProof,
    ReportSignals,
    TakeProof,
)
from tallystick.application.appraisals.store import APPRAISAL, BASIS
from tallystick.application.desks import Desks
from tallystick.application.devices import Attesting
from tallystick.application.fleet import FLEET_EXECUTORS, CountFleet
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.codec import encode_canonical
from tallystick.protocol.payments import Empty


@dataclass(frozen=True, slots=True)
class ChangeAppraisal:
    """From now on devices are appraised by `attesting`.

    `version` and `envelope` are those of a signed policy that was verified and is new; 0 and empty
    where only the list changed.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """

    attesting: Attesting
    version: int = 0
    envelope: str = ""


@dataclass(frozen=True, slots=True)
class AppraiseAgain:
    """A turn, in which devices are judged again whose stored verdict is past.

    Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """


AppraisalCommand = (
    ChangeAppraisal | AppraiseAgain | AskProof | TakeProof | ReportSignals | CountFleet
)


def _change(desks: Desks, turn: Turn, one: ChangeAppraisal) -> Outcome:
    before = desks.devices.attesting
    touched = desks.devices.appraise_by(turn, one.attesting)
    known, digest = one.attesting.known, one.attesting.policy_digest
    turn.changes.upsert(BASIS, digest, (digest, encode_canonical(one.attesting.policy)))
    if known.list_digest:
        turn.changes.upsert(BASIS, known.list_digest, (known.list_digest, encode_canonical(known)))
    if before.basis == one.attesting.basis and not one.version:
        return Outcome(Empty())
    index = turn.record(
        "appraisal.changed",
        policy=desks.policy.version,
        public={
            "version": one.version,
            "appraised_by": one.attesting.policy_digest,
            "before": before.policy_digest,
            "revocations": one.attesting.known.list_digest,
            "touched": touched,
        },
    )
    if one.version:
        turn.changes.insert(APPRAISAL, (one.version, one.envelope, index))
    return Outcome(Empty(), index)


APPRAISAL_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    **PROVING_EXECUTORS,
    **FLEET_EXECUTORS,
    ChangeAppraisal: _change,
    AppraiseAgain: lambda _desks, _turn, _one: Outcome(Empty()),
}
"""Who executes each command: a turn judges again by itself."""
