"""What operators do about approvals, one line each.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
"""

from dataclasses import dataclass

from tallystick.application.approvals.model import Begin, MandateRow
from tallystick.application.approvals.rules import moved, read_bands, without
from tallystick.application.approvals.service import Approvals
from tallystick.application.asking.beginning import Beginning
from tallystick.application.customers import Customer, Customers
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Broken, MfsError, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.process.policy.facts import Channel
from tallystick.protocol.approvals import (
    ApprovalBegun,
    ApprovalStage,
    BeginApproval,
    CancelApproval,
    ClearRisk,
    RevokeApprover,
    SetMandate,
)
from tallystick.protocol.payments import QuoteRequest

_BECAUSE = "it decides who moves money"

_begin = Decoder(BeginApproval)
_cancel = Decoder(CancelApproval)
_mandate = Decoder(SetMandate)
_revoke = Decoder(RevokeApprover)
_clear = Decoder(ClearRisk)


@dataclass(frozen=True, slots=True)
class ApprovalActs:
    """Executes the acts that begin, end and arrange approvals.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    approvals: Approvals
    beginning: Beginning
    customers: Customers

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "begin-approval": self._begin,
            "cancel-approval": self._cancel,
            "clear-risk": self._clear_risk,
            "revoke-approver": self._revoke_approver,
            "set-mandate": self._set_mandate,
        }

    def _begin(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        operator = read_signature(jws[0]).act.operator
        asked = begun_by(
            self.customers,
            _begin.decode(body),
            source=f"operator:{operator}",
            channel=Channel.OPERATOR.value,
        )
        outcome = self.beginning.begin(turn, asked)
        reply = outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        if not isinstance(reply, ApprovalBegun):
            raise Broken("a request began without its number")
        return Acted(
            f"the customer is asked; the number to tell them is {reply.number}",
            outcome.event,
            reply.approval,
        )

    def _cancel(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _cancel.decode(body)
        outcome = self.approvals.cancel(turn, "", asked.approval, asked.because)
        return Acted("the request is taken back", outcome.event, asked.approval)

    def _set_mandate(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("set a mandate", jws, because=_BECAUSE)
        asked = _mandate.decode(body)
        owner = self.customers.active(self.customers.by_alias(asked.number))
        for band in read_bands(asked.bands):
            for name in band.people:
                self.customers.active(self.customers.get(name))
        self._end_waiting(turn, owner, "the mandate was changed")
        bands = "\n".join(asked.bands)
        may = int(asked.initiator == "allowed")
        told: dict[str, str | int] = {
            "bands": len(asked.bands),
            "because": asked.because,
            "initiator": asked.initiator,
        }
        committed = {"account": owner.account, "people": bands}
        kept = self.approvals.kept
        index = kept.event(turn, "mandate.set", owner.id, told, committed)
        row = MandateRow(account=owner.account, bands=bands, initiator_may=may, event=index)
        kept.set_mandate(turn, row)
        return Acted(f"orders of {owner.id} are approved by {len(asked.bands)} bands", index)

    def _revoke_approver(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _revoke.decode(body)
        owner = self.customers.by_alias(asked.number)
        kept = self.approvals.kept
        mandate = kept.mandate(owner.account)
        if mandate is None or asked.customer not in mandate.bands:
            raise NotFound(
                "this person approves nothing for this account",
                remedy="look at who may approve for it",
            )
        left = "\n".join(without(mandate, asked.customer))
        if not left:
            raise NotPermitted(
                "nobody would be left who may approve", remedy="set another mandate first"
            )
        committed = {"account": owner.account, "person": asked.customer}
        index = kept.event(turn, "mandate.revoked", owner.id, {"because": asked.because}, committed)
        kept.set_mandate(turn, replace(mandate, bands=left, event=index))
        for row in kept.pending(owner.id):
            names = [one for one in row.names() if one != asked.customer]
            if row.payer != owner.id or len(names) == len(row.names()):
                continue
            fewer = replace(row, approvers=",".join(names))
            if len(names) < row.needed:
                fewer = moved(row, ApprovalStage.CANCELLED, "too few may approve it now")
                kept.record(turn, fewer, "cancelled")
            else:
                kept.drop(turn, row, asked.customer)
                kept.record(turn, fewer, "narrowed")
        return Acted(f"{asked.customer} approves nothing for {owner.id} any more", index)

    def _clear_risk(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("clear a risk", jws, because=_BECAUSE)
        asked = _clear.decode(body)
        customer = self.customers.get(asked.customer)
        kept = self.approvals.kept
        kept.raise_risk(turn, customer.id, 0)
        index = kept.event(turn, "risk.cleared", customer.id, {"because": asked.because}, {})
        return Acted(f"{customer.id} counts as unmolested again", index)

    def _end_waiting(self, turn: Turn, owner: Customer, because: str) -> None:
        for row in self.approvals.kept.pending(owner.id):
            if row.payer == owner.id:
                ended = moved(row, ApprovalStage.CANCELLED, because)
                self.approvals.kept.record(turn, ended, "cancelled")


def begun_by(customers: Customers, asked: BeginApproval, *, source: str, channel: str) -> Begin:
    """What `source` asks for, with its payer.

    Raises NotFound for a payer whom nobody knows.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return Begin(
        payer=customers.by_alias(asked.payer),
        asked=QuoteRequest(
            kind=asked.kind,
            payee=asked.payee,
            amount_minor=asked.amount_minor,
            currency=asked.currency,
        ),
        asked_by=asked.asked_by,
        source=source,
        channel=channel,
        devices=asked.devices,
    )
