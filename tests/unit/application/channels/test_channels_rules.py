"""Who signed a gateway message, what a typed number means, and which PINs are refused."""

from itertools import product

import pytest

from tallystick.application.channels import (
    activation_code,
    check_fresh,
    open_message,
    telephone_number,
    till_number,
)
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.pin.wallet import check_new_pin
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Expired, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.channels import SignedUssd, UssdMessage, ussd_header

KEY, OTHER = Es256SigningKey.generate(), Es256SigningKey.generate()
GATEWAYS = {"gw-1": KEY.public(), "gw-2": OTHER.public()}
MESSAGE = UssdMessage(
    id="m1", session="s1", msisdn="+254700000001", input="4711", at=1_000_000, gateway="gw-1"
)


def signed(
    key: Es256SigningKey = KEY,
    header: bytes | None = None,
    payload: bytes | None = None,
) -> SignedUssd:
    head = ussd_header("gw-1") if header is None else header
    body = encode_canonical(MESSAGE) if payload is None else payload
    return SignedUssd(message=sign_compact(key, head, body))


def test_a_message_of_a_registered_gateway_is_opened() -> None:
    assert open_message(signed(), GATEWAYS) == MESSAGE


@pytest.mark.requirement("MFS-7.3.3-02")
@pytest.mark.threat("THR-USD-02")
def test_a_forged_or_changed_message_is_refused() -> None:
    two = ussd_header("gw-2")
    forgeries = [
        signed(OTHER),
        signed(Es256SigningKey.generate()),
        signed(header=two),
        signed(OTHER, header=two),
        signed(header=ussd_header("gw-9")),
        signed(header=b'{"alg":"none"}'),
        signed(header=b'{"typ":"ussd+jws","alg":"ES256","kid":"gw-1"}'),
    ]
    for forgery in forgeries:
        with pytest.raises(NotAuthentic):
            open_message(forgery, GATEWAYS)
    head, _, tail = signed().message.split(".")
    changed = b64url(encode_canonical(MESSAGE).replace(b"4711", b"0000"))
    with pytest.raises(NotAuthentic):
        open_message(SignedUssd(message=f"{head}.{changed}.{tail}"), GATEWAYS)


def test_another_spelling_of_the_payload_is_refused_even_when_signed() -> None:
    loose = encode_canonical(MESSAGE).replace(b'"v":1', b'"v": 1')
    with pytest.raises(Malformed):
        open_message(signed(payload=loose), GATEWAYS)
    with pytest.raises(Malformed):
        open_message(signed(payload=b"{}"), GATEWAYS)


def test_a_message_is_fresh_for_its_time_only() -> None:
    for now in (970_000, 1_000_000, 1_030_000):
        check_fresh(MESSAGE, Instant(now), 30_000)
    for now in (969_999, 1_030_001):
        with pytest.raises(Expired):
            check_fresh(MESSAGE, Instant(now), 30_000)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0712345678", "+254712345678"),
        ("254712345678", "+254712345678"),
        ("00254712345678", "+254712345678"),
        ("+256712345678", "+256712345678"),
        ("0712-345-678", "+254712345678"),
    ],
)
def test_a_telephone_number_is_understood_as_people_write_it(typed: str, meant: str) -> None:
    assert telephone_number(typed, "254") == meant


@pytest.mark.parametrize(
    "typed", ["", "712345678", "07x2345678", "0012", "+0712345678", "٠٧١٢٣٤٥٦٧٨"]
)
def test_what_is_not_a_telephone_number_is_refused(typed: str) -> None:
    with pytest.raises(Malformed):
        telephone_number(typed, "254")


def test_a_till_number_has_four_to_eight_digits() -> None:
    assert till_number(" 445566 ") == "445566"
    for wrong in ("", "123", "123456789", "44x566", "+2547123456"):
        with pytest.raises(Malformed):
            till_number(wrong)


@pytest.mark.parametrize("typed", ["12345678", "1234-5678", "1234 5678", " 1234-5678 "])
def test_an_activation_code_is_understood_without_its_hyphen(typed: str) -> None:
    assert activation_code(typed) == Secret("1234-5678")
    assert activation_code("kq7m4xwp") == Secret("KQ7M-4XWP")


def test_what_is_no_activation_code_is_refused() -> None:
    for wrong in ("", "1234567", "1" * 17, "1234_5678", "١٢٣٤٥٦٧٨"):
        with pytest.raises(Malformed) as caught:
            activation_code(wrong)
        assert not wrong or wrong not in str(caught.value)


@pytest.mark.threat("THR-USD-04")
@pytest.mark.parametrize(
    "weak",
    ["0000", "1212", "9999", "123123", "0123", "3456", "7890", "9012", "4321", "0987",
     "1950", "2011", "2580", "1110", "311299", "991231", "123199", "19870412", "04121987", "0001",
     "000001"],
)  # fmt: skip
def test_what_is_guessed_first_is_refused_as_a_pin(weak: str) -> None:
    with pytest.raises(NotPermitted) as caught:
        check_new_pin(Secret(weak), "+254700000001")
    assert weak not in str(caught.value)


def test_the_end_of_ones_own_number_is_refused_as_a_pin() -> None:
    check_new_pin(Secret("4739"), "+254700000001")
    with pytest.raises(NotPermitted):
        check_new_pin(Secret("4739"), "+254700004739")


def test_what_is_not_a_pin_is_malformed() -> None:
    for wrong in ("", "123", "1" * 13, "12a4", "٤٧١١"):
        with pytest.raises(Malformed):
            check_new_pin(Secret(wrong), "+254700000001")


def test_most_four_digit_pins_remain() -> None:
    def allowed(pin: str) -> int:
        try:
            check_new_pin(Secret(pin), "+254700000001")
        except NotPermitted:
            return 0
        return 1

    left = sum(allowed("".join(digits)) for digits in product("0123456789", repeat=4))
    assert 9_000 < left < 9_500
