"""Phone, gateway and SMSC against a small provider made of the real menu, codes and notices."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.loopback import LoopbackServer, Request, Response, exchange
from simulators.smsc import Smsc
from simulators.ussd_gateway import UssdGateway
from tests.support.sealed_pins import DOOR, VERIFIER, keyed

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
    taken,
)
from tallystick.application.notices import (
    ActivationIssued,
    Facts,
    PaymentReceived,
    PaymentSent,
    check_receipt_code,
    receipt_code,
    render,
)
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import (
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    Replayed,
    Unavailable,
)
from tallystick.kernel.ids import random_id, timed_id
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock
from tallystick.protocol.channels import SignedUssd, SmsMessage, UssdReply
from tallystick.protocol.payments import Quote, QuoteReply
from tallystick.protocol.problems import problem_of

AYA, BEN, CAT = "+254700000001", "+254700000002", "+254700000003"
NAMES = {AYA: "Aya K.", BEN: "Ben O.", CAT: "Cat M."}
AYAS_PIN = Secret("483920")


def mac(message: bytes) -> bytes:
    return hmac_sha256(b"receipt-code key of this test run", message)


@dataclass
class SmallProvider:
    """The menu on the real rules, with balances in a dictionary; just enough for these tests."""

    clock: SimulatedClock
    smsc_url: str
    gateways: dict[str, VerifyKey] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    sessions: dict[str, UssdSession] = field(default_factory=dict)
    pins: dict[str, bytes] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=lambda: {AYA: 100_000, BEN: 0, CAT: 0})
    payments: list[tuple[str, str, int]] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        try:
            return Response(200, encode(self.reply(Decoder(SignedUssd).decode(request.body))))
        except MfsError as error:
            return Response(error.status, encode(problem_of(error)))

    def reply(self, signed: SignedUssd) -> UssdReply:
        message = open_message(signed, self.gateways)
        check_fresh(message, self.clock.now(), 30_000)
        if message.id in self.seen:
            raise Replayed("this message was seen before")
        self.seen.add(message.id)
        facts = MenuFacts(
            now=self.clock.now(), provider="Tally Money", currency="KES", country="254"
        )
        session = self.sessions.get(message.session) or open_session(
            message.session, message.msisdn, facts.now
        )
        out = step(session, taken(session, Secret(message.input), facts, DOOR), facts)
        while not isinstance(out.out, Screen):
            out = resume(out.session, self.act(message.msisdn, out.out), facts)
        self.sessions[message.session] = out.session
        return UssdReply(session=message.session, text=out.out.text, ends=out.out.ends)

    def act(self, me: str, action: Action) -> Result:
        match action:
            case AskQuote():
                return self.quote(action)
            case Pay(terms=terms, pin=pin):
                return self.pay(me, terms.quote, pin)
            case CheckCode(code=code):
                return self.check(me, code)
            case Balance(pin=pin):
                if not self.is_right(me, pin):
                    return Declined(says="Wrong PIN.", again=True)
                return BalanceIs(available_minor=self.balances[me], currency="KES")
            case SetPin(code=code, pin=pin):
                if not code.is_of(keyed(Secret(self.codes.pop(me, ""))).tag):
                    return Declined(says="Wrong code.", again=True)
                self.pins[me] = VERIFIER.make(pin, me, me)
                return PinIsSet()

    def is_right(self, me: str, pin: SealedPin) -> bool:
        try:
            VERIFIER.check(pin, me, me, self.pins.get(me, b""))
        except NotAuthentic:
            return False
        return True

    def quote(self, asked: AskQuote) -> Result:
        if asked.payee not in NAMES:
            return Declined(says="Nobody here has this number.")
        quote = Quote(
            provider="tally",
            order=timed_id("ord", self.clock.now(), len(self.seen).to_bytes(10, "big")),
            kind=asked.kind,
            payer=random_id("acc", bytes(16)),
            payee=random_id("acc", asked.payee.encode().rjust(16)[:16]),
            payee_name=NAMES[asked.payee],
            amount_minor=asked.amount_minor,
            fee_minor=0,
            currency="KES",
            original="",
            policy=1,
            issued_at=self.clock.now(),
            expires_at=self.clock.now() + 60_000,
        )
        self.asked_payee = asked.payee
        return Quoted(terms=QuoteReply(quote=quote, proof="AAAA"))

    def pay(self, me: str, quote: Quote, pin: SealedPin) -> Result:
        if not self.is_right(me, pin):
            return Declined(says="Wrong PIN.", again=True)
        them, minor = self.asked_payee, quote.amount_minor
        self.balances[me] -= minor
        self.balances[them] += minor
        self.payments.append((me, them, minor))
        code = receipt_code(len(self.payments) - 1, mac)
        self.tell(
            them,
            PaymentReceived(
                amount_minor=minor,
                currency="KES",
                payer_name=NAMES[me],
                payer_number=me,
                receipt_code=code,
            ),
        )
        self.tell(
            me,
            PaymentSent(
                amount_minor=minor,
                fee_minor=0,
                currency="KES",
                payee_name=NAMES[them],
                payee_number=them,
                receipt_code=code,
            ),
        )
        return Paid(receipt_code=code)

    def check(self, me: str, code: str) -> Result:
        try:
            payer, payee, minor = self.payments[check_receipt_code(code, mac)]
        except (Malformed, NotAuthentic, IndexError):
            return CodeUnknown()
        if me not in (payer, payee):
            return CodeUnknown()
        return CodeKnown(
            amount_minor=minor,
            currency="KES",
            incoming=me == payee,
            stage="settled",
            at=self.clock.now(),
        )

    def tell(self, number: str, facts: Facts) -> None:
        message = SmsMessage(
            id=f"n{len(self.seen)}-{number[-3:]}",
            to=number,
            text=render(facts, "Tally Money"),
            at=self.clock.now(),
            provider="Tally Money",
        )
        assert exchange(self.smsc_url, "POST", "/v1/messages", encode(message)).status == 200


@dataclass
class Town:
    clock: SimulatedClock
    smsc: Smsc
    provider: SmallProvider
    gateway: UssdGateway
    aya: FeaturePhone
    ben: FeaturePhone


@pytest.fixture
def town() -> Iterator[Town]:
    clock = SimulatedClock()
    with Smsc() as smsc:
        provider = SmallProvider(clock, smsc.url)
        with LoopbackServer(provider.handle) as server:
            gateway = UssdGateway("gw-1", Es256SigningKey.generate(), server.url, clock)
            provider.gateways["gw-1"] = gateway.public()
            yield Town(
                clock,
                smsc,
                provider,
                gateway,
                FeaturePhone(AYA, gateway, smsc),
                FeaturePhone(BEN, gateway, smsc),
            )


def activate(town: Town) -> None:
    town.provider.codes[AYA] = "KQ7M-4XWP"
    town.provider.tell(AYA, ActivationIssued(code=Secret("KQ7M-4XWP"), minutes=60))
    assert "PIN is set" in town.aya.set_pin(town.aya.activation_code(), AYAS_PIN)


def test_a_person_sets_a_pin_pays_and_both_read_it(town: Town) -> None:
    activate(town)
    pages = town.aya.send_money("0700000002", "250.50", AYAS_PIN)
    assert pages[3] == "Send KES 250.50 to Ben O., fee KES 0.00? Enter PIN to agree, 0 back"
    assert pages[-1].startswith("Done. Receipt code 0000-")
    received = town.ben.wait_for(lambda one: "from Aya K." in one.text)
    assert "KES 250.50 from Aya K. ***001" in received.text
    assert town.ben.is_genuine(received)
    assert town.aya.is_genuine(town.aya.wait_for(lambda one: "sent to" in one.text))
    assert town.aya.balance(AYAS_PIN) == "Available: KES 749.50"
    assert town.provider.balances == {AYA: 74_950, BEN: 25_050, CAT: 0}


@pytest.mark.threat("THR-SMS-03")
def test_a_forged_receipt_message_is_found_out_by_dialling(town: Town) -> None:
    activate(town)
    town.aya.send_money("0700000002", "100", AYAS_PIN)
    real = town.ben.wait_for()
    code = town.ben.receipt_code(real)
    forgeries = [
        real.text.replace(code, "0001-123456"),
        real.text.replace("KES 100.00", "KES 9,100.00"),
        "Tally Money: KES 9,100.00 from Aya K. ***001. Thank you.",
    ]
    for text in forgeries:
        forged = town.smsc.inject(BEN, text, at=town.clock.now(), sender="Tally Money")
        assert town.ben.inbox()[-1] == forged
        assert not town.ben.is_genuine(forged)
    stranger = FeaturePhone(CAT, town.gateway, town.smsc)
    copied = town.smsc.inject(CAT, real.text, at=town.clock.now(), sender="Tally Money")
    assert not stranger.is_genuine(copied)
    assert town.ben.is_genuine(real)


def test_a_message_without_a_code_has_none(town: Town) -> None:
    bare = town.smsc.inject(BEN, "hello", at=1, sender="x")
    with pytest.raises(NotFound):
        town.ben.receipt_code(bare)


@pytest.mark.threat("THR-USD-02")
def test_a_replayed_a_forged_and_a_stale_gateway_message_are_refused(town: Town) -> None:
    activate(town)
    town.aya.send_money("0700000002", "100", AYAS_PIN)
    balances = dict(town.provider.balances)
    for back in (1, 2, 5):
        with pytest.raises(Replayed):
            town.gateway.replay(back)
    session = town.gateway.open_session()
    for typed in ("", "1", "0700000003", "900", AYAS_PIN.reveal()):
        with pytest.raises(NotAuthentic):
            town.gateway.forge(session, AYA, typed, Es256SigningKey.generate())
    assert session not in town.provider.sessions
    never_sent = town.gateway.open_session()
    with pytest.raises(NotAuthentic):
        town.gateway.forge(never_sent, AYA, "", Es256SigningKey.generate())
    town.clock.advance(30_001)
    with pytest.raises(Expired):
        town.gateway.replay()
    assert town.provider.balances == balances


@pytest.mark.requirement("MFS-7.2.3-03")
@pytest.mark.threat("THR-USD-01")
def test_a_pin_is_never_in_the_trace_a_page_a_message_or_a_session(town: Town) -> None:
    activate(town)
    pages = [
        *town.aya.send_money("0700000002", "100", AYAS_PIN),
        *town.aya.withdraw("445566", "1", AYAS_PIN),
        *town.aya.pay_merchant("445566", "1", AYAS_PIN),
        town.aya.balance(AYAS_PIN),
        town.aya.balance(Secret("999999")),
    ]
    seen = repr(pages) + repr(town.gateway.trace()) + repr(town.provider.sessions)
    seen += "".join(one.text for one in [*town.aya.inbox(), *town.ben.inbox()])
    for secret in (AYAS_PIN.reveal(), "999999"):
        assert secret not in seen
    trace = town.gateway.trace()
    assert {line.status for line in trace} == {"goes on", "ends"}
    assert max(line.typed_characters for line in trace) == 10
    assert AYA not in repr(trace)


@pytest.mark.requirement("MFS-7.2.3-03")
def test_a_menu_session_never_outlives_its_time(town: Town) -> None:
    activate(town)
    session = town.gateway.open_session()
    for typed in ("", "1", "0700000002", "100"):
        page = town.gateway.send(session, AYA, typed)
    assert page.text.startswith("Send KES 100.00")
    town.clock.advance(60_001)
    late = town.gateway.send(session, AYA, AYAS_PIN.reveal())
    assert late.ends
    assert town.provider.payments == []


def test_the_smsc_drops_a_second_copy_and_can_break_down() -> None:
    message = SmsMessage(id="n1", to=AYA, text="hi", at=1, provider="Tally")
    with Smsc() as smsc:
        for _ in range(2):
            assert exchange(smsc.url, "POST", "/v1/messages", encode(message)).status == 200
        assert smsc.inbox(AYA) == [message]
        smsc.break_down()
        assert exchange(smsc.url, "POST", "/v1/messages", encode(message)).status == 503
        smsc.break_down(broken=False)
        assert exchange(smsc.url, "POST", "/v1/messages", b"{}").status == 400
        assert exchange(smsc.url, "GET", "/v1/messages").status == 404
        with pytest.raises(Unavailable):
            smsc.wait_for(BEN, timeout_s=0.05)


def test_players_talk_on_loopback_only() -> None:
    for url in ("http://192.0.2.1:80", "https://127.0.0.1:1", "http://example.org"):
        with pytest.raises(Malformed):
            exchange(url, "GET", "/")


def test_a_body_past_the_limit_is_not_read() -> None:
    message = SmsMessage(id="n1", to=AYA, text="x" * 70_000, at=1, provider="Tally")
    with Smsc() as smsc:
        try:
            status = exchange(smsc.url, "POST", "/v1/messages", encode(message)).status
        except Unavailable:
            status = 0  # the connection was reset before the refusal was read
        assert status in {0, 411}
        assert not smsc.inbox(AYA)
