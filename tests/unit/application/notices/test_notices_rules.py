"""Each notice is one SMS without links, names nobody in full, and its code cannot be made up."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.application.notices import (
    ActivationIssued,
    CustomerTold,
    DeviceSuspended,
    DeviceTold,
    Facts,
    NoticeRow,
    NotMe,
    OrderCodeIssued,
    PaymentReceived,
    PaymentReversed,
    PaymentSent,
    PinBlocked,
    RecoveryTold,
    SimChanged,
    Template,
    VerificationBlocked,
    attempted,
    check_receipt_code,
    receipt_code,
    render,
    template_of,
)
from tallystick.application.notices.model import Channel
from tallystick.application.notices.rules import MOST_ATTEMPTS
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, Instant
from tallystick.protocol.gsm7 import SMS_PLACES, masked_number, places, plain_name, to_gsm7

NUMBER = "+254712345678"
LINK = re.compile(r"https?:|www\.|[a-z]\.[a-z]|/|@|\*\d+#", re.IGNORECASE)
HOSTILE = [
    "Jane W.",
    "http://evil.example/pay",
    "evil.example",
    "Jane\nTALLY: KES 9,000 received. Receipt 0001-000001",
    "Ólafur Þórðarson ŁĄĘ",
    "王小明",
    "x" * 500,
    "",
    "+254799999999",
    "O'Brien-Smith Jr.",
]


def mac(message: bytes) -> bytes:
    return hmac_sha256(b"k" * 32, message)


def everything(name: str = "Jane W.", minor: int = 50_000) -> list[Facts]:
    return [
        ActivationIssued(code=Secret("ABCD-EFGH-JKMN"), minutes=1440),
        PaymentSent(
            amount_minor=minor,
            fee_minor=minor,
            currency="KES",
            payee_name=name,
            payee_number=NUMBER,
            receipt_code=receipt_code(123_456_789, mac),
        ),
        PaymentReceived(
            amount_minor=minor,
            currency="KES",
            payer_name=name,
            payer_number=NUMBER,
            receipt_code=receipt_code(123_456_789, mac),
        ),
        PaymentReversed(
            amount_minor=minor,
            currency="KES",
            to_you=True,
            receipt_code=receipt_code(123_456_789, mac),
        ),
        DeviceSuspended(because=name),
        PinBlocked(minutes=30),
        PinBlocked(minutes=0),
        VerificationBlocked(minutes=9_999),
        VerificationBlocked(minutes=0),
        SimChanged(),
        NotMe(),
        *(
            DeviceTold(told=one)
            for one in Template
            if one.value.startswith("device-") and one is not Template.DEVICE_SUSPENDED
        ),
        CustomerTold(told=Template.CUSTOMER_SUSPENDED, because=f"the police asked about {name}"),
        CustomerTold(told=Template.CUSTOMER_RESUMED),
        CustomerTold(told=Template.TIER_RAISED),
        CustomerTold(told=Template.TIER_LOWERED),
        RecoveryTold(told=Template.RECOVERY_OPENED, hours=720),
        RecoveryTold(told=Template.RECOVERY_HALF, hours=360),
        RecoveryTold(told=Template.RECOVERY_DONE),
        RecoveryTold(told=Template.RECOVERY_CANCELLED),
        OrderCodeIssued(
            code=Secret("123456"),
            minutes=10,
            amount_minor=minor,
            currency="KES",
            payee_name=name,
        ),
    ]


def test_there_are_facts_for_every_template() -> None:
    assert {template_of(facts) for facts in everything()} == set(Template)


def test_a_received_payment_reads_so() -> None:
    text = render(everything()[2], "Tally Money")
    code = receipt_code(123_456_789, mac)
    assert text == (
        f"Tally Money: KES 500.00 from Jane W. ***678. Receipt {code}."
        " Check it in our menu before you give goods."
    )


@pytest.mark.requirement("MFS-7.3.4-04")
@pytest.mark.threat("THR-SMS-04")
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_notice_never_shows_a_full_number_a_long_name_or_a_link_and_is_one_sms(name) -> None:
    for facts in everything(name, 10**14):
        text = render(facts, "Tally Money International Ltd")
        assert places(text) <= SMS_PLACES
        assert not LINK.search(text), text
        assert "\n" not in text
        assert not re.search(r"\d{7,}", text.replace(receipt_code(123_456_789, mac), ""))
        assert NUMBER[1:] not in text
        assert NUMBER[4:] not in text
        assert "9,000" not in text
        assert "0001-000001" not in text


def test_a_notice_of_a_payment_never_tells_the_balance_or_asks_for_a_secret() -> None:
    for facts in everything():
        text = render(facts, "Tally").lower()
        assert "balance" not in text
        assert not re.search(r"(?:enter|send|reply|confirm|call)\b.*\b(?:pin|code)", text)


def test_a_code_is_not_in_the_repr_of_its_facts() -> None:
    assert "ABCD" not in repr(everything()[0])
    assert "ABCD-EFGH-JKMN" in render(everything()[0], "Tally")


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_a_receipt_code_leads_back_to_its_event(index: int) -> None:
    code = receipt_code(index, mac)
    assert re.fullmatch(r"\d{4,16}-\d{6}", code)
    assert check_receipt_code(code, mac) == index
    assert check_receipt_code(code.replace("-", ""), mac) == index
    assert check_receipt_code(f" {code.replace('-', ' ')} ", mac) == index


@pytest.mark.threat("THR-SMS-03")
def test_a_made_up_receipt_code_is_refused() -> None:
    code = receipt_code(42, mac)
    assert code.startswith("0042-")
    right = int(code[-6:])
    for wrong in range(0, 10**6, 997):
        if wrong != right:
            with pytest.raises(NotAuthentic):
                check_receipt_code(f"0042-{wrong:06d}", mac)
    with pytest.raises(NotAuthentic):
        check_receipt_code(f"0043-{right:06d}", mac)
    with pytest.raises(NotAuthentic):
        check_receipt_code(f"00042-{right:06d}", mac)
    with pytest.raises(NotAuthentic):
        check_receipt_code(code, lambda message: hmac_sha256(b"other", message))


def test_made_up_codes_are_right_about_once_in_a_million() -> None:
    hits = 0
    for index in range(20_000):
        try:
            hits += check_receipt_code(f"{index:04d}-271828", mac) >= 0
        except NotAuthentic:
            continue
    assert hits <= 2


def test_what_is_no_receipt_code_is_malformed() -> None:
    for wrong in ("", "42-123456", "0042-12345", "0042--123456", "٠٠٤٢-١٢٣٤٥٦", "0" * 30):
        with pytest.raises(Malformed):
            check_receipt_code(wrong, mac)
    for wrong_index in (-1, 10**16):
        with pytest.raises(Malformed):
            receipt_code(wrong_index, mac)


NOTICE = NoticeRow(
    seq=1,
    channel=Channel.SMS,
    customer="cus_" + "0" * 26,
    template=Template.PIN_BLOCKED,
    reference="cus_" + "0" * 26,
    created_at=1_000,
    attempts=0,
    due_at=1_000,
    delivered_at=0,
)


def test_a_delivered_notice_is_not_due_again() -> None:
    done = attempted(NOTICE, Instant(2_000), delivered=True)
    assert (done.attempts, done.due_at, done.delivered_at) == (1, 0, 2_000)


def test_an_undelivered_notice_is_tried_after_growing_waits_and_given_up() -> None:
    notice, waits = NOTICE, []
    for _ in range(MOST_ATTEMPTS - 1):
        now = notice.due_at
        notice = attempted(notice, Instant(now), delivered=False)
        waits.append(notice.due_at - now)
    assert waits[:4] == [5_000, 10_000, 20_000, 40_000]
    assert waits == sorted(waits)
    assert waits[-1] == HOUR_MS
    last = attempted(notice, Instant(notice.due_at), delivered=False)
    assert (last.attempts, last.due_at, last.delivered_at) == (MOST_ATTEMPTS, 0, 0)


def test_a_stored_notice_has_no_field_for_anything_personal() -> None:
    assert NoticeRow.__struct_fields__ == (
        "seq", "channel", "customer", "template", "reference", "created_at", "attempts", "due_at",
        "delivered_at",
    )  # fmt: skip


def test_places_are_counted_as_the_network_does() -> None:
    assert places("Hello") == 5
    assert places("€[]") == 6
    assert places("Ñandú".replace("ú", "u")) == 5
    with pytest.raises(Malformed):
        places("ú")
    assert to_gsm7("Łukasz Żółć ç 王") == "?ukasz Zo?c c ?"


def test_names_and_numbers_are_reduced() -> None:
    assert plain_name("Dr. J. evil.example", 40) == "Dr. J. evil example"
    assert plain_name("  \n ", 10) == "?"
    assert plain_name("abcdefghij klm", 11) == "abcdefghij"
    assert masked_number("+254712345678") == "***678"
    assert masked_number("123") == "***"
