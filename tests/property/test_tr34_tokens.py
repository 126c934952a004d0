"""Whatever is sent as a token of TR-34 or as a certificate, what is wrong is an error of ours."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.entry.paycrypt.pairs import certificate_in
from tallystick.infrastructure.crypto.der import write, write_number
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.keyblocks import tr34, tr34_writing
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.kernel.errors import MfsError, NotAuthentic

pytestmark = [
    pytest.mark.requirement("MFS-11.2.3-01"), pytest.mark.requirement("MFS-7.4.2-01"),
]  # fmt: skip

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
FIELDS = BlockFields(version="D", usage="K1", algorithm="T", mode="B", exportability="E")
HEADER = tr34_writing.header_of(FIELDS)
PARTIES = tr34_writing.Parties34(
    signer=write(0x30, write(0x30), write_number(7)),
    recipient=write(0x30, write(0x30), write_number(2**127)),
)
AT = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


def token(draw, *, is_aes: bool, nonce: bytes = b"", octets: bytes = KEY) -> bytes:
    """A token whose key of the content is enciphered by turning its octets around."""
    part = tr34_writing.key_part(PARTIES, HEADER, octets)
    envelope = tr34_writing.enciphered_part(
        PARTIES, part, draw, lambda key: key[::-1], is_aes=is_aes
    )
    return tr34_writing.signed_token(PARTIES, envelope, HEADER, sha256, nonce=nonce, at=AT)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=64), st.booleans(), st.sampled_from([0, 8, 12, 16]),
    st.integers(0, 2**32),
)  # fmt: skip
def test_what_is_written_is_read(octets: bytes, is_aes: bool, length: int, seed: int) -> None:
    draw = random.Random(seed).randbytes
    nonce = draw(length)
    said = tr34.read_token(token(draw, is_aes=is_aes, nonce=nonce, octets=octets))
    assert (said.header, said.nonce, said.signed_at) == (HEADER, nonce, 0 if nonce else AT)
    assert said.signature == sha256(said.signed)
    assert (said.signer, said.envelope.recipient) == (PARTIES.signer, PARTIES.recipient)
    fields, found = tr34.opened(said, said.envelope.sealed[::-1])
    assert found == octets
    assert fields == FIELDS


def test_a_changed_token_says_something_else_or_is_refused() -> None:
    whole = token(random.Random(34).randbytes, is_aes=False, nonce=bytes(8))
    right = tr34.read_token(whole)
    draw, refused = random.Random(2019), 0
    for _ in range(4_000):
        octets = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            place, turn = draw.randrange(len(octets)), draw.random()
            if turn < 0.6:
                octets[place] ^= 1 << draw.randrange(8)
            elif turn < 0.8:
                del octets[place : place + draw.randint(1, 9)]
            else:
                octets[place:place] = draw.randbytes(draw.randint(1, 9))
        try:
            said = tr34.read_token(bytes(octets))
        except MfsError:
            refused += 1
            continue
        same = (said.signed, said.signature) == (right.signed, right.signature)
        if same:
            assert said.envelope == right.envelope
            assert (said.header, said.nonce) == (right.header, right.nonce)
        try:
            tr34.opened(said, said.envelope.sealed[::-1])
        except MfsError:
            continue
    assert refused > 3_000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_anything_else_is_an_error_of_ours(octets: bytes) -> None:
    with pytest.raises(MfsError):
        tr34.read_token(octets)
    for text in (octets.decode("latin-1"), octets.hex()):
        with pytest.raises(MfsError):
            certificate_in(text)


@pytest.mark.parametrize("length", [0, 8, 16, 23, 25, 32])
def test_a_key_of_another_length_opens_nothing(length: int) -> None:
    said = tr34.read_token(token(random.Random(1).randbytes, is_aes=False, nonce=bytes(8)))
    with pytest.raises(NotAuthentic):
        tr34.opened(said, bytes(range(length)))
