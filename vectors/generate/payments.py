# ruff: noqa: INP001
"""Writes vectors/payments.json: quotes, consents and orders, good ones and ones to be refused.

Run it from the root: `.venv/bin/python -m vectors.generate.payments`. ECDSA draws random numbers
inside the library, so the file differs on every run and verifies by itself. The device's private
key and the provider's quote key are published with the cases.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 7515
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tallystick.application.consent import consent_of, prove_quote, quote_digest
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.ids import random_id, timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import (
    SIGNED_GRADE,
    Consent,
    PaymentKind,
    PaymentRequest,
    Quote,
    consent_header,
)

FOLDER = Path(__file__).resolve().parents[1]
NOW = Instant(1_767_225_600_000)
DEVICE = random_id("dev", hashlib.sha256(b"device").digest()[:16])
OTHER_DEVICE = random_id("dev", hashlib.sha256(b"another device").digest()[:16])
QUOTE_KEY = hashlib.sha256(b"tallystick vectors quote key").digest()
HEADER = consent_header(DEVICE)


def quote(kind: PaymentKind, payee_name: str, amount_minor: int, fee_minor: int) -> Quote:
    """The terms of one payment.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    seed = hashlib.sha256(f"{kind} {payee_name}".encode()).digest()
    refund = kind is PaymentKind.REFUND
    return Quote(
        provider="Example Pay",
        order=timed_id("ord", NOW, seed[:10]),
        kind=kind,
        payer=random_id("acc", seed[:16]),
        payee=random_id("acc", seed[16:]),
        payee_name=payee_name,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency="KES",
        original=timed_id("ord", Instant(NOW - 60_000), seed[10:20]) if refund else "",
        policy=3,
        issued_at=NOW,
        expires_at=NOW + 120_000,
    )


def proof(digest: bytes) -> str:
    """The provider's proof of a quote.

    Source: ISO/IEC 9797-2
    """
    return b64url(prove_quote(digest, lambda message: hmac_sha256(QUOTE_KEY, message)))


def given(terms: Quote, device: str = DEVICE) -> Consent:
    """The consent to `terms`.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return consent_of(terms, device=device, grade=SIGNED_GRADE, consented_at=NOW + 5_000)


def order(jws: str, of: Quote) -> str:
    """The content of an order.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    request = PaymentRequest(consent=jws, proof=proof(quote_digest(of)))
    return encode_canonical(request).decode()


def good(signer: Es256SigningKey) -> list[dict[str, Any]]:
    """Orders that a provider accepts.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    cases = [
        quote(PaymentKind.P2P, "Ann B.", 1, 0),
        quote(PaymentKind.MERCHANT, "Crème & Söhne \U0001f95b", 125_000, 0),
        quote(PaymentKind.CASH_OUT, "Agent 4711", 500_000, 2_500),
        quote(PaymentKind.REFUND, 'The "Corner" Shop', 2**53 - 1, 0),
    ]
    found: list[dict[str, Any]] = []
    for terms in cases:
        consent = given(terms)
        jws = sign_compact(signer, HEADER, encode_canonical(consent))
        found.append(
            {
                "quote": encode_canonical(terms).decode(),
                "quote_digest": b64url(quote_digest(terms)),
                "proof": proof(quote_digest(terms)),
                "consent": encode_canonical(consent).decode(),
                "jws": jws,
                "order": order(jws, terms),
                "consent_hash": b64url(hashlib.sha256(jws.encode()).digest()),
            }
        )
    return found


def bad(signer: Es256SigningKey) -> list[dict[str, Any]]:
    """Orders that a provider refuses, and why.

    Source: ISO/TS 12812-2:2017, 7.3.3; RFC 8725
    """
    terms = quote(PaymentKind.P2P, "Ann B.", 1_000, 0)
    consent = given(terms)
    payload = encode_canonical(consent)
    jws = sign_compact(signer, HEADER, payload)
    header, body, signature = jws.split(".")
    dearer = replace(consent, amount_minor=100_000)
    moved = replace(terms, payee=random_id("acc", bytes(16)))
    spaced = payload.replace(b'","', b'", "', 1)
    doubled = payload.replace(b'"v":1', b'"v":1,"v":1')
    none = encode_canonical({"alg": "none", "kid": DEVICE, "typ": "tallystick-consent"})
    stranger = Es256SigningKey.generate()
    changed = encode_canonical(dearer)
    unquoted = encode_canonical(given(moved))
    elsewhere = consent_header(OTHER_DEVICE)
    cases = [
        ("the amount was changed after signing", f"{header}.{b64url(changed)}.{signature}"),
        ("other terms than those of the quote hash", sign_compact(signer, HEADER, changed)),
        ("terms that this provider never quoted", sign_compact(signer, HEADER, unquoted)),
        ("signed by another device's key", sign_compact(stranger, HEADER, payload)),
        ("the header of another device", sign_compact(signer, elsewhere, payload)),
        ("algorithm none", f"{b64url(none)}.{body}.{signature}"),
        ("no signature", f"{header}.{body}."),
        ("a signature of zeros", f"{header}.{body}.{b64url(bytes(64))}"),
        ("half a signature", f"{header}.{body}.{signature[:43]}"),
        ("white space in the consent", sign_compact(signer, HEADER, spaced)),
        ("a member twice", sign_compact(signer, HEADER, doubled)),
        ("padding", f"{header}.{body}.{signature}=="),
    ]
    return [{"why": why, "order": order(text, terms)} for why, text in cases]


def main() -> None:
    """Write the file.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    signer = Es256SigningKey.generate()
    content = {
        "note": "Made by vectors/generate/payments.py; keys in hexadecimal.",
        "source": "docs/protocol/payments.md",
        "device": DEVICE,
        "device_consent_key": signer.public().octets().hex(),
        "quote_key": QUOTE_KEY.hex(),
        "header": HEADER.decode(),
        "accepted": good(signer),
        "refused": bad(signer),
    }
    text = json.dumps(content, indent=1, ensure_ascii=True)
    (FOLDER / "payments.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
