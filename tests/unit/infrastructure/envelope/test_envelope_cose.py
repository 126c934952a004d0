"""The sealed message against an independent CBOR codec and AES-GCM; every changed bit refused."""

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tallystick.infrastructure.envelope import cbor
from tallystick.infrastructure.envelope.cose import (
    ReplyNonces,
    open_reply,
    open_request,
    peek,
    seal_reply,
    seal_request,
)
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.errors import Broken, Expired, Malformed, MfsError, NotAuthentic, TooLarge
from tallystick.protocol.envelope import MAX_PLAINTEXT_BYTES, MAX_SEQUENCE

KID = bytes(range(16))
OCTETS = bytes(range(100, 176))
KEYS = SessionKeys(KID, OCTETS)
OTHER = SessionKeys(KID, OCTETS[::-1])
IV = b"front000\x00\x00\x00\x01"
SEQUENCES = (1, 23, 24, 255, 256, 65535, 65536, 2**24, MAX_SEQUENCE)
SIZES = (0, 1, 7, 8, 239, 240, 500, 65519, 65520, MAX_PLAINTEXT_BYTES)


def enc_structure(protected: bytes, external: list[object]) -> bytes:
    """RFC 9052, 5.3, by an independent encoder."""
    return cbor2.dumps(["Encrypt0", protected, cbor2.dumps(external)])


