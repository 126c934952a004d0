"""The door of the phone that only dials: a gateway's message in, the next page out.

    message verified -> menu steps -> action -> provider -> menu resumes -> page

A PIN is counted before it is checked and checked on a helper thread, since that is slow on purpose.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 12.2
"""

from starlette.requests import Request
from starlette.responses import Response

from tallystick.application.authentication import Dialled
from tallystick.application.channels import (
    Action,
    AskQuote,
    Balance,
    BalanceIs,
    CheckCode,
    CodeKnown,
    CodeUnknown,
    Declined,
    MenuFacts,
    Paid,
    Pay,
    PinIsSet,
    Quoted,
    Result,
    Screen,
    SetPin,
    UssdSession,
    check_fresh,
    open_message,
    open_session,
    resume,
    step,
)
from tallystick.application.commands import Command, DialBalance, DialOrder
from tallystick.application.commands import SetPin as KeepPin
from tallystick.application.consent import PinVerified, consent_of
from tallystick.application.customers import Customer
from tallystick.application.notices import check_receipt_code, receipt_code
from tallystick.application.tries import TryEnded, TryPin
from tallystick.application.turn import Recorded
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.hashing import HashingPool
from tallystick.entry.http.asked import asked_for, count_answer
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import Decoder, b64url, encode
from tallystick.kernel.errors import (
    Broken,
    MfsError,
    NotAuthentic,
    NotFound,
    RateLimited,
    Replayed,
    TooLarge,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import Channel
from tallystick.protocol.channels import SignedUssd, UssdMessage, UssdReply
from tallystick.protocol.payments import AccountReply, QuoteRequest

_MAX_BYTES = 8192
_FRESH_MS = MINUTE_MS
_MAX_SESSIONS = 50_000
_SEEN_FOR_MS = 10 * MINUTE_MS
CODE_CHECK_COST = 4.0
_messages = Decoder(SignedUssd, limit=_MAX_BYTES)


class UssdDoor:
    """Carries dialled menus between gateways and the provider.

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
        self._gateways = {
            name: half.verify_key() for name, half in platform.settings.gateways.items()
        }
        self._sessions: dict[tuple[str, str], UssdSession] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._hashing = hashing
        self._codes = platform.keys.newest(Purpose.RECEIPT_CODE)

    async def message(self, request: Request) -> Response:
        """One input of a menu session, and the page that follows.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        asked_for(request, "ussd.message")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise TooLarge(f"the body is larger than {_MAX_BYTES} bytes")
        signed = _messages.decode(bytes(body))
        now = self._platform.clock.now()
        message = open_message(signed, self._gateways)
        check_fresh(message, now, _FRESH_MS)
        self._once(message, now)
        screen = await self._next_page(message, signed.message, now)
        reply = UssdReply(session=message.session, text=screen.text, ends=screen.ends)
        count_answer(self._accounting, request, 200, "")
        return Response(encode(reply), media_type="application/json")

    def _once(self, message: UssdMessage, now: int) -> None:
        for old in [one for one, at in self._seen.items() if at < now - _SEEN_FOR_MS]:
            del self._seen[old]
        if (message.gateway, message.id) in self._seen:
            raise Replayed("this message was received before", remedy="send each message once")
        self._seen[message.gateway, message.id] = now

    async def _next_page(self, message: UssdMessage, proof: str, now: Instant) -> Screen:
        at = (message.gateway, message.session)
        session = self._sessions.get(at)
        if session is not None and self._was_ended(at):
            self._sessions.pop(at)
            return Screen(text="This session was ended. Dial again.", ends=True)
        if session is None or session.msisdn != message.msisdn:
            session = open_session(message.session, message.msisdn, now)
        facts = self._facts(now)
        self._register(at, message.msisdn, facts)
        stepped = step(session, message.input, facts)
        while not isinstance(stepped.out, Screen):
            result = await self._carry_out(message.msisdn, stepped.out, proof)
            stepped = resume(stepped.session, result, self._facts(self._platform.clock.now()))
        if stepped.out.ends or len(self._sessions) > _MAX_SESSIONS:
            self._sessions.pop(at, None)
            self._desks.sessions.dialled.pop(_named(at), None)
        else:
            self._sessions[at] = stepped.session
        return stepped.out

    def _register(self, at: tuple[str, str], msisdn: str, facts: MenuFacts) -> None:
        """Enter the session, so that its customer and operators see it and can end it."""
        known = self._desks.sessions.dialled.get(_named(at))
        if known is not None:
            known.last_seen = facts.now
            return
        try:
            customer = self._desks.customers.by_alias(msisdn)
        except NotFound:
            return
        self._desks.sessions.dial(
            Dialled(
                id=_named(at),
                customer=customer.id,
                established_at=facts.now,
                last_seen=facts.now,
                idle_ms=facts.idle_ms,
                expires_at=facts.now + facts.lifetime_ms,
            )
        )

    def _was_ended(self, at: tuple[str, str]) -> bool:
        """Whether somebody else ended the session since its last message."""
        return self._desks.sessions.was_ended(_named(at))

    def _facts(self, now: Instant) -> MenuFacts:
        rule = self._desks.policy.compiled.session(Channel.USSD.value)
        return MenuFacts(
            now=now,
            provider=self._platform.settings.provider,
            currency=self._platform.settings.currency,
            country=self._platform.settings.country,
            idle_ms=rule.idle_ms,
            lifetime_ms=rule.absolute_ms,
        )

    async def _carry_out(self, msisdn: str, action: Action, proof: str) -> Result:
        try:
            customer = self._desks.customers.active(self._desks.customers.by_alias(msisdn))
            return await self._act(customer, action, proof)
        except NotFound:
            declined = Declined(says="You are not a customer here.")
        except NotAuthentic as error:
            declined = Declined(says=error.detail, again=True)
        except MfsError as error:
            declined = Declined(says=error.because or error.detail)
        return declined

    async def _act(self, customer: Customer, action: Action, proof: str) -> Result:
        match action:
            case AskQuote():
                return self._quote(customer, action)
            case Pay():
                return await self._pay(customer, action, proof)
            case CheckCode():
                return await self._check_code(customer, action)
            case Balance(pin=pin):
                return await self._balance(customer, pin)
            case SetPin():
                return await self._set_pin(customer, action)

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
            return Declined(says=error.detail)
        return Quoted(terms=terms)

    async def _pay(self, customer: Customer, action: Pay, proof: str) -> Result:
        await self._check_pin(customer, action.pin)
        consent = consent_of(
            action.terms.quote,
            device="",
            grade=Grade.PIN_VERIFIED.value,
            consented_at=self._platform.clock.now(),
        )
        evidence = _without_input(proof)
        recorded = await self._ask(
            DialOrder(customer.id, PinVerified(consent=consent, channel_message=evidence))
        )
        index = recorded.outcome.event
        return Paid(receipt_code=receipt_code(index, self._mac))

    async def _check_pin(self, customer: Customer, pin: Secret[str]) -> None:
        """Pass for the right PIN; wrong and held back look the same and take as long."""
        verifier, now = self._platform.pin_verifier, self._platform.clock.now()
        held = False
        with self._hashing.place(customer.id, now) as place:
            try:
                await self._ask(TryPin(customer.id))
            except NotAuthentic:
                held = True
            kept = self._desks.customers.get(customer.id).pin
            try:
                if held or not kept:
                    await place.run(verifier.refuse, pin, customer.id)
                await place.run(verifier.check, pin, customer.id, kept)
            except NotAuthentic:
                await self._ask(TryEnded(customer.id, right=False, held=held))
                raise

    async def _set_pin(self, customer: Customer, action: SetPin) -> Result:
        verifier = self._platform.pin_verifier
        with self._hashing.place(customer.id, self._platform.clock.now()) as place:
            kept = await place.run(verifier.make, action.pin, customer.id)
        await self._ask(KeepPin(customer.id, customer.activation, action.code, kept))
        return PinIsSet()

    async def _check_code(self, customer: Customer, action: CheckCode) -> Result:
        try:
            self._accounting.admit_source(customer.id, self._platform.clock.now(), CODE_CHECK_COST)
            await self._ask(TryPin(customer.id, receipt=True))
        except RateLimited as error:
            return Declined(says=error.remedy)
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


def _named(at: tuple[str, str]) -> str:
    """The name of a menu session in the register of sessions."""
    return f"ussd:{at[0]}:{at[1]}"


def _without_input(proof: str) -> str:
    """The gateway's message as evidence: its payload carries the PIN, so only its hash is kept."""
    return "sha256:" + b64url(sha256(proof.encode()))
