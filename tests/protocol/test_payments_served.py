"""Payments of every kind over HTTP against a served provider, and what is refused on the way."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.support.served import Person, Served, by_one_operator, served

from tallystick.client.wallet import Refusal
from tallystick.entry.auditing import audit_provider
from tallystick.entry.rechecking import Verifier
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    InsufficientFunds,
    Malformed,
    MfsError,
    NotFound,
    NotPermitted,
    StepUpRequired,
    Unavailable,
)
from tallystick.kernel.money import Money
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.operators import (
    ActivatePolicy,
    AddWebhook,
    CloseDay,
    EraseSubject,
    IssueActivation,
    OpenCustomer,
    ReversePayment,
    SuspendDevice,
)
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.webhooks import SIGNATURE_HEADER, verify_delivery

KES = "KES"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served") / "p"
    with served(folder, policy_text=by_one_operator()) as found:
        yield found


@pytest.fixture(scope="module")
def ann(provider: Served) -> Person:
    return provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)


@pytest.fixture(scope="module")
def ben(provider: Served) -> Person:
    return provider.person("+254700000002", "Ben Otieno Payee")


@pytest.fixture(scope="module")
def shop(provider: Served) -> Person:
    return provider.person("+254711000001", "Corner Shop", kind="merchant", tier=3, till="500100")


@pytest.fixture(scope="module")
def agent(provider: Served) -> Person:
    return provider.person(
        "+254711000002", "Agent Mary", kind="agent", tier=3, funds=3_000_000, till="600200"
    )


@pytest.mark.requirement("MFS-7.3.3-11")
@pytest.mark.requirement("MFS-7.3.3-08")
@pytest.mark.requirement("MFS-11.2.2-01")
def test_the_payer_sees_the_payee_and_gets_a_receipt_that_verifies(
    ann: Person, ben: Person
) -> None:
    before = ann.wallet.account().available_minor
    paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(12_345, KES))
    terms = "Pay KES 123.45 to Ben P., fee KES 0.00?"
    assert ann.human.saw[-1] == f"You never paid them before. {terms}"
    assert paid.balance_minor == before - 12_345
    event = paid.verified.event
    assert (event.kind, event.stage) == ("payment", "settled")
    assert event.p["grade"] == "device-signed"
    assert event.p["row"] == "person-signed"
    assert paid.verified.disclosed["amount_minor"] == 12_345
    assert paid.verified.disclosed["payee_name"] == "Ben P."


def test_the_payee_gets_a_receipt_of_its_own_fields_only(ann: Person, ben: Person) -> None:
    order = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(700, KES)).verified.event.id
    seen = ben.wallet.receipt(order).disclosed
    assert seen["amount_minor"] == 700
    assert set(seen) == {"amount_minor", "payee", "payee_name"}


def test_an_order_of_others_is_not_found(ann: Person, ben: Person, shop: Person) -> None:
    order = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(700, KES)).verified.event.id
    with pytest.raises(NotFound):
        shop.wallet.receipt(order)


@pytest.mark.requirement("MFS-7.3.3-03")
def test_one_order_sent_twice_never_posts_twice(ann: Person, ben: Person) -> None:
    order = ann.wallet.consent(ann.wallet.quote(PaymentKind.P2P, ben.number, Money(900, KES)))
    first = ann.wallet.place(order)
    again = ann.wallet.place(order)
    assert again.receipt == first.receipt
    assert ann.wallet.account().available_minor == first.balance_minor


def test_the_same_id_with_another_body_is_a_conflict(ann: Person, ben: Person) -> None:
    quoted = ann.wallet.quote(PaymentKind.P2P, ben.number, Money(900, KES))
    ann.wallet.place(ann.wallet.consent(quoted))
    with pytest.raises(Conflict):
        ann.wallet.place(ann.wallet.consent(quoted))


def test_merchant_payment_and_refunds_up_to_what_is_left(ann: Person, shop: Person) -> None:
    paid = ann.wallet.pay(PaymentKind.MERCHANT, "500100", Money(10_000, KES))
    original = paid.verified.event.id
    back = shop.wallet.pay(PaymentKind.REFUND, ann.number, Money(6_000, KES), original=original)
    assert back.verified.disclosed["original"] == original
    with pytest.raises(Refusal) as refused:
        shop.wallet.pay(PaymentKind.REFUND, ann.number, Money(4_001, KES), original=original)
    assert isinstance(refused.value.error, Conflict)
    shop.wallet.pay(PaymentKind.REFUND, ann.number, Money(4_000, KES), original=original)
    with pytest.raises(Refusal):
        shop.wallet.pay(PaymentKind.REFUND, ann.number, Money(1, KES), original=original)


def test_cash_in_is_signed_by_the_agent_and_cash_out_by_the_customer(
    ann: Person, agent: Person
) -> None:
    before = ann.wallet.account().available_minor
    agent.wallet.pay(PaymentKind.CASH_IN, ann.number, Money(50_000, KES))
    ann.wallet.pay(PaymentKind.CASH_OUT, agent.number, Money(20_000, KES))
    assert ann.wallet.account().available_minor == before + 30_000
    with pytest.raises(NotPermitted):
        agent.wallet.quote(PaymentKind.P2P, ann.number, Money(1, KES))


@pytest.mark.requirement("MFS-7.3.3-10")
def test_a_reversal_takes_two_operators(provider: Served, ann: Person, ben: Person) -> None:
    paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(5_000, KES))
    body = ReversePayment(order=paid.verified.event.id, because="sent to the wrong number")
    first, second = provider.operators["operations"]
    waiting = first.act("reverse-payment", body)
    assert waiting.state == "waiting"
    with pytest.raises(NotPermitted):
        first.act("reverse-payment", body, approves=waiting.act)
    done = second.act("reverse-payment", body, approves=waiting.act)
    assert done.state == "done"
    assert ann.wallet.account().available_minor == paid.balance_minor + 5_000
    with pytest.raises(Conflict):
        second.act("reverse-payment", body, approves=first.act("reverse-payment", body).act)


def test_a_refusal_is_remembered_with_its_receipt(ben: Person, ann: Person) -> None:
    funds = ben.wallet.account().available_minor
    order = ben.wallet.consent(ben.wallet.quote(PaymentKind.P2P, ann.number, Money(funds + 1, KES)))
    with pytest.raises(Refusal) as first:
        ben.wallet.place(order)
    assert isinstance(first.value.error, InsufficientFunds)
    with pytest.raises(Refusal) as again:
        ben.wallet.place(order)
    assert again.value.receipt == first.value.receipt
    assert ben.wallet.account().available_minor == funds


def test_a_step_up_is_not_final(ann: Person, provider: Served) -> None:
    large = ann.wallet.consent(
        ann.wallet.quote(PaymentKind.MERCHANT, _shop_number(provider), Money(2_500_000, KES))
    )
    with pytest.raises(StepUpRequired) as asked:
        ann.wallet.place(large)
    assert "person-signed-large" in asked.value.because
    with pytest.raises(StepUpRequired):
        ann.wallet.place(large)


def _shop_number(provider: Served) -> str:
    provider.person("+254711000003", "Other Shop", kind="merchant", tier=3, till="500777")
    return "500777"


def test_paying_oneself_other_currencies_and_unknown_payees_get_no_quote(ann: Person) -> None:
    with pytest.raises(Conflict):
        ann.wallet.quote(PaymentKind.P2P, ann.number, Money(1, KES))
    with pytest.raises(Malformed):
        ann.wallet.quote(PaymentKind.P2P, "+254700000002", Money(1, "EUR"))
    with pytest.raises(NotFound):
        ann.wallet.quote(PaymentKind.P2P, "+254799999999", Money(1, KES))


def test_an_agent_opens_a_person_and_nobody_else_does(agent: Person, ann: Person) -> None:
    asked = OpenCustomer(name="Dora Dial", msisdn="+254700000055", kind="person", tier=1)
    assert agent.wallet.open_customer(asked).customer.startswith("cus_")
    with pytest.raises(NotPermitted):
        ann.wallet.open_customer(asked)
    with pytest.raises(NotPermitted):
        agent.wallet.open_customer(
            OpenCustomer(name="Too High", msisdn="+254700000056", kind="person", tier=2)
        )
    with pytest.raises(Conflict):
        agent.wallet.open_customer(asked)


@pytest.mark.requirement("MFS-7.4.1-05")
def test_an_operator_never_sees_an_activation_code(provider: Served, ann: Person) -> None:
    care = provider.operators["care-desk"][0]
    reply = care.act("issue-activation", IssueActivation(number=ann.number))
    code = provider.activation_code(ann.number, after=1).reveal()
    assert code not in str(reply)
    assert not any(code.encode() in line for line in provider.log)


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_suspended_device_is_refused_at_once(provider: Served) -> None:
    person = provider.person("+254700000060", "Sue Spended")
    device = person.wallet.account().device
    care = provider.operators["care-desk"][0]
    care.act(
        "suspend-device", SuspendDevice(device=device, suspend=True, because="reported stolen")
    )
    with pytest.raises(NotPermitted) as refused:
        person.wallet.account()
    assert refused.value.because == "reported stolen"


def test_roles_do_not_reach_beyond_their_acts(provider: Served) -> None:
    care = provider.operators["care-desk"][0]
    with pytest.raises(NotPermitted):
        care.act("close-day", CloseDay(day="2026-01-01"))


@pytest.mark.requirement("MFS-6.1-01")
def test_a_policy_is_put_into_force_by_two_and_never_goes_back(provider: Served) -> None:
    text = demo_policy().replace("provider: demo-wallet", "provider: demo-wallet")
    newer = text.replace("version: 1\n", f"version: {provider.platform.desks.policy.version + 1}\n")
    stranger = sign_policy(newer, "officer-1", Es256SigningKey.generate())
    first, _ = provider.operators["security-officer"]
    body = ActivatePolicy(envelope=encode_canonical(stranger).decode())
    with pytest.raises(MfsError) as refused:
        first.act("activate-policy", body)
    assert refused.value.code == "not-authentic"
    assert provider.platform.desks.policy.version == 1


@pytest.mark.requirement("MFS-11.2.3-04")
def test_events_reach_a_core_system_signed_and_in_order(
    provider: Served, ann: Person, ben: Person
) -> None:
    received: list[tuple[bytes, str]] = []
    enough = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        failures = 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if Receiver.failures:
                Receiver.failures -= 1
                self.send_response(500)
            else:
                received.append((body, self.headers[SIGNATURE_HEADER]))
                self.send_response(204)
                if len(received) >= 3:
                    enough.set()
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    operations = provider.operators["operations"][0]
    url = f"http://127.0.0.1:{server.server_address[1]}/events"
    operations.act("add-webhook", AddWebhook(url=url, kinds=("payment",)))
    for minor in (11, 12, 13):
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(minor, KES))
    assert enough.wait(30)
    server.shutdown()
    server.server_close()
    key = _webhook_key(provider)
    now = provider.clock.now()
    deliveries = [verify_delivery(body, header, key, now=now) for body, header in received]
    assert [one.index for one in deliveries] == sorted({one.index for one in deliveries})
    with pytest.raises(MfsError):
        verify_delivery(received[0][0] + b" ", received[0][1], key, now=now)


def _webhook_key(provider: Served):
    from tallystick.infrastructure.crypto.signature import Ed25519VerifyKey  # noqa: PLC0415
    from tallystick.infrastructure.modules.interface import Purpose  # noqa: PLC0415

    platform = provider.platform
    return Ed25519VerifyKey(platform.module.public_octets(platform.keys.newest(Purpose.WEBHOOK)))


@pytest.mark.requirement("MFS-14.2.1-04")
def test_erasing_a_person_leaves_every_proof_valid(provider: Served, ann: Person) -> None:
    person = provider.person("+254700000088", "Eve Erased", funds=1_000)
    kept = person.wallet.pay(PaymentKind.P2P, ann.number, Money(1_000, KES))
    first, second = provider.operators["privacy-officer"]
    body = EraseSubject(customer=person.customer, because="asked to be forgotten")
    waiting = first.act("erase-subject", body)
    second.act("erase-subject", body, approves=waiting.act)
    assert person.wallet.verified(kept.receipt).event.id == kept.verified.event.id
    with pytest.raises(NotFound):
        ann.wallet.quote(PaymentKind.P2P, person.number, Money(1, KES))
    stored = provider.folder.stored()
    if isinstance(stored, Path):
        assert b"Eve Erased" not in stored.read_bytes()
    with open_reader(stored) as reader:
        assert all(b"Eve Erased" not in row[0] for row in reader.rows("SELECT leaf FROM event"))


def test_the_audit_finds_nothing_after_all_that(provider: Served, ann: Person, ben: Person) -> None:
    for _ in range(3):
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(100, KES))
    report = audit_provider(provider.folder)
    assert report.findings == ()
    assert report.rows > 30


def test_every_order_of_this_page_is_found_consented_to_again(
    provider: Served, ann: Person, ben: Person
) -> None:
    ann.wallet.pay(PaymentKind.P2P, ben.number, Money(100, KES))
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 0


def test_what_changes_nothing_is_asked_again_when_a_connection_breaks(
    provider: Served, ann: Person, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, exchange, broken = ann.session, ann.session.exchange, [2]

    def breaking(*arguments: object, **named: object) -> object:
        if broken[0]:
            broken[0] -= 1
            raise Unavailable("the connection broke")
        return exchange(*arguments, **named)

    monkeypatch.setattr(session, "exchange", breaking)
    monkeypatch.setattr(ann.wallet, "attempts", 4)
    quoted = ann.wallet.quote(PaymentKind.P2P, ben.number, Money(100, KES))
    assert quoted.quote.amount_minor == 100
    broken[0] = 9
    with pytest.raises(Unavailable, match="the connection broke"):
        ann.wallet.account()
    assert broken[0] == 5, "four times, then whoever asked must know"
