"""What each sealed operation asks for: a command for the writer, or an answer from what is known.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; 12.3
"""

from tallystick.application.commands import AgentOpens, Command, EndSession, PlaceOrder
from tallystick.application.consent import verify_signed
from tallystick.entry.assembly import Platform
from tallystick.entry.http.front import Front, Opened
from tallystick.entry.http.lane import LaneHandler
from tallystick.entry.http.operations import operation
from tallystick.infrastructure.crypto.signature import Es256VerifyKey, VerifyKey
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import (
    AccountReply,
    Empty,
    PaymentRequest,
    QuoteRequest,
    ReceiptReply,
    ReceiptRequest,
    consent_header,
)

_MAX_HOT_DEVICES = 16_384


class SealedOperations:
    """Understands and verifies the content of sealed requests.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._desks = platform.desks
        self._payments = Decoder(PaymentRequest, limit=8192)
        self._quotes = Decoder(QuoteRequest, limit=2048)
        self._receipts = Decoder(ReceiptRequest, limit=512)
        self._customers = Decoder(OpenCustomer, limit=2048)
        self._empty = Decoder(Empty, limit=16)
        self._signers: dict[str, tuple[str, VerifyKey]] = {}

    def handlers(self, front: Front) -> dict[str, LaneHandler]:
        """The handler of each sealed operation, by path.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        changing = {
            "payment.order": self.order,
            "session.end": self.end,
            "agent.open-customer": self.agent_opens,
        }
        reading = {
            "payment.quote": self.quote,
            "payment.receipt": self.receipt,
            "account.read": self.account,
        }
        handlers = {
            operation(name).path: front.changing(name, authenticate)
            for name, authenticate in changing.items()
        }
        handlers |= {
            operation(name).path: front.reading(name, read) for name, read in reading.items()
        }
        return handlers

    def order(self, opened: Opened, now: int) -> Command:
        """An order whose consent the session's own device signed and this provider quoted.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        live = self._desks.sessions.look(opened.session, Instant(now))
        header, key = self._signer(live.device)
        consented = verify_signed(
            self._payments.decode_canonical(opened.content),
            header=header,
            consent_key=key,
            check_mac=self._platform.quoting.check,
        )
        return PlaceOrder(opened.session, opened.sequence, consented)

    def end(self, opened: Opened, now: int) -> Command:
        """The end of the session.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._empty.decode(opened.content)
        return EndSession(opened.session, opened.sequence)

    def agent_opens(self, opened: Opened, now: int) -> Command:
        """A customer whom an agent identified.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        request = self._customers.decode_canonical(opened.content)
        return AgentOpens(opened.session, opened.sequence, request)

    def quote(self, opened: Opened, now: int) -> Wire:
        """The terms of a payment by the session's customer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        request = self._quotes.decode_canonical(opened.content)
        live = self._desks.sessions.look(opened.session, Instant(now))
        payer = self._desks.customers.get(live.customer)
        return self._platform.quoting.quote(payer, request, Instant(now))

    def receipt(self, opened: Opened, now: int) -> Wire:
        """The receipt of an order that the session's customer paid or received.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        request = self._receipts.decode_canonical(opened.content)
        live = self._desks.sessions.look(opened.session, Instant(now))
        order = self._desks.payments.find(request.order)
        if order is None:
            raise NotFound("no such order of yours")
        disclosures = self._desks.payments.proofs.disclosures(order, live.account)
        return ReceiptReply(receipt=self._platform.archive.receipt(order.event, disclosures))

    def account(self, opened: Opened, now: int) -> Wire:
        """The balance of the session's customer.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        self._empty.decode(opened.content)
        live = self._desks.sessions.look(opened.session, Instant(now))
        book = self._desks.book
        return AccountReply(
            account=live.account,
            currency=self._platform.settings.currency,
            available_minor=book.available(live.account),
            reserved_minor=book.reserved(live.account),
            device=live.device,
        )

    def _signer(self, device: str) -> tuple[str, VerifyKey]:
        found = self._signers.get(device)
        if found is None:
            if len(self._signers) >= _MAX_HOT_DEVICES:
                self._signers.clear()
            row = self._desks.devices.get(device)
            found = (b64url(consent_header(device)), Es256VerifyKey(row.consent))
            self._signers[device] = found
        return found
