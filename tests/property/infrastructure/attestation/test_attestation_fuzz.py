"""Whatever octets come, readers of attestations answer with a value or an error of ours."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulators.keymint import Phone, description
from tests.support.attested import COPIES, chain_in

from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.android.description import read_description
from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.infrastructure.attestation.evidence import read_evidence
from tallystick.infrastructure.attestation.webauthn.authdata import read_authenticator_data
from tallystick.infrastructure.attestation.webauthn.tpm import read_certified, read_public_area
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, TooLarge

GENUINE = description(Phone(), b"c" * 32)
L3 = json.loads((COPIES / "webauthn" / "webauthn_l3.json").read_text())["cases"]
OBJECTS = [bytes.fromhex(one["registration"]["attestationObject"]) for one in L3]
LEAF = chain_in(COPIES / "android" / "testdata" / "akita" / "sdk34" / "SB_RSA_NONE.pem")[0]
READERS: list[Callable[[bytes], object]] = [
    cbor.read,
    read_description,
    read_authenticator_data,
    read_certified,
    read_public_area,
    read_revocations,
    read_evidence,
    read_certificate,
]


def attempt(reader: Callable[[bytes], object], octets: bytes) -> None:
    with suppress(Malformed, TooLarge, NotAuthentic):
        reader(octets)


@pytest.mark.requirement("MFS-7.2.5-05")
@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.__name__)
@given(octets=st.binary(max_size=600))
@settings(max_examples=150)
def test_any_octets(reader: Callable[[bytes], object], octets: bytes) -> None:
    attempt(reader, octets)


@pytest.mark.parametrize(
    ("reader", "genuine"),
    [
        (read_description, GENUINE),
        (read_certificate, LEAF),
        *((cbor.read, one) for one in OBJECTS[2:4]),
    ],
    ids=["description", "certificate", "packed", "rsa"],
)
@given(data=st.data())
@settings(max_examples=150)
def test_changed_genuine_ones(
    reader: Callable[[bytes], object], genuine: bytes, data: st.DataObject
) -> None:
    whole = bytearray(genuine)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        cut = data.draw(st.integers(0, 3))
        whole[place : place + cut] = data.draw(st.binary(max_size=4))
        if not whole:
            break
    attempt(reader, bytes(whole))


@given(chain=st.lists(st.binary(max_size=64) | st.just(LEAF), max_size=10))
@settings(max_examples=100)
def test_any_chain(chain: list[bytes]) -> None:
    attempt(lambda _: verify_chain(chain, []), b"")


@pytest.mark.parametrize(
    "octets",
    [
        b"\x81" * 60_000,
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\x7f" + b"\xff" * 7,
        b"\x5b" + b"\xff" * 8,
        b"\x98\xff" + b"\x00" * 300,
        b"\x9a\x00\x00\xff\xff" + b"\x80" * 60_000,
    ],
)
def test_small_octets_that_promise_much_are_refused(octets: bytes) -> None:
    with pytest.raises(MfsError):
        cbor.read(octets)


def test_sizes_and_depth_are_bounded() -> None:
    with pytest.raises(TooLarge):
        cbor.read(b"\x00" * 70_000)
    with pytest.raises(TooLarge):
        read_description(b"\x00" * 17_000)
    with pytest.raises(TooLarge):
        read_certificate(b"\x30" * 9_000)


@given(
    item=st.recursive(
        st.integers(-(2**64), 2**64 - 1)
        | st.binary(max_size=40)
        | st.text(max_size=40)
        | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.integers(-9, 9) | st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_what_another_writer_writes_is_read(item: object) -> None:
    cbor2 = pytest.importorskip("cbor2")
    written = cbor2.dumps(item, canonical=True)
    assert cbor.read(written) == item