def independent_request(operation: str, sequence: int, plaintext: bytes) -> bytes:
    partial = sequence.to_bytes((sequence.bit_length() + 7) // 8, "big")
    protected = cbor2.dumps({1: 3, 4: KID, 6: partial})
    padded = partial.rjust(12, b"\x00")
    nonce = bytes(a ^ b for a, b in zip(OCTETS[64:], padded, strict=True))
    aad = enc_structure(protected, ["tallystick/1", operation])
    sealed = AESGCM(OCTETS[:32]).encrypt(nonce, plaintext, aad)
    return cbor2.dumps(cbor2.CBORTag(16, [protected, {}, sealed]))


def independent_reply(operation: str, sequence: int, status: int, plaintext: bytes) -> bytes:
    protected = cbor2.dumps({1: 3, 4: KID, 5: IV})
    aad = enc_structure(protected, ["tallystick/1", operation, sequence, status])
    sealed = AESGCM(OCTETS[32:64]).encrypt(IV, plaintext, aad)
    return cbor2.dumps(cbor2.CBORTag(16, [protected, {}, sealed]))


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("size", SIZES)
def test_a_request_is_what_an_independent_encoder_makes(sequence: int, size: int) -> None:
    plaintext = b"x" * size
    expected = independent_request("payment.order", sequence, plaintext)
    assert seal_request(KEYS, "payment.order", sequence, plaintext) == expected
    assert peek(expected) == (KID, sequence)
    assert open_request(KEYS, "payment.order", expected) == (sequence, plaintext)


@pytest.mark.parametrize("sequence", [0, *SEQUENCES])
@pytest.mark.parametrize("size", SIZES)
def test_a_reply_is_what_an_independent_encoder_makes(sequence: int, size: int) -> None:
    plaintext = b"y" * size
    for status in (200, 201, 422):
        expected = independent_reply("payment.order", sequence, status, plaintext)
        assert seal_reply(KEYS, IV, "payment.order", sequence, status, plaintext) == expected
        assert open_reply(KEYS, "payment.order", sequence, status, expected) == plaintext


@given(st.text("abcdefghij.-", min_size=1, max_size=64), st.integers(1, MAX_SEQUENCE), st.binary())
def test_any_operation_number_and_content(operation: str, sequence: int, plaintext: bytes) -> None:
    sealed = seal_request(KEYS, operation, sequence, plaintext)
    assert sealed == independent_request(operation, sequence, plaintext)
    reply = seal_reply(KEYS, IV, operation, sequence, 200, plaintext)
    assert reply == independent_reply(operation, sequence, 200, plaintext)


def refusal(action: object, *arguments: object) -> type[MfsError]:
    with pytest.raises(MfsError) as caught:
        action(*arguments)  # type: ignore[operator]
    return type(caught.value)


def test_every_flipped_bit_of_a_request_is_refused() -> None:
    sealed = seal_request(KEYS, "payment.order", 70_000, b"pay")
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            error = refusal(open_request, KEYS, "payment.order", bytes(changed))
            assert error in {Malformed, NotAuthentic}


def test_every_flipped_bit_of_a_reply_is_refused() -> None:
    sealed = seal_reply(KEYS, IV, "payment.order", 9, 200, b"done")
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            error = refusal(open_reply, KEYS, "payment.order", 9, 200, bytes(changed))
            assert error in {Malformed, NotAuthentic}


def test_every_shorter_and_every_longer_message_is_malformed_or_not_authentic() -> None:
    request = seal_request(KEYS, "payment.order", 1, b"pay")
    reply = seal_reply(KEYS, IV, "payment.order", 1, 200, b"done")
    for length in range(len(request)):
        assert refusal(open_request, KEYS, "payment.order", request[:length]) is Malformed
    for length in range(len(reply)):
        assert refusal(open_reply, KEYS, "payment.order", 1, 200, reply[:length]) is Malformed
    assert refusal(open_request, KEYS, "payment.order", request + b"\x00") is Malformed
    assert refusal(open_reply, KEYS, "payment.order", 1, 200, reply + b"\x00") is Malformed


@given(st.binary(max_size=120))
def test_any_other_octets_are_malformed(octets: bytes) -> None:
    assert refusal(open_request, KEYS, "payment.order", octets) is Malformed
    assert refusal(open_reply, KEYS, "payment.order", 1, 200, octets) is Malformed


@given(st.binary(min_size=45, max_size=120))
def test_any_tail_behind_a_right_start_is_refused(octets: bytes) -> None:
    start = seal_request(KEYS, "payment.order", 1, b"")[:28]
    error = refusal(open_request, KEYS, "payment.order", start + octets)
    assert error in {Malformed, NotAuthentic}


@pytest.mark.requirement("MFS-7.2.7-02")
def test_what_is_bound_cannot_be_another() -> None:
    request = seal_request(KEYS, "payment.order", 5, b"pay")
    reply = seal_reply(KEYS, IV, "payment.order", 5, 200, b"done")
    assert refusal(open_request, KEYS, "payment.quote", request) is NotAuthentic
    assert refusal(open_request, OTHER, "payment.order", request) is NotAuthentic
    elsewhere = SessionKeys(KID[::-1], OCTETS)
    assert refusal(open_request, elsewhere, "payment.order", request) is NotAuthentic
    assert refusal(open_reply, elsewhere, "payment.order", 5, 200, reply) is NotAuthentic
    for operation, sequence, status in (
        ("payment.quote", 5, 200),
        ("payment.order", 6, 200),
        ("payment.order", 5, 422),
    ):
        assert refusal(open_reply, KEYS, operation, sequence, status, reply) is NotAuthentic


@pytest.mark.parametrize(
    "message",
    [
        cbor2.dumps([cbor2.dumps({1: 3, 4: KID, 6: b"\x05"}), {}, bytes(20)]),
        cbor2.dumps(
            cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID, 6: b"\x00\x05"}), {}, bytes(20)])
        ),
        cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID, 6: b""}), {}, bytes(20)])),
        cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID, 6: bytes(5)}), {}, bytes(20)])),
        cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({1: 1, 4: KID, 6: b"\x05"}), {}, bytes(20)])),
        cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({4: KID, 1: 3, 6: b"\x05"}), {}, bytes(20)])),
        cbor2.dumps(
            cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID, 6: b"\x05"}), {5: IV}, bytes(20)])
        ),
        cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID, 6: b"\x05"}), {}, bytes(15)])),
        cbor2.dumps(
            cbor2.CBORTag(16, [cbor2.dumps({1: 3, 4: KID[1:], 6: b"\x05"}), {}, bytes(20)])
        ),
        cbor2.dumps(cbor2.CBORTag(96, [cbor2.dumps({1: 3, 4: KID, 6: b"\x05"}), {}, bytes(20)])),
    ],
)
def test_another_shape_of_the_same_meaning_is_malformed(message: bytes) -> None:
    assert refusal(open_request, KEYS, "payment.order", message) is Malformed


