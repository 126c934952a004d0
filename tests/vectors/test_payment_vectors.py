"""The published orders: other libraries read them as we do, and the wrong ones are refused."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws as joserfc_jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tallystick.application.consent import DeviceSigned, verify_signed
from tallystick.infrastructure.crypto.digest import equal, hmac_sha256
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.protocol.payments import PaymentRequest, consent_header

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "payments.json").read_text(encoding="utf-8")
)
PUBLIC = bytes.fromhex(VECTORS["device_consent_key"])
QUOTE_KEY = bytes.fromhex(VECTORS["quote_key"])
JOSE = ECKey.import_key(
    {"kty": "EC", "crv": "P-256", "x": b64url(PUBLIC[1:33]), "y": b64url(PUBLIC[33:])}
)
ACCEPTED = [
    pytest.param(case, id=json.loads(case["quote"])["kind"]) for case in VECTORS["accepted"]
]
REFUSED = [pytest.param(case, id=case["why"]) for case in VECTORS["refused"]]
_requests = Decoder(PaymentRequest, limit=8192)


def check_mac(message: bytes, tag: bytes) -> None:
    if not equal(hmac_sha256(QUOTE_KEY, message), tag):
        raise NotAuthentic("the quote is not this provider's")


def verified(order: str) -> DeviceSigned:
    return verify_signed(
        _requests.decode_canonical(order.encode()),
        header=b64url(consent_header(VECTORS["device"])),
        consent_key=Es256VerifyKey(PUBLIC),
        check_mac=check_mac,
    )


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_published_order_is_accepted(case: dict[str, Any]) -> None:
    consented = verified(case["order"])
    assert encode_canonical(consented.consent).decode() == case["consent"]
    assert consented.jws == case["jws"]


@pytest.mark.parametrize("case", ACCEPTED)
def test_other_libraries_compute_the_same(case: dict[str, Any]) -> None:
    quote = json.loads(case["quote"])
    text = json.dumps(quote, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text == case["quote"]
    digest = hashlib.sha256(text.encode()).digest()
    assert b64url(digest) == case["quote_digest"]
    proof = hmac.new(QUOTE_KEY, b"tallystick quote v1\x00" + digest, "sha256").digest()
    assert proof == b64url_decode(case["proof"])
    found = joserfc_jws.deserialize_compact(case["jws"], JOSE, algorithms=["ES256"])
    consent = json.loads(found.payload)
    assert found.protected == json.loads(VECTORS["header"])
    assert {name: consent[name] for name in quote} == quote
    assert set(consent) - set(quote) == {"quote_hash", "device", "grade", "consented_at"}
    assert consent["quote_hash"] == case["quote_digest"]
    assert json.loads(case["order"]) == {"consent": case["jws"], "proof": case["proof"]}
    assert b64url(hashlib.sha256(case["jws"].encode()).digest()) == case["consent_hash"]


@pytest.mark.requirement("MFS-7.3.3-02")
@pytest.mark.parametrize("case", REFUSED)
def test_an_order_that_is_to_be_refused_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises((NotAuthentic, Malformed)):
        verified(case["order"])


def test_another_library_refuses_the_wrong_signatures_too() -> None:
    wrong = {
        "the amount was changed after signing",
        "signed by another device's key",
        "algorithm none",
        "a signature of zeros",
    }
    tried = [case for case in VECTORS["refused"] if case["why"] in wrong]
    assert len(tried) == len(wrong)
    for case in tried:
        with pytest.raises((JoseError, ValueError)):
            joserfc_jws.deserialize_compact(
                json.loads(case["order"])["consent"], JOSE, algorithms=["ES256"]
            )
