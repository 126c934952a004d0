"""Makes `vectors/approvals.json`: texts of quotes, signed offline requests, and OCRA answers.

Source: RFC 6287; RFC 7515; ISO/TS 12812-2:2017, 11.2.2
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tallystick.client.offline import SUITE, answer
from tallystick.infrastructure.crypto.digest import PreparedHmac
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import random_id, timed_id
from tallystick.protocol.approvals import OfflineRequest, approval_text, offline_header
from tallystick.protocol.payments import PaymentKind, Quote

FOLDER = Path(__file__).resolve().parents[1]
NOW = 1_767_225_600_000
KID = "key_vectors"
SEED = hashlib.sha256(b"a seed of the approval vectors").digest()
CASES = (
    ("Kiosk at the corner", "a web shop", 5_000, 0),
    ("Crème & Söhne", "Söhne online", 125_075, 150),
    ("Ann B.", "payroll", 1, 0),
)


def quote(payee_name: str, amount_minor: int, fee_minor: int) -> Quote:
    """The terms of one order.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    seed = hashlib.sha256(payee_name.encode()).digest()
    return Quote(
        provider="Example Pay",
        order=timed_id("ord", NOW, seed[:10]),
        kind=PaymentKind.MERCHANT,
        payer=random_id("acc", seed[:16]),
        payee=random_id("acc", seed[16:]),
        payee_name=payee_name,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency="KES",
        original="",
        policy=3,
        issued_at=NOW,
        expires_at=NOW + 1_800_000,
    )


def case(signer: Es256SigningKey, number: int) -> dict[str, Any]:
    """One order: its text, the signed request, the answers with the first three counters.

    Source: RFC 6287, 5.2; RFC 7515, 5.1
    """
    payee, asked_by, amount, fee = CASES[number]
    terms = quote(payee, amount, fee)
    canonical = encode_canonical(terms)
    asked = OfflineRequest(
        approval=timed_id("apr", NOW, hashlib.sha256(asked_by.encode()).digest()[:10]),
        asked_by=asked_by,
        text=approval_text(terms, asked_by),
        quote=terms,
        question=hashlib.sha256(canonical).hexdigest().upper(),
        expires_at=terms.expires_at,
    )
    mac = PreparedHmac(SEED, "hmac-sha256").mac
    return {
        "quote": canonical.decode(),
        "asked_by": asked_by,
        "text": asked.text,
        "question": asked.question,
        "signed": sign_compact(signer, offline_header("ES256", KID), encode_canonical(asked)),
        "answers": [answer(asked, mac, counter) for counter in range(3)],
    }


def main() -> None:
    """Write the file.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    signer = Es256SigningKey.generate()
    content = {
        "note": "Made by vectors/generate/approvals.py; keys in hexadecimal.",
        "source": "docs/protocol/approvals.md",
        "provider_key": signer.public().octets().hex(),
        "kid": KID,
        "seed": SEED.hex(),
        "suite": SUITE,
        "now": NOW,
        "cases": [case(signer, number) for number in range(len(CASES))],
    }
    text = json.dumps(content, indent=1, ensure_ascii=True)
    (FOLDER / "approvals.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