def test_a_longer_head_than_needed_is_malformed() -> None:
    sealed = seal_request(KEYS, "payment.order", 5, b"pay")
    assert sealed[29] == 0x40 + 19
    longer = sealed[:29] + b"\x58" + bytes((19,)) + sealed[30:]
    assert refusal(open_request, KEYS, "payment.order", longer) is Malformed
    for head in (b"\x59\x00\x13", b"\x5a\x00\x00\x00\x13", b"\x5b" + bytes(7) + b"\x13"):
        longer = sealed[:29] + head + sealed[30:]
        assert refusal(open_request, KEYS, "payment.order", longer) is Malformed


def test_bounds_of_numbers_sizes_and_names() -> None:
    assert refusal(seal_request, KEYS, "payment.order", 0, b"") is Expired
    assert refusal(seal_request, KEYS, "payment.order", MAX_SEQUENCE + 1, b"") is Expired
    large = bytes(MAX_PLAINTEXT_BYTES + 1)
    assert refusal(seal_request, KEYS, "payment.order", 1, large) is TooLarge
    assert refusal(seal_reply, KEYS, IV, "payment.order", 1, 200, large) is TooLarge
    too_large = independent_request("payment.order", 1, large)
    assert refusal(open_request, KEYS, "payment.order", too_large) is TooLarge
    huge = independent_request("payment.order", 1, bytes(MAX_PLAINTEXT_BYTES + 6))
    assert refusal(open_request, KEYS, "payment.order", huge) is TooLarge
    for operation in ("", "x" * 65, "paiement.réglé"):
        assert refusal(seal_request, KEYS, operation, 1, b"") is Malformed
    assert refusal(seal_reply, KEYS, IV[1:], "payment.order", 1, 200, b"") is Malformed


def test_reply_nonces_are_a_prefix_and_a_counter() -> None:
    nonces = ReplyNonces(b"abcd", start=255)
    assert [nonces.draw().hex() for _ in range(2)] == [
        "6162636400000000000000ff",
        "616263640000000000000100",
    ]
    last = ReplyNonces(b"abcde", start=2**56 - 1)
    assert last.draw() == b"abcde" + b"\xff" * 7
    assert refusal(last.draw) is Broken
    assert refusal(ReplyNonces, b"abc") is Malformed
    assert refusal(ReplyNonces, b"abcdef") is Malformed


def test_no_two_replies_share_a_key_and_a_nonce() -> None:
    """One request answered twice by a front, by another front, by an error, and after a restart."""
    request = seal_request(KEYS, "payment.order", 5, b"pay")
    fronts = [ReplyNonces(prefix) for prefix in (b"aaaa", b"aaab", b"aaac")]
    seen: set[tuple[bytes, bytes]] = set()
    count = 0
    for front in (*fronts, *fronts):
        sequence = open_request(KEYS, "payment.order", request).sequence
        for status, body in ((200, b"done"), (200, b"done"), (409, b"replayed")):
            reply = seal_reply(KEYS, front.draw(), "payment.order", sequence, status, body)
            protected = cbor2.loads(cbor2.loads(reply).value[0])
            seen.add((protected[4], protected[5]))
            count += 1
    assert len(seen) == count == 18
    assert seen.isdisjoint({(KID, (KEYS.request_iv ^ 5).to_bytes(12, "big"))})


@given(st.integers(0, 7), st.integers(0, 2**32 - 1))
def test_heads_are_those_of_an_independent_encoder(major: int, value: int) -> None:
    if major in {0, 1}:
        expected = cbor2.dumps(value if major == 0 else -1 - value)
        assert cbor.head(major, value) == expected
    assert cbor.head(major, value)[0] >> 5 == major
    assert cbor.text("h") == cbor2.dumps("h")
    assert cbor.octets(b"h") == cbor2.dumps(b"h")
