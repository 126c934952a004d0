"""What a dialled menu asks to be done, carried out: quotes, orders, balances, codes, PINs.

A PIN is counted before it is checked and checked on a helper thread, since that is slow on purpose.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 12.2
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tallystick.application.channels import (
    NOT_A_CUSTOMER,
    Action,
    AskQuote,
    Balance,
    BalanceIs,
    CheckCode,
    CodeKnown,
    CodeSent,
    CodeUnknown,
    Declined,
    MenuFacts,
    Paid,
    Pay,
    PayWithCode,
    PinIsSet,
    Quoted,
    Result,
    SetPin,
    Speak,
    Spoken,
)
from tallystick.application.commands import ChooseLanguage, Command, DialBalance, DialOrder, TryPin
from tallystick.application.commands import SetPin as KeepPin
from tallystick.application.consent import PinVerified, consent_of
from tallystick.application.customers import Customer
from tallystick.application.notices import check_receipt_code, receipt_code
from tallystick.application.ordercodes import cap_of
from tallystick.application.simcommands import OrderByCode, SendOrderCode
from tallystick.application.turn import Recorded
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import (
    Broken,
    MfsError,
    NotAuthentic,
    NotFound,
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

    def __init__(self, platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
        self._platform = platform
        self._desks = platform.desks
        self._writer = writer
        self._accounting = accounting
        self._slow = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pin")
        self._codes = platform.keys.newest(Purpose.RECEIPT_CODE)

    def facts(self, now: Instant, *, pin_ends: bool = False) -> MenuFacts:
        """What the menu needs to know at `now`.

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
        )

    async def carry_out(self, msisdn: str, action: Action, evidence: str) -> Result:
        """What came of `action` for whoever dials from `msisdn`; `evidence` is kept of a consent.

        Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
        """
        try:
            customer = self._desks.customers.active(self._desks.customers.by_alias(msisdn))
            return await self._act(customer, action, evidence)
        except NotFound:
            declined = Declined(says="You are not a customer here.", code=NOT_A_CUSTOMER)
        except NotAuthentic as error:
            declined = Declined(says=error.detail, again=True, code=error.code)
        except MfsError as error:
            declined = Declined(says=error.because or error.detail, code=error.code)
        return declined

    async def _act(  # noqa: PLR0911 - one return an action
        self, customer: Customer, action: Action, evidence: str
    ) -> Result:
        match action:
            case AskQuote():
                return self._quote(customer, action)
            case Pay():
                return await self._pay(customer, action, evidence)
            case PayWithCode(terms=terms, code=code):
                consented = self._consented(terms, evidence, Grade.CODE_CONFIRMED)
                recorded = await self._ask(OrderByCode(customer.id, consented, code))
                return Paid(receipt_code=self.code_of(recorded.outcome.event))
            case CheckCode():
                return self._check_code(customer, action)
            case Balance(pin=pin):
                return await self._balance(customer, pin)
            case SetPin():
                return await self._set_pin(customer, action)
            case Speak(language=language):
                await self._ask(ChooseLanguage(customer.id, language))
                return Spoken(language=language)

    async def _balance(self, customer: Customer, pin: Secret[str]) -> Result:
        await self._check_pin(customer, pin)
        recorded = await self._ask(DialBalance(customer.id))
        reply = recorded.outcome.reply
        if not isinstance(reply, AccountReply):
            raise Broken("a balance was asked for and something else was answered")
        return BalanceIs(available_minor=reply.available_minor, currency=reply.currency)

    def _quote(self, customer: Customer, action: AskQuote) -> Result:
        request = QuoteRequest(
            kind=action.kind,
            payee=action.payee,
            amount_minor=action.amount_minor,
            currency=self._platform.settings.currency,
        )
        try:
            terms = self._platform.quoting.quote(customer, request, self._platform.clock.now())
        except NotFound as error:
            return Declined(says=error.detail, code=error.code)
        return Quoted(terms=terms)

    async def _pay(self, customer: Customer, action: Pay, evidence: str) -> Result:
        await self._check_pin(customer, action.pin)
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

    def _consented(self, terms: QuoteReply, evidence: str, grade: Grade) -> PinVerified:
        now = self._platform.clock.now()
        consent = consent_of(terms.quote, device="", grade=grade.value, consented_at=now)
        return PinVerified(consent=consent, channel_message=evidence)

    async def _check_pin(self, customer: Customer, pin: Secret[str]) -> None:
        await self._ask(TryPin(customer.id))
        kept = self._desks.customers.get(customer.id).pin
        loop = asyncio.get_running_loop()
        verifier = self._platform.pin_verifier
        await loop.run_in_executor(self._slow, verifier.check, pin, customer.id, kept)

    async def _set_pin(self, customer: Customer, action: SetPin) -> Result:
        loop = asyncio.get_running_loop()
        verifier = self._platform.pin_verifier
        kept = await loop.run_in_executor(self._slow, verifier.make, action.pin, customer.id)
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
        languages = self._desks.languages
        try:
            return languages.of(self._desks.customers.by_alias(msisdn).id)
        except NotFound:
            return languages.default

    def close(self) -> None:
        """End the helper thread.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._slow.shutdown(wait=True)

    def _check_code(self, customer: Customer, action: CheckCode) -> Result:
        try:
            self._accounting.admit_source(customer.id, self._platform.clock.now(), CODE_CHECK_COST)
            index = check_receipt_code(action.code, self._mac)
        except RateLimited as error:
            return Declined(says=error.remedy, code=error.code)
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
