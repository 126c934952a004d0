"""The TypeScript client and this package check each other: vectors there, what it makes here."""

import json

import cbor2
import pytest
from tests.support.typescript import built, node

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import ES256, verify_key
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.cose import open_request
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.infrastructure.tally.leaf import field_commitment
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import Consent, Quote, consent_header, quote_in

DEVICE = "dev_16796vwga8hyw7455g0chkkpxs"
SHARES, T3 = b"\x11" * 64, b"\x22" * 32
VALUES = [
    {"b": [1, True, None, '\u2028\x7f\t"\\'], "a": {"z": 0, "B": 1, "": -1, "a1": "\U0001f600"}},
    [2**53 - 1, -(2**53 - 1), "é", ""],
]


@pytest.mark.requirement("MFS-7.2.6-01")
def test_the_vectors_hold_in_the_other_client():
    built()
    told = node("--test", "--test-reporter=tap", "test/forms.test.mjs", "test/vectors.test.mjs")
    assert "# fail 0" in told
    assert "# pass 23" in told


@pytest.fixture(scope="module")
def quotes(repository):
    text = (repository / "vectors" / "payments.json").read_text(encoding="utf-8")
    return [one["quote"] for one in json.loads(text)["accepted"]]


@pytest.fixture(scope="module")
def kems():
    return [KemPrivateKey.generate(suite) for suite in KemSuite]


@pytest.fixture(scope="module")
def made(kems, quotes):
    built()
    recipients = [{"suite": one.suite.value, "public": one.public().octets().hex()} for one in kems]
    asked = {"recipients": recipients, "quotes": quotes, "device": DEVICE, "values": VALUES}
    return json.loads(node("test/make.mjs", given=json.dumps(asked)))


def test_what_it_seals_opens_here(made, kems):
    for kem, one in zip(kems, made["sealed"], strict=True):
        opened = kem.open(bytes.fromhex(one["octets"]), info=b"made by another")
        assert opened == kem.suite.value.encode()


def test_its_sealed_requests_open_here(made):
    keys = schedule.session_keys(made["session"], SHARES, T3)
    assert len(made["requests"]) == 5
    for one in made["requests"]:
        opened = open_request(keys, one["operation"], bytes.fromhex(one["octets"]))
        assert opened.sequence == one["sequence"]
        assert opened.content == bytes.fromhex(one["content"])


def test_its_consents_are_consents_here(made, quotes):
    consent_key = verify_key(ES256, bytes.fromhex(made["consent_public"]))
    for quote, jws in zip(quotes, made["consents"], strict=True):
        header, payload, signature = jws.split(".")
        assert b64url_decode(header) == consent_header(DEVICE)
        consent_key.verify(b64url_decode(signature), f"{header}.{payload}".encode())
        consent = Decoder(Consent).decode_canonical(b64url_decode(payload))
        assert quote_in(consent) == Decoder(Quote).decode(quote.encode())
        assert encode_canonical(quote_in(consent)) == quote.encode()


def test_its_renewals_forms_and_commitments_are_ours(made):
    secret = schedule.renewal_secret(SHARES, T3, 5)
    assert made["renewal"]["secret"] == secret.reveal().hex()
    pair = RenewalPair(counter=5, secret=Secret(bytes.fromhex(made["renewal"]["secret"])))
    proof = schedule.renewal_proof(pair.secret, pair.counter, T3)
    assert made["renewal"]["proof"] == proof.hex()
    assert made["canonical"] == [encode_canonical(one).decode() for one in VALUES]
    assert made["commitment"] == field_commitment(b"\x33" * 16, "amount_minor", 1250)


def test_its_cbor_is_read_by_a_library(made):
    statement = cbor2.loads(bytes.fromhex(made["attestation"]))
    assert statement == {"possession": b"\x30\x01", "consent": b"\x30\x02", "above": [b"\x30\x03"]}
    assert cbor2.dumps(statement, canonical=True).hex() == made["attestation"]
    assert cbor2.loads(bytes.fromhex(made["tagged"])).tag == 16


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_two_signatures_are_checked_by_another_library():
    """The other client with @noble/post-quantum: lists, checkpoints, and each way to strip one."""
    built()
    told = node("--test", "--test-reporter=tap", "test/suites.test.mjs")
    assert "# fail 0" in told
    assert "# pass 4" in told


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-NET-05")
def test_the_hybrid_holds_and_nothing_leads_back_from_it():
    """The platform's own ML-KEM is tried where there is one."""
    built()
    told = node("--test", "--test-reporter=tap", "test/hybrid.test.mjs")
    assert "# fail 0" in told
    assert "# pass 6" in told or "# pass 7" in told


@pytest.mark.requirement("MFS-7.4.2-12")
def test_an_ml_kem_that_is_handed_in_holds_under_wycheproof(test_data):
    built()
    wycheproof = ("--test-name-pattern=Wycheproof", "test/hybrid.test.mjs")
    told = node(
        "--test", "--test-reporter=tap", *wycheproof, wycheproof=test_data / "wycheproof"
    )  # fmt: skip
    assert "ML-KEM-768 beside X25519\n" in told
    assert "# fail 0" in told
