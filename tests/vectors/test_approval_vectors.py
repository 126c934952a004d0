"""The published approvals: other libraries read and answer them as we do; changed ones are refused.

The OCRA below is written from RFC 6287 with the standard library only.
"""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from tallystick.client.offline import read_request
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Expired, MfsError, NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.approvals import approval_text
from tallystick.protocol.payments import Quote

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "approvals.json").read_text("utf-8")
)
PUBLIC = bytes.fromhex(VECTORS["provider_key"])
KEYS = {VECTORS["kid"]: Es256VerifyKey(PUBLIC)}
NOW = Instant(VECTORS["now"])
JOSE = ECKey.import_key(
    {"kty": "EC", "crv": "P-256", "x": b64url(PUBLIC[1:33]), "y": b64url(PUBLIC[33:])}
)
CASES = [pytest.param(case, id=case["asked_by"]) for case in VECTORS["cases"]]
_quotes = Decoder(Quote)


def ocra(question: str, counter: int) -> str:
    message = VECTORS["suite"].encode() + b"\0" + counter.to_bytes(8, "big")
    message += bytes.fromhex(question).ljust(128, b"\0")
    mac = hmac.new(bytes.fromhex(VECTORS["seed"]), message, hashlib.sha256).digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFFFFFF) % 10**8:08d}"


@pytest.mark.parametrize("case", CASES)
def test_text_question_and_answers_follow_from_the_quote(case: dict) -> None:
    terms = _quotes.decode_canonical(case["quote"].encode())
    assert approval_text(terms, case["asked_by"]) == case["text"]
    assert hashlib.sha256(case["quote"].encode()).hexdigest().upper() == case["question"]
    assert [ocra(case["question"], counter) for counter in range(3)] == case["answers"]


@pytest.mark.parametrize("case", CASES)
def test_another_library_verifies_the_signed_request(case: dict) -> None:
    read = json.loads(joserfc_jws.deserialize_compact(case["signed"], JOSE).payload)
    assert encode_canonical(read["quote"]).decode() == case["quote"]
    terms = _quotes.decode(case["quote"].encode())
    asked = read_request(case["signed"], KEYS, NOW, account=terms.payer)
    assert (asked.text, asked.question) == (case["text"], case["question"])


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_is_old_or_for_somebody_else_is_refused(case: dict) -> None:
    terms = _quotes.decode(case["quote"].encode())
    header, payload, mark = case["signed"].split(".")
    dearer = b64url_decode(payload).replace(b'"fee_minor":', b'"fee_minor":1', 1)
    with pytest.raises(MfsError):
        read_request(f"{header}.{b64url(dearer)}.{mark}", KEYS, NOW, account=terms.payer)
    with pytest.raises(NotAuthentic):
        read_request(case["signed"], {}, NOW, account=terms.payer)
    with pytest.raises(NotAuthentic):
        read_request(case["signed"], KEYS, NOW, account=terms.payee)
    late = Instant(terms.expires_at + 1)
    with pytest.raises(Expired):
        read_request(case["signed"], KEYS, late, account=terms.payer)
