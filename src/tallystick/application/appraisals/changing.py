"""A policy of appraisal and a list of revoked certificates, changed by a command like any other.

Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.application.appraisals.lists import TakeList, bases, judge_by, take_list
from tallystick.application.appraisals.proving import (
    PROVING_EXECUTORS,
    AskProof,
    ReportSignals,
    TakeProof,
)
from tallystick.application.appraisals.store import forget_bases
from tallystick.application.desks import Desks
from tallystick.application.devices import Attesting
from tallystick.application.fleet import FLEET_EXECUTORS, CountFleet
from tallystick.application.turn import Outcome, Turn
from tallystick.process.attestation.model import AppraisalPolicy
from tallystick.protocol.payments import Empty


@dataclass(frozen=True, slots=True)
class ChangeAppraisal:
    """From now on devices are appraised by `policy`; without one, by the policy in force.

    `version` and `envelope` are those of a signed policy that was verified and is new; 0 and empty
    where what is in force is only to be kept for who asks later.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """

    policy: AppraisalPolicy | None = None
    version: int = 0
    envelope: str = ""


@dataclass(frozen=True, slots=True)
class AppraiseAgain:
    """A turn, in which devices are judged again whose stored verdict is past.

    Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """


@dataclass(frozen=True, slots=True)
class ForgetBases:
    """Policies and lists that are past are kept no longer, once no stored verdict rests on one.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """


AppraisalCommand = (
    ChangeAppraisal
    | TakeList
    | AppraiseAgain
    | AskProof
    | TakeProof
    | ReportSignals
    | CountFleet
    | ForgetBases
)


def _change(desks: Desks, turn: Turn, one: ChangeAppraisal) -> Outcome:
    old = desks.devices.attesting
    attesting = Attesting(one.policy or old.policy, old.known, old.verdict_keys, old.fresh_since)
    return judge_by(desks, turn, attesting, one.version, one.envelope, anew=True)


def _forget(desks: Desks, turn: Turn, _: ForgetBases) -> Outcome:
    attesting = desks.devices.attesting
    forget_bases(turn.changes, bases(attesting), attesting.basis)
    return Outcome(Empty())


APPRAISAL_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    **PROVING_EXECUTORS,
    **FLEET_EXECUTORS,
    ChangeAppraisal: _change,
    TakeList: take_list,
    ForgetBases: _forget,
    AppraiseAgain: lambda _desks, _turn, _one: Outcome(Empty()),
}
"""Who executes each command: a turn judges again by itself."""
