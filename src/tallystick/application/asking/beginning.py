"""How a request begins: who may begin it, how often somebody may be asked, and what they will see.

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow, Begin, Content
from tallystick.application.approvals.rules import (
    DENIED,
    LIFE_MS,
    LONG_LIFE_MS,
    MOST_PENDING,
    Band,
    band_of,
    free_of,
    match_number,
    paced,
    subjects,
)
from tallystick.application.authentication import Sessions
from tallystick.application.consent import quote_digest
from tallystick.application.customers import Customer, Customers
from tallystick.application.devices import Devices
from tallystick.application.quoting import Quoting
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.errors import NotFound, NotPermitted, RateLimited
from tallystick.kernel.model import replace
from tallystick.kernel.time import SECOND_MS, Instant
from tallystick.protocol.approvals import ApprovalBegun, ApprovalStage, approval_text

_LONGEST_WAIT_S = 3600


class Beginning:
    """Turns what was asked elsewhere into a request on people's devices.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    def __init__(
        self,
        kept: Kept,
        customers: Customers,
        devices: Devices,
        quoting: Quoting,
        sessions: Sessions,
    ) -> None:
        self._kept = kept
        self._customers = customers
        self._devices = devices
        self._quoting = quoting
        self._sessions = sessions

    def begin(self, turn: Turn, asked: Begin) -> Outcome:
        """Begin a request; the answer has the number that is shown where it was begun.

        Raises what quoting refuses with, NotPermitted for a customer who said that it was not
        them, RateLimited for one who is asked too often.
        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        payer = self._customers.active(asked.payer)
        self._check_asking(asked, turn.now)
        quoted = self._quoting.quote(payer, asked.asked, turn.now, asked.channel)
        band = self._band(payer, asked)
        life = LIFE_MS if band.needed == 1 else LONG_LIFE_MS
        shown = quoted.shown or ()
        quoted = self._quoting.prove(replace(quoted.quote, expires_at=turn.now + life))
        self._check_devices(asked.devices, band)
        mandate = self._kept.mandate(payer.account)
        content = Content(
            quote=quoted.quote,
            proof=quoted.proof,
            number=match_number(turn.entropy(8)),
            asked_by=asked.asked_by,
            text=approval_text(quoted.quote, asked.asked_by),
            shown=shown,
        )
        row = ApprovalRow(
            id=turn.new_id("apr"),
            payer=payer.id,
            order_id=quoted.quote.order,
            digest=quote_digest(quoted.quote),
            stage=ApprovalStage.PENDING,
            reason="",
            outcome="",
            source=asked.source,
            channel=asked.channel,
            initiator=asked.initiator,
            initiator_may=1 if mandate is None else mandate.initiator_may,
            devices=",".join(asked.devices),
            approvers=",".join(band.people),
            needed=band.needed,
            wrong=0,
            paused_until=0,
            begun_at=turn.now,
            expires_at=quoted.quote.expires_at,
            event=0,
            sealed=self._kept.sealed(payer.id, content),
        )
        for subject in subjects(row):
            before = self._kept.pace(subject)
            self._kept.set_pace(turn, paced(before, turn.now, free=free_of(subject)))
        row = self._kept.record(turn, row, "begun")
        people = row.names()
        turn.on_durable(lambda: self._kept.watching.wake(people))
        begun = ApprovalBegun(
            approval=row.id,
            order=row.order_id,
            number=content.number,
            needed=row.needed,
            expires_at=row.expires_at,
        )
        return Outcome(begun, row.event)

    def begin_in_session(self, turn: Turn, session: str, sequence: int, asked: Begin) -> Outcome:
        """Begin an order of one's own account, or of one that one is named in, in a session.

        Raises NotFound for another account.
        Source: ISO/TS 12812-2:2017, 6.2.1; 11.2.2
        """
        live = self._sessions.admit(turn, session, sequence)
        self._devices.active(live.device)
        customer = self._customers.active(self._customers.get(live.customer))
        self._may_begin(customer, asked.payer)
        source = f"customer:{customer.id}"
        own = asked._replace(source=source, channel=live.channel, initiator=customer.id)
        return self.begin(turn, own)

    def _may_begin(self, customer: Customer, payer: Customer) -> None:
        """Pass if `customer` may begin orders of `payer`: their own, or of a mandate's account.

        Raises NotFound otherwise, as for an account that there is not.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        mandate = self._kept.mandate(payer.account)
        named = "" if mandate is None else mandate.bands
        if customer.id != payer.id and customer.id not in named:
            raise NotFound(
                "you begin no orders of such an account",
                remedy="ask who has the account to let you begin orders",
            )

    def _band(self, payer: Customer, asked: Begin) -> Band:
        mandate = self._kept.mandate(payer.account)
        band = band_of(mandate, asked.asked.amount_minor, payer.id)
        left = set(band.people)
        if mandate is not None and not mandate.initiator_may:
            left.discard(asked.initiator)
        if len(left) < band.needed:
            raise NotPermitted(
                "nobody would be left who may approve this",
                because="whoever begins an order does not approve it",
                remedy="let somebody else begin it",
            )
        return band

    def _check_asking(self, asked: Begin, now: Instant) -> None:
        """Nobody is asked whose account is at risk, too often, or about too much at a time."""
        payer = asked.payer.id
        if asked.initiator != payer and self._kept.score(payer, now) >= DENIED:
            raise NotPermitted(
                "the customer takes no requests at present",
                because="the customer said that a request was not theirs",
                remedy="the customer can ask the care desk",
            )
        waiting = [one for one in self._kept.pending(payer) if one.payer == payer]
        soonest = max(self._kept.pace(one).next_at for one in (payer, f"{payer}|{asked.source}"))
        if len(waiting) >= MOST_PENDING:
            soonest = max(soonest, now + SECOND_MS * 30)
        if now < soonest:
            wait_s = min(_LONGEST_WAIT_S, (soonest - now) // SECOND_MS + 1)
            raise RateLimited(
                "this customer was asked often and has not agreed",
                remedy="ask the customer first, then begin again",
                retry_after_s=wait_s,
            )

    def _check_devices(self, devices: tuple[str, ...], band: Band) -> None:
        for one in devices:
            if self._devices.active(one).customer not in band.people:
                raise NotFound(
                    "no approver has such a device", remedy="look at the devices of the approvers"
                )
