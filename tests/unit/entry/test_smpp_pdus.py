"""PDUs octet by octet, and nothing that was typed in what they print."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.entry.smpp.carrier import read_receipt
from tallystick.entry.smpp.pdus import (
    MAX_PDU,
    Command,
    Option,
    Pdu,
    ShortMessage,
    UssdOp,
    bind_body,
    bind_of,
    message_of,
    octets_of,
    read_pdu,
)
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import SmsState
from tallystick.protocol.gsm7 import gsm7_octets, gsm7_text, places

# by hand, from the tables of the specification: 3.2, 4.6.1, 5.3.2.44
DIALLED = bytes.fromhex(
    "00000045 00000005 00000000 00000007 5553534400 0101 32353437323230303030303100"
    " 0101 333834353700 00 00 00 00 00 00 00 0f 00 04 31323334 0501000101 138300020506"
)


def read(octets: bytes) -> Pdu:
    async def reading() -> Pdu:
        reader = asyncio.StreamReader()
        reader.feed_data(octets)
        reader.feed_eof()
        return await read_pdu(reader)

    return asyncio.run(reading())


def test_a_dialled_input_is_read_as_it_stands_in_the_tables() -> None:
    message = message_of(read(DIALLED))
    assert (message.source, message.destination) == ("254722000001", "38457")
    assert (message.service_type, message.coding) == ("USSD", 0x0F)
    assert message.number(Option.USSD_SERVICE_OP) == UssdOp.BEGIN
    assert message.options[Option.ITS_SESSION_INFO] == b"\x05\x06"
    assert message.text.reveal() == b"1234"
    assert octets_of(Command.DELIVER_SM, 7, message) == DIALLED


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-USD-01")
def test_nothing_that_was_typed_is_in_what_a_message_prints() -> None:
    pdu = read(DIALLED)
    for shown in (repr(pdu), str(message_of(pdu)), f"{message_of(pdu)!r}"):
        assert "1234" not in shown
        assert "31323334" not in shown
    long = ShortMessage(source="1", destination="2", text=Secret(b"9876" * 64))
    with pytest.raises(Malformed) as refused:
        octets_of(Command.SUBMIT_SM, 1, long)
    assert "9876" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("length", [0, 15, MAX_PDU + 1, 2**32 - 1])
def test_a_length_that_no_pdu_has_is_refused_before_it_is_read(length: int) -> None:
    with pytest.raises(Malformed):
        read(length.to_bytes(4, "big") + bytes(12))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([4, 5, 0x80000004, 0x21, 9]))
def test_any_body_is_a_message_or_refused(body: bytes, command: int) -> None:
    try:
        message_of(Pdu(command, 0, 1, body))
    except Malformed:
        return


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(DIALLED) - 1), st.integers(1, 255))
def test_any_changed_octet_gives_a_message_or_a_refusal(at: int, change: int) -> None:
    changed = DIALLED[:at] + bytes((DIALLED[at] ^ change,)) + DIALLED[at + 1 :]
    try:
        message_of(read(changed))
    except (Malformed, EOFError):
        return


@given(st.text("@£$¥èéùìòÇ\nØøÅåΔ_ÆæßÉ abcXYZ019^{}\\[~]|€äöñüà§", max_size=80))
def test_the_alphabet_of_the_network_is_one_to_one(text: str) -> None:
    octets = gsm7_octets(text)
    assert len(octets) == places(text)
    assert gsm7_text(octets) == text


@pytest.mark.parametrize("octets", [b"\x1b", b"\x1b\x1b", b"\x80", b"\x1bA"])
def test_what_is_not_in_the_alphabet_is_refused(octets: bytes) -> None:
    if octets == b"\x1b":
        assert gsm7_text(octets) == ""
        return
    with pytest.raises(Malformed):
        gsm7_text(octets)


def test_a_bind_says_who_and_keeps_its_password_to_itself() -> None:
    body = bind_body("tally", Secret("qz7-pass"), "menu")
    assert body == b"tally\x00qz7-pass\x00menu\x00\x34\x00\x00\x00"
    assert bind_of(body) == ("tally", Secret("qz7-pass"))
    for name, password in (("x" * 16, "p"), ("x", "p" * 9), ("é", "p"), ("a\x00b", "p")):
        with pytest.raises(Malformed):
            bind_body(name, Secret(password))


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [
        (b"id:c1 sub:001 stat:DELIVRD err:000", {}, ("c1", SmsState.DELIVERED)),
        (b"id:c1 sub:001 stat:ENROUTE err:000", {}, ("c1", None)),
        (b"id:c1 stat:UNDELIV", {}, ("c1", SmsState.REJECTED)),
        (b"", {0x1E: b"c9\x00", 0x427: b"\x03"}, ("c9", SmsState.EXPIRED)),
        (b"id:c1 stat:DELIVRD", {0x1E: b"c9\x00", 0x427: b"\x08"}, ("c9", SmsState.REJECTED)),
        (b"nothing of this kind", {}, ("", None)),
    ],
)
def test_a_receipt_is_read_from_its_options_first(text, options, found) -> None:
    message = ShortMessage(
        source="1", destination="2", text=Secret(text), esm_class=4, options=options
    )
    assert read_receipt(message) == found
