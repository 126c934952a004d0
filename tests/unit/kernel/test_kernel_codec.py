"""Strict decoding, canonical encoding and base64url, against the standard library as an oracle."""

import base64
import json
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel.codec import (
    MAX_BODY_BYTES,
    Decoder,
    b64url,
    b64url_decode,
    encode,
    encode_canonical,
    from_plain,
    json_schema,
    to_plain,
)
from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Amount, CurrencyCode, Record, ShortText

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ascii_names = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    text | integers | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_names, inner, max_size=4),
    max_leaves=12,
)


class Order(Record, frozen=True, kw_only=True):
    amount: Amount
    currency: CurrencyCode
    memo: ShortText = "none"


ORDER = Order(amount=1250, currency="KES", memo="rent")
ORDERS = Decoder(Order)
CANONICAL = b'{"amount":1250,"currency":"KES","memo":"rent"}'


def independent(value: Any) -> bytes:
    """Canonical JSON as the standard library writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(values)
def test_canonical_encoding_equals_an_independent_one(value: Any) -> None:
    assert encode_canonical(value) == independent(value)


@given(values)
def test_canonical_bytes_come_back_as_the_same_value(value: Any) -> None:
    assert Decoder(object).decode_canonical(encode_canonical(value)) == value


@given(st.dictionaries(ascii_names, integers, min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_insertion_does_not_matter(value: dict[str, int], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert encode_canonical(OrderedDict(items)) == encode_canonical(value)


def test_a_record_is_encoded_with_sorted_names() -> None:
    assert encode_canonical(ORDER) == CANONICAL
    assert json.loads(encode(ORDER)) == json.loads(CANONICAL)
    assert ORDERS.decode_canonical(CANONICAL) == ORDER


@pytest.mark.parametrize(
    "octets",
    [
        b'{"currency":"KES","amount":1250,"memo":"rent"}',
        b'{"amount": 1250,"currency":"KES","memo":"rent"}',
        b'{"amount":1250,"currency":"KES","memo":"rent"}\n',
        b'{"amount":1,"amount":1250,"currency":"KES","memo":"rent"}',
        b'{"amount":1250,"currency":"\\u004bES","memo":"rent"}',
        b'{"amount":1250,"currency":"KES","memo":"re\\/nt"}',
        b'{"amount":1250,"currency":"KES"}',
        b'{"amount":1250,"currency":"KES","memo":"rent"}{}',
    ],
    ids=["order", "space", "newline", "duplicate", "escape", "slash", "default", "trailing"],
)
def test_another_spelling_of_the_same_value_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        ORDERS.decode_canonical(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b'{"amount":1250}',
        b'{"amount":true,"currency":"KES"}',
        b'{"amount":"1250","currency":"KES"}',
        b'{"amount":1250.0,"currency":"KES"}',
        b'{"amount":1e3,"currency":"KES"}',
        b'{"amount":0,"currency":"KES"}',
        b'{"amount":-1,"currency":"KES"}',
        b'{"amount":9007199254740992,"currency":"KES"}',
        b'{"amount":1,"currency":"kes"}',
        b'{"amount":1,"currency":"KESX"}',
        b'{"amount":1,"currency":"KES\\n"}',
        b'{"amount":1,"currency":"KES","memo":""}',
        b'{"amount":1,"currency":"KES","fee":1}',
        b'{"amount":1,"currency":"KES"',
        b'{"amount":NaN,"currency":"KES"}',
        b'\xef\xbb\xbf{"amount":1,"currency":"KES"}',
        b'{"amount":1,"currency":"KES","memo":"\xff"}',
        b'{"amount":1,"currency":"KES","memo":"\\ud800"}',
    ],
)
def test_what_is_not_exactly_the_type_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        ORDERS.decode(octets)


@given(st.binary(max_size=80))
def test_random_bytes_are_refused_or_are_a_value(octets: bytes) -> None:
    try:
        value = ORDERS.decode(octets)
    except Malformed:
        return
    assert ORDERS.decode(encode(value)) == value


@given(st.integers(0, len(CANONICAL) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_another_order_or_a_refusal(place: int, byte: int) -> None:
    changed = CANONICAL[:place] + bytes([byte]) + CANONICAL[place + 1 :]
    try:
        value = ORDERS.decode_canonical(changed)
    except Malformed:
        return
    assert (value == ORDER) is (changed == CANONICAL)


def test_a_body_past_its_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLarge):
        ORDERS.decode(b"{" + b" " * MAX_BODY_BYTES)
    with pytest.raises(TooLarge):
        Decoder(Order, limit=len(CANONICAL) - 1).decode(CANONICAL)
    assert Decoder(Order, limit=len(CANONICAL)).decode(CANONICAL) == ORDER


def test_deep_nesting_is_refused_and_does_not_end_the_process() -> None:
    with pytest.raises(Malformed):
        Decoder(object).decode(b"[" * MAX_BODY_BYTES)


@pytest.mark.parametrize(
    ("octets", "hidden"),
    [
        (
            b'{"probe":"p","requirements":[],"verdict":"SECRET","observed_at":1}',
            "SECRET",
        ),
        (b'{"SECRET":1}', "SECRET"),
        (b'{"probe":"SECRET","requirements":"SECRET"}', "SECRET"),
        (b'{"probe":"SECRET\xff"}', "SECRET"),
        (b'{"probe":"SECRET', "SECRET"),
    ],
)
def test_a_refusal_never_repeats_the_value(octets: bytes, hidden: str) -> None:
    with pytest.raises(Malformed) as caught:
        Decoder(Evidence).decode(octets)
    assert hidden not in str(caught.value)


def test_plain_values_go_out_and_come_back() -> None:
    seen = Evidence(
        probe="tally.grows",
        requirements=("MFS-7.3.3-07",),
        verdict=Verdict.PASS,
        observed_at=1_767_225_600_000,
        summary="12 leaves",
        measured={"leaves": 12, "origin": "demo"},
    )
    plain = to_plain(seen)
    assert plain["verdict"] == "pass"
    lists = {name: list(plain[name]) for name in ("requirements", "records")}
    assert json.loads(encode(seen)) == {**plain, **lists}
    assert from_plain(plain, Evidence) == seen


@pytest.mark.parametrize(
    "plain",
    [
        {"amount": True, "currency": "KES"},
        {"amount": "1", "currency": "KES"},
        {"amount": 1, "currency": "KES", "fee": 2},
        {"amount": 1},
        [1, "KES"],
        None,
    ],
)
def test_plain_values_are_taken_as_strictly_as_bytes(plain: object) -> None:
    with pytest.raises(Malformed):
        from_plain(plain, Order)


def test_a_schema_says_what_the_decoder_holds() -> None:
    schemas, components = json_schema([Order], "#/components/schemas/{name}")
    assert schemas == [{"$ref": "#/components/schemas/Order"}]
    order = components["Order"]
    assert order["additionalProperties"] is False
    assert order["required"] == ["amount", "currency"]
    assert order["properties"]["amount"]["exclusiveMinimum"] == 0
    assert order["properties"]["amount"]["maximum"] == 2**53 - 1


@given(st.binary(max_size=64))
def test_base64url_comes_back_and_equals_the_standard_librarys(octets: bytes) -> None:
    encoded = b64url(octets)
    assert encoded == base64.urlsafe_b64encode(octets).decode().rstrip("=")
    assert b64url_decode(encoded) == octets


@given(st.text("ABab01-_+/= \n", max_size=8))
def test_base64url_is_taken_in_its_one_spelling_only(candidate: str) -> None:
    try:
        octets = b64url_decode(candidate)
    except Malformed:
        return
    assert b64url(octets) == candidate


@pytest.mark.parametrize("encoded", ["AA==", "AB", "A", "A+A/", "AAAA\n", " AAAA", "AA AA", "é"])
def test_loose_base64url_is_refused(encoded: str) -> None:
    with pytest.raises(Malformed):
        b64url_decode(encoded)
