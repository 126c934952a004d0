"""What a device signs about recoveries, in its own session: for its owner, or as an agent.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.assisting import AgentBounds
from tallystick.application.authentication import Session
from tallystick.application.customers import Customer
from tallystick.application.recovery.model import Opener, RecoveryRow
from tallystick.application.recovery.rules import check_moment, runs, silent
from tallystick.application.recovery.service import Opening, Recovery
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted, Replayed
from tallystick.protocol.recovery import Recoveries, RecoveryAct, RecoveryView


@dataclass(frozen=True, slots=True)
class InLife:
    """What a device does about recoveries.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    session: str
    sequence: int
    act: "LifeAct"


@dataclass(frozen=True, slots=True)
class DialledStop:
    """Whoever dials says no to the recovery of their account.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    customer: str


class OwnRecovery:
    """Opens, finishes, lists and cancels from inside a session.

    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """

    def __init__(self, recovery: Recovery, bounds: AgentBounds) -> None:
        self._recovery = recovery
        self._bounds = bounds

    def signed(
        self, turn: Turn, session_id: str, sequence: int, act: RecoveryAct, jws: str
    ) -> Outcome:
        """Do what the session's own device signed: `jws` is the act as it was signed.

        Raises NotPermitted for an agent out of bounds, Replayed for a signature that opened one
        before, and what opening and finishing raise.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        live, signer = self._who(turn, session_id, sequence)
        check_moment(act.at, turn.now)
        if act.number:
            return self._assisted(turn, signer, act, jws)
        if act.does == "finish":
            row = self._running(signer.id)
            return _shown(self._recovery.finish(turn, row, live.device))
        if act.lost == live.device:
            raise Conflict("a phone that is lost does not sign", remedy="sign with another one")
        self._refuse_again(signer.id, jws)
        opening = Opening(
            kind=act.kind,
            opener=Opener.DEVICE,
            proof=live.device,
            signed=jws,
            lost=act.lost,
            new_number=act.new_number,
        )
        return _shown(self._recovery.open(turn, signer, opening))

    def listed(self, turn: Turn, session_id: str, sequence: int) -> Outcome:
        """What an app shows of the recoveries of its owner; freezes are not theirs to read.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        _, owner = self._who(turn, session_id, sequence)
        rows = self._recovery.of(owner.id)
        return Outcome(
            Recoveries(recoveries=tuple(view_of(row) for row in rows if not silent(row)))
        )

    def cancel(self, turn: Turn, session_id: str, sequence: int, recovery: str) -> Outcome:
        """Cancel a recovery of the session's customer; any device of theirs may.

        Raises NotFound for another one's, Conflict for one that ended.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        live, owner = self._who(turn, session_id, sequence)
        row = self._recovery.find(recovery)
        if row.customer != owner.id:
            raise NotFound("no such recovery", remedy="load the list of recoveries again")
        return self._recovery.cancel(turn, row, live.device)

    def _assisted(self, turn: Turn, agent: Customer, act: RecoveryAct, jws: str) -> Outcome:
        """For the customer of `act.number`, by an agent within bounds.

        The reply names the recovery and its times: nothing that the customer alone should know.
        """
        customer = self._recovery.parts.customers.by_alias(act.number)
        if customer.id == agent.id:
            raise NotPermitted(
                "an agent does not assist themselves",
                because="agent-assisted",
                remedy="go to another agent or the provider",
            )
        self._bounds.check(turn, agent, act.zone)
        if act.does == "finish":
            row = self._running(customer.id)
            return _shown(self._recovery.finish(turn, row, agent.id))
        if not act.evidence:
            raise Malformed("an agent names the digest of what was seen")
        if act.lost:
            raise Malformed("an agent names no device")
        self._refuse_again(customer.id, jws)
        opening = Opening(
            kind=act.kind,
            opener=Opener.AGENT,
            proof=agent.id,
            evidence=act.evidence,
            signed=jws,
            new_number=act.new_number,
        )
        return _shown(self._recovery.open(turn, customer, opening))

    def _running(self, customer: str) -> RecoveryRow:
        for row in self._recovery.of(customer):
            if runs(row):
                return row
        raise NotFound("no recovery of this account runs", remedy="look at the list of recoveries")

    def _refuse_again(self, customer: str, jws: str) -> None:
        if any(row.signed == jws for row in self._recovery.of(customer)):
            raise Replayed("this opened a recovery before", remedy="sign anew")

    def _who(self, turn: Turn, session_id: str, sequence: int) -> tuple[Session, Customer]:
        parts = self._recovery.parts
        live = parts.sessions.admit(turn, session_id, sequence)
        parts.devices.active(live.device)
        return live, parts.customers.active(parts.customers.get(live.customer))


LifeAct = Callable[[OwnRecovery, Turn, str, int], Outcome]
"""What a device asks for: with the turn, the session and the request's number."""


def view_of(row: RecoveryRow) -> RecoveryView:
    """`row` without a proof, a number or a code.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return RecoveryView(
        recovery=row.id,
        kind=row.kind,
        state=row.state,
        opener=row.opener.value,
        opened_at=row.opened_at,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
    )


def _shown(row: RecoveryRow) -> Outcome:
    return Outcome(view_of(row))
