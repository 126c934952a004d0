"""What a person reads before they agree: warnings of the terms, and those beside them."""

import pytest

from tallystick.client.consenting import warned, warnings_of
from tallystick.kernel.ids import random_id, timed_id
from tallystick.protocol.payments import PaymentKind, Quote

NOW = 1_767_225_600_000
TERMS = Quote(
    provider="tally",
    order=timed_id("ord", NOW, bytes(10)),
    kind=PaymentKind.P2P,
    payer=random_id("acc", bytes(16)),
    payee=random_id("acc", bytes(15) + b"1"),
    payee_name="Ann A.",
    amount_minor=5_000,
    fee_minor=0,
    currency="KES",
    original="",
    policy=1,
    issued_at=NOW,
    expires_at=NOW + 120_000,
    warnings=("new-payee",),
)


@pytest.mark.requirement("MFS-7.3.6-03")
def test_warnings_beside_the_terms_are_in_the_order_of_the_protocol_and_each_once() -> None:
    shown = ("new-payee", "first-large-amount")
    bound, beside = warnings_of(TERMS, shown, ("urgency", "remote-tool", "urgency"))
    assert bound == ("new-payee",)
    assert beside == ("first-large-amount", "remote-tool", "urgency")
    assert warned(beside) == (
        "This is a large first payment to them. Somebody may steer this phone."
        " Does somebody hurry you? Hang up. "
    )
