"""What a dialled menu asks to be done, carried out: quotes, orders, balances, codes, PINs.

A PIN arrives here as a block, is counted before it is checked, and is checked on a helper thread,
since that is slow on purpose.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 12.2
"""

from tallystick.application.authentication import Dialled
from tallystick.application.channels import (
    Action,
    AskQuote,
    Balance,
    BalanceIs,
    Block,
    Blocked,
    CheckCode,
    CodeKnown,
    CodeSent,
    CodeUnknown,
    Declined,
    Door,
    MenuFacts,
    Paid,
    Pay,
    PayWithCode,
    PinIsSet,
    Protection,
    Quoted,
    Refusal,
    Result,
    Safeguard,
    Safeguarded,
    SetPin,
    Speak,
    Spoken,
    TellProtection,
)
from tallystick.application.commands import ChooseLanguage, Command, DialBalance, DialOrder
from tallystick.application.commands import SetPin as KeepPin
from tallystick.application.consent import PinVerified, consent_of
from tallystick.application.customers import Customer
from tallystick.application.devicelife import BlockByDialling
from tallystick.application.education import DialledTerms, most_at_once, protection
from tallystick.application.notices import check_receipt_code, receipt_code
from tallystick.application.ordercodes import cap_of
from tallystick.application.recovery import DialledStop
from tallystick.application.simcommands import OrderByCode, SendOrderCode
from tallystick.application.tries import RenewPin, TryEnded, TryPin
from tallystick.application.turn import Recorded
from tallystick.application.typedcodes import KeyedCode
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.hashing import HashingPool
from tallystick.entry.http.declining import declined_as, sentence, spoken
from tallystick.entry.mno import MnoLink
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.errors import (
    Broken,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    RateLimited,
    StepUpRequired,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import Channel
from tallystick.protocol.channels import Language
from tallystick.protocol.payments import AccountReply, QuoteReply, QuoteRequest

CODE_CHECK_COST = 4.0


class DialledActions:
    """Carries out what menus of any dialect ask for.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        accounting: Accounting,
        hashing: HashingPool,
    ) -> None:
        self._platform = platform
        self._desks = platform.desks
        self._writer = writer
        self._accounting = accounting
        self.network = MnoLink(platform, writer, accounting)
        self._hashing = hashing
        self._verifier = hashing.verifier(platform.pin_verifier)
        self._codes = platform.keys.newest(Purpose.RECEIPT_CODE)

    def facts(self, now: Instant, msisdn: str, *, pin_ends: bool = False) -> MenuFacts:
        """What the menu needs to know at `now` of whoever dials from `msisdn`.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rule = self._desks.policy.compiled.session(Channel.USSD.value)
        return MenuFacts(
            now=now,
            provider=self._platform.settings.provider,
            currency=self._platform.settings.currency,
            country=self._platform.settings.country,
            idle_ms=rule.idle_ms,
            lifetime_ms=rule.absolute_ms,
            pin_ends=pin_ends,
            app_waits=self._app_waits(msisdn),
            closed=self._desks.policy.services.is_closed(Channel.USSD),
        )

    def door(self, msisdn: str) -> Door:
        """What takes the secrets that are typed on `msisdn`, a stranger's as well as a customer's.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return Door(
            pins=self._platform.pin_verifier,
            activation=lambda code: self._keyed_activation(msisdn, code),
            order=lambda terms, code: self._keyed_order(msisdn, terms, code),
        )

    def _keyed_activation(self, msisdn: str, code: Secret[str]) -> KeyedCode:
        known = self._customer_at(msisdn)
        return self._desks.access.keyed("" if known is None else known.activation, code)

    def _keyed_order(self, msisdn: str, terms: QuoteReply, code: Secret[str]) -> KeyedCode:
        known = self._customer_at(msisdn)
        return self._desks.order_codes.keyed("" if known is None else known.id, terms.quote, code)

    def _customer_at(self, msisdn: str) -> Customer | None:
        try:
            return self._desks.customers.by_alias(msisdn)
        except NotFound:
            return None

    def lifetime_ms(self) -> int:
        """How long a menu session lasts at most under the policy in force.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._desks.policy.compiled.session(Channel.USSD.value).absolute_ms

    def _app_waits(self, msisdn: str) -> bool:
        """Whether a request waits that the dialler may approve, in the app only."""
        known = self._customer_at(msisdn)
        if known is None:
            return False
        return any(known.id in row.names() for row in self._desks.approvals.kept.pending(known.id))

    async def carry_out(self, msisdn: str, action: Action, evidence: str) -> Result:
        """What came of `action` for whoever dials from `msisdn`; `evidence` is kept of a consent.

        Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
        """
        try:
            customer = self._desks.customers.by_alias(msisdn)
            if not isinstance(action, Safeguard | Speak | CheckCode | TellProtection):
                self._desks.policy.services.check_channel(Channel.USSD)
            if not isinstance(action, Safeguard | TellProtection):
                self._desks.customers.active(customer, asks=True)
            return await self._act(customer, msisdn, action, evidence)
        except NotFound:
            return Declined(says="You are not a customer here.", code=Refusal.NOT_A_CUSTOMER)
        except MfsError as error:
            return declined_as(error)

    async def _act(  # noqa: C901, PLR0911 - one return an action
        self, customer: Customer, msisdn: str, action: Action, evidence: str
    ) -> Result:
        match action:
            case AskQuote():
                return self._quote(customer, action)
            case Pay():
                return await self._pay(customer, msisdn, action, evidence)
            case PayWithCode():
                return await self._pay_with_code(customer, action, evidence)
            case CheckCode():
                return await self._check_code(customer, action)
            case Balance(pin=pin):
                return await self._balance(customer, msisdn, pin)
            case SetPin():
                return await self._set_pin(customer, msisdn, action)
            case Speak(language=language):
                await self._ask(ChooseLanguage(customer.id, language))
                return Spoken(language=language)
            case Block(pin=pin):
                await self._check_pin(customer, msisdn, pin)
                await self._ask(BlockByDialling(customer.id))
                return Blocked()
            case Safeguard(accept=accept):
                customer_id = customer.id
                await self._ask(DialledTerms(customer_id) if accept else DialledStop(customer_id))
                return Safeguarded(accepted=accept)
            case TellProtection():
                return self._protection(customer, action)

    def _protection(self, customer: Customer, action: TellProtection) -> Protection:
        policy = self._desks.policy.compiled
        steps = self._desks.payments.incentives.steps_now()
        told = protection(policy, customer.tier, Channel.USSD.value, action.language, steps)
        return Protection(lines=told[action.aspect])

    async def _balance(self, customer: Customer, msisdn: str, pin: SealedPin) -> Result:
        await self._check_pin(customer, msisdn, pin)
        recorded = await self._ask(DialBalance(customer.id))
        reply = recorded.outcome.reply
        if not isinstance(reply, AccountReply):
            raise Broken("a balance was asked for and something else was answered")
        return BalanceIs(available_minor=reply.available_minor, currency=reply.currency)

    def _quote(self, customer: Customer, action: AskQuote) -> Result:
        """The terms; an amount that can never be paid so is refused before any page repeats it."""
        most = most_at_once(self._desks.policy.compiled, customer.tier, action.kind.value)
        if action.amount_minor > most:
            return Declined(says="This is above your limit.", code=Refusal.ABOVE_CAP)
        request = QuoteRequest(
            kind=action.kind,
            payee=action.payee,
            amount_minor=action.amount_minor,
            currency=self._platform.settings.currency,
        )
        try:
            now = self._platform.clock.now()
            terms = self._platform.quoting.quote(customer, request, now, Channel.USSD.value)
        except NotFound as error:
            return Declined(says=sentence(error.detail), code=error.code)
        except NotPermitted as error:
            return Declined(says=spoken(error), code=Refusal.NOT_PAYABLE)
        return Quoted(terms=terms)

    async def _pay(self, customer: Customer, msisdn: str, action: Pay, evidence: str) -> Result:
        await self._check_pin(customer, msisdn, action.pin)
        await self.network.refresh(customer)
        consented = self._consented(action.terms, evidence, Grade.PIN_VERIFIED)
        try:
            recorded = await self._ask(DialOrder(customer.id, consented))
        except StepUpRequired:
            if cap_of(self._desks.policy.compiled.policy) is None:
                raise
            await self._ask(SendOrderCode(customer.id, action.terms))
            return CodeSent()
        index = recorded.outcome.event
        return Paid(receipt_code=self.code_of(index))

    async def _pay_with_code(
        self, customer: Customer, action: PayWithCode, evidence: str
    ) -> Result:
        await self.network.refresh(customer)
        consented = self._consented(action.terms, evidence, Grade.CODE_CONFIRMED)
        recorded = await self._ask(OrderByCode(customer.id, consented, action.code))
        return Paid(receipt_code=self.code_of(recorded.outcome.event))

    def _consented(self, terms: QuoteReply, evidence: str, grade: Grade) -> PinVerified:
        now = self._platform.clock.now()
        consent = consent_of(terms.quote, device="", grade=grade.value, consented_at=now)
        return PinVerified(consent=consent, channel_message=evidence)

    async def _check_pin(self, customer: Customer, msisdn: str, pin: SealedPin) -> None:
        """Pass for the right PIN; wrong and held back look the same and take as long."""
        verifier, now = self._verifier, self._platform.clock.now()
        held = False
        with self._hashing.place(customer.id, now) as place:
            try:
                await self._ask(TryPin(customer.id))
            except NotAuthentic:
                held = True
            kept = self._desks.customers.get(customer.id).pin
            try:
                if held or not kept:
                    await place.run(verifier.refuse, pin, msisdn, customer.id)
                await place.run(verifier.check, pin, msisdn, customer.id, kept)
                fresh = await place.run(verifier.renewed, pin, msisdn, customer.id, kept)
                if fresh:
                    await self._ask(RenewPin(customer.id, kept, fresh))
            except NotAuthentic:
                await self._ask(TryEnded(customer.id, right=False, held=held))
                raise

    async def _set_pin(self, customer: Customer, msisdn: str, action: SetPin) -> Result:
        await self.network.refresh(customer)
        verifier = self._verifier
        verifier.check_new(action.pin, msisdn, msisdn)
        with self._hashing.place(customer.id, self._platform.clock.now()) as place:
            kept = await place.run(verifier.make, action.pin, msisdn, customer.id)
        await self._ask(KeepPin(customer.id, customer.activation, action.code, kept))
        return PinIsSet()

    def code_of(self, event: int) -> str:
        """The receipt code of the event with this index.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return receipt_code(event, self._mac)

    def language_of(self, msisdn: str) -> Language:
        """The language of whoever dials from `msisdn`; the provider's for a stranger.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        known = self._customer_at(msisdn)
        languages = self._desks.languages
        return languages.default if known is None else languages.of(known.id)

    def register(self, name: str, msisdn: str, facts: MenuFacts) -> None:
        """Enter the menu session `name`, so that its customer and operators see and can end it.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        known = self._desks.sessions.dialled.get(name)
        if known is not None:
            known.last_seen = facts.now
            return
        customer = self._customer_at(msisdn)
        if customer is None:
            return
        self._desks.sessions.dial(
            Dialled(
                id=name,
                customer=customer.id,
                established_at=facts.now,
                last_seen=facts.now,
                idle_ms=facts.idle_ms,
                expires_at=facts.now + facts.lifetime_ms,
            )
        )

    def strike(self, name: str) -> None:
        """The menu session `name` is over.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._desks.sessions.dialled.pop(name, None)

    def was_ended(self, name: str) -> bool:
        """Whether somebody else ended the menu session `name`.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._desks.sessions.was_ended(name)

    async def _check_code(self, customer: Customer, action: CheckCode) -> Result:
        try:
            self._accounting.admit_source(customer.id, self._platform.clock.now(), CODE_CHECK_COST)
            await self._ask(TryPin(customer.id, receipt=True))
        except RateLimited as error:
            return Declined(says=error.remedy, code=error.code)
        except NotAuthentic:
            return CodeUnknown()
        found = self._known_code(customer, action)
        right = isinstance(found, CodeKnown)
        await self._ask(TryEnded(customer.id, right=right, receipt=True))
        return found

    def _known_code(self, customer: Customer, action: CheckCode) -> Result:
        try:
            index = check_receipt_code(action.code, self._mac)
        except MfsError:
            return CodeUnknown()
        order = self._desks.payments.by_event(self._platform.archive.store.leaf(index))
        if order is None or customer.account not in {order.payer, order.payee}:
            return CodeUnknown()
        return CodeKnown(
            amount_minor=order.amount_minor,
            currency=order.currency,
            incoming=order.payee == customer.account,
            stage=order.stage.value,
            at=order.at,
        )

    async def _ask(self, command: Command) -> Recorded:
        recorded = await self._writer.ask(command)
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply
        return recorded

    def _mac(self, message: bytes) -> bytes:
        return self._platform.module.mac(self._codes, message)
