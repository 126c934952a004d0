"""A provider that answers with a true receipt of something else: the wallet does not take it."""

from collections.abc import Iterator

import pytest
from simulators.cast import Person
from tests.support.served import Served, served

from tallystick.client.consenting import Order
from tallystick.client.session import Exchanged
from tallystick.client.wallet import Paid, Refusal
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind, PaymentReply, ReceiptReply

PAYEE = "+254700000009"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("receipts") / "p") as found:
        found.open_customer(PAYEE, "Payee")
        yield found


def order_of(person: Person, minor: int) -> Order:
    wallet = person.wallet
    return wallet.consent(wallet.quote(PaymentKind.P2P, PAYEE, Money(minor, "KES")))


def answering(monkeypatch: pytest.MonkeyPatch, person: Person, reply: Exchanged) -> None:
    """From now on whatever `person` sends inside the session is answered with `reply`."""
    monkeypatch.setattr(person.session, "exchange", lambda *_args, **_more: reply)


@pytest.mark.requirement("MFS-7.3.3-01")
@pytest.mark.threat("THR-BE-01")
def test_a_true_receipt_of_an_earlier_order_is_not_taken_for_this_one(
    provider: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = provider.person("+254711000001", "Ann", funds=100_000)
    first = ann.wallet.place(order_of(ann, 100))
    second = order_of(ann, 100)
    body = encode_canonical(PaymentReply(receipt=first.receipt, balance_minor=99_900))
    with monkeypatch.context() as lying:
        answering(lying, ann, Exchanged(200, body))
        with pytest.raises(NotAuthentic, match="another order"):
            ann.wallet.place(second)
        given = encode_canonical(ReceiptReply(receipt=first.receipt))
        answering(lying, ann, Exchanged(200, given))
        with pytest.raises(NotAuthentic, match="another order"):
            ann.wallet.receipt(second.quote.order)
        assert ann.wallet.receipt(first.verified.event.id) == first.verified
    paid: Paid = ann.wallet.place(second)
    assert paid.verified.event.id == second.quote.order


@pytest.mark.requirement("MFS-7.3.3-01")
def test_a_receipt_of_a_refusal_is_not_taken_for_a_payment(
    provider: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = provider.person("+254711000002", "Ann", funds=100)
    poor = order_of(ann, 5_000)
    with pytest.raises(Refusal) as refused:
        ann.wallet.place(poor)
    body = encode_canonical(PaymentReply(receipt=refused.value.receipt, balance_minor=100))
    answering(monkeypatch, ann, Exchanged(200, body))
    with pytest.raises(NotAuthentic, match="was done"):
        ann.wallet.place(poor)
