"""What a new dialled session begins with: the last payment told, unfinished terms, or the menu.

    PIN given for an order   -> dialled again -> what became of it, until the customer goes on
    terms shown, no secret   -> dialled again -> the same terms, offered on a page without a PIN
    anything else            -> dialled again -> the menu

It is the same for aggregators, signed gateways and networks over SMPP; each has its own sessions.
What was ordered is in the record, so that it is told after a restart too.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.3.3; 11.2.2
"""

from dataclasses import dataclass
from typing import NamedTuple

from tallystick.application.channels import (
    Action,
    Confirm,
    Offered,
    Pay,
    PayWithCode,
    Reported,
    Result,
    UssdSession,
)
from tallystick.application.payments.model import OrderRow, Stage
from tallystick.application.payments.store import last_dialled
from tallystick.application.quoting import shown_name
from tallystick.entry.assembly import Platform
from tallystick.entry.http.dialled import DialledActions
from tallystick.kernel.errors import MfsError
from tallystick.kernel.ids import first_id_at
from tallystick.kernel.time import Instant
from tallystick.process.policy.facts import Channel
from tallystick.protocol.payments import QuoteReply

_MOST = 50_000


class Dialler(NamedTuple):
    """Who dials: over which gateway, aggregator or network, and from which number.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    way: str
    msisdn: str


class Left(NamedTuple):
    """A session as it was left: where it stood, when, and whether a secret was typed in it.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    session: UssdSession
    touched_at: int
    secret_seen: bool


class Begins(NamedTuple):
    """The first page of a session, None for the menu, and the order that it tells of, if any.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    page: Offered | Reported | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class _Ordered:
    """An order that a PIN was given for, until the customer was told what became of it."""

    terms: QuoteReply
    at: int


class TakingUp:
    """Remembers for each dialler what was ordered, and what was told.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
    """

    def __init__(self, platform: Platform, actions: DialledActions) -> None:
        """Remember from now on; what was ordered before is read out of the record.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._platform = platform
        self._actions = actions
        self._began_at = platform.clock.now()
        self._ordered: dict[Dialler, _Ordered] = {}
        self._told: dict[Dialler, str] = {}

    def window_ms(self) -> int:
        """How long after its last input a session can be taken up: the whole life of one.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rule = self._platform.desks.policy.compiled.session(Channel.USSD.value)
        return rule.absolute_ms

    async def carry_out(self, dialler: Dialler, action: Action, evidence: str) -> Result:
        """What came of `action`; of a payment the next session tells until it `is_told`.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        if not isinstance(action, Pay | PayWithCode):
            return await self._actions.carry_out(dialler.msisdn, action, evidence)
        while len(self._ordered) > _MOST:
            del self._ordered[next(iter(self._ordered))]
        self._ordered[dialler] = _Ordered(action.terms, self._platform.clock.now())
        try:
            return await self._actions.carry_out(dialler.msisdn, action, evidence)
        finally:
            if self._order(action.terms.quote.order) is None:
                self._ordered.pop(dialler, None)

    def stepped(
        self, dialler: Dialler, before: UssdSession, after: UssdSession, order: str
    ) -> None:
        """A session moved: whoever went on from the page that told of `order` was told.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if isinstance(before.state, Reported) and not isinstance(after.state, Reported):
            self.is_told(dialler, order)

    def is_told(self, dialler: Dialler, order: str) -> None:
        """The customer knows what became of `order`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._ordered.pop(dialler, None)
        while len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        self._told[dialler] = order

    def forget(self, dialler: Dialler) -> None:
        """Let go what is remembered of a dialler who is long gone.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._ordered.pop(dialler, None)
        self._told.pop(dialler, None)

    def begins(self, dialler: Dialler, before: Left | None) -> Begins:
        """What a new session of `dialler` begins with, where `before` is the one before it.

        Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3; 11.2.2
        """
        now, customers = self._platform.clock.now(), self._platform.desks.customers
        try:
            account = customers.active(customers.by_alias(dialler.msisdn)).account
        except MfsError:
            return Begins()
        ordered = self._ordered.get(dialler)
        if ordered is not None and now - ordered.at <= self.window_ms():
            return Begins(self._report(ordered), ordered.terms.quote.order)
        if now - self._began_at <= self.window_ms():
            order = self._found_again(dialler, account, now)
            if order is not None:
                return Begins(self._report_of(order), order.id)
        return Begins(self._unfinished(before, account, now))

    def _unfinished(self, before: Left | None, account: str, now: Instant) -> Offered | None:
        """Terms that the session before had shown, if no secret was typed behind them."""
        if before is None or before.secret_seen or now - before.touched_at > self.window_ms():
            return None
        state = before.session.state
        if not isinstance(state, Confirm) or now > state.terms.quote.expires_at:
            return None
        return Offered(terms=state.terms) if state.terms.quote.payer == account else None

    def _report(self, ordered: _Ordered) -> Reported:
        quote = ordered.terms.quote
        order = self._order(quote.order)
        return Reported(
            amount_minor=quote.amount_minor,
            currency=quote.currency,
            name=quote.payee_name,
            stage=Stage.ACCEPTED.value if order is None else order.stage.value,
            code="" if order is None else self._actions.code_of(order.event),
        )

    def _found_again(self, dialler: Dialler, account: str, now: Instant) -> OrderRow | None:
        """The last payment out of the record, where memory began after it."""
        since = first_id_at("ord", max(0, now - self.window_ms()))
        order = self._order(last_dialled(self._platform.reader, account, since))
        return None if order is None or self._told.get(dialler) == order.id else order

    def _report_of(self, order: OrderRow) -> Reported:
        customers = self._platform.desks.customers
        payee = customers.owner(order.payee)
        return Reported(
            amount_minor=order.amount_minor,
            currency=order.currency,
            name=shown_name(customers.profile(payee).name, payee.kind),
            stage=order.stage.value,
            code=self._actions.code_of(order.event),
        )

    def _order(self, identifier: str) -> OrderRow | None:
        return self._platform.desks.payments.find(identifier) if identifier else None
