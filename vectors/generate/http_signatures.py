# ruff: noqa: INP001
"""Writes vectors/http-signatures.json: requests, replies and deliveries, good and to be refused.

Run it from the root: `.venv/bin/python -m vectors.generate.http_signatures`. Every key is Ed25519
and made of a published seed, so the file is the same on every run.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9421; RFC 9530
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.crypto.pkcs8 import write_pkcs8
from tallystick.infrastructure.httpsig import (
    Fields,
    ReplyHead,
    RequestHead,
    content_digest,
    covering,
    sign_message,
)
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.protocol.channels import UssdMessage, UssdReply
from tallystick.protocol.http_signatures import (
    PARTNER_COMPONENTS,
    PARTNER_TAG,
    REPLY_TAG,
    WEBHOOK_COMPONENTS,
    WEBHOOK_TAG,
    reply_components,
)
from tallystick.protocol.webhooks import WebhookDelivery

FOLDER = Path(__file__).resolve().parents[1]
NOW_S = 1_767_225_600
KEYID = "example-pay/gateway-1"
OTHER = "example-pay/gateway-2"
OURS = "key_00000000000000000000000000"
NONCE = "0123456789abcdefghijklmn"
LABEL = "partner"


def seed_of(keyid: str) -> bytes:
    """The published seed of a key.

    Source: RFC 8032, 5.1.5
    """
    return hashlib.sha256(f"tallystick vectors {keyid}".encode()).digest()


def signer_of(keyid: str) -> Ed25519SigningKey:
    """The signing key that is made of it.

    Source: RFC 8032, 5.1.5
    """
    return Ed25519SigningKey.from_pkcs8(
        write_pkcs8(Ed25519PrivateKey.from_private_bytes(seed_of(keyid))).reveal()
    )


MESSAGE = encode_canonical(
    UssdMessage(
        id="m-7f3a",
        session="s-1",
        msisdn="+254712345678",
        input="1",
        at=NOW_S * 1000,
        gateway="gateway-1",
    )
)
PAGE = encode_canonical(UssdReply(session="s-1", text="Send to which number?", ends=False))
DELIVERY = encode_canonical(
    WebhookDelivery(
        id="whk_1-7",
        webhook="whk_1",
        provider="example-pay",
        origin="example-pay/tally/1",
        index=7,
        leaf=b64url(b'{"kind":"payment"}'),
    )
)


def request(
    components: Iterable[str] = PARTNER_COMPONENTS,
    *,
    body: bytes = MESSAGE,
    created: int = NOW_S,
    keyid: str = KEYID,
    signer: str = "",
    tag: str = PARTNER_TAG,
    nonce: str = NONCE,
    alg: str = "ed25519",
    expires: int | None = None,
) -> RequestHead:
    """A request to the gateways' door, signed.

    Source: RFC 9421, 3.1
    """
    fields: Fields = (
        ("content-type", "application/json"),
        ("content-digest", content_digest(body)),
    )
    head = RequestHead("POST", "https", "pay.example", "/v1/ussd", fields)
    coverage = covering(
        components, created=created, nonce=nonce, alg=alg, keyid=keyid, tag=tag, expires=expires
    )
    signed = sign_message(head, LABEL, coverage, signer_of(signer or keyid).sign)
    return RequestHead("POST", "https", "pay.example", "/v1/ussd", (*fields, *signed))


def plain(head: RequestHead, body: bytes) -> dict[str, Any]:
    """A request as the file has it.

    Source: RFC 8259
    """
    return {
        "method": head.method,
        "scheme": head.scheme,
        "authority": head.authority,
        "target": head.target,
        "fields": [list(one) for one in head.fields],
        "body": body.decode(),
    }


def reply(to: RequestHead) -> dict[str, Any]:
    """The signed reply to the request `to`.

    Source: RFC 9421, 2.4
    """
    fields: Fields = (
        ("content-type", "application/json"),
        ("content-digest", content_digest(PAGE)),
    )
    coverage = covering(reply_components(LABEL), created=NOW_S, keyid=OURS, tag=REPLY_TAG)
    head = ReplyHead(200, fields, to)
    signed = sign_message(head, "tallystick", coverage, signer_of(OURS).sign)
    return {
        "status": 200,
        "fields": [list(one) for one in (*fields, *signed)],
        "body": PAGE.decode(),
    }


def delivery() -> RequestHead:
    """A webhook's delivery.

    Source: RFC 9421, 3.1
    """
    fields: Fields = (
        ("content-type", "application/json"),
        ("content-digest", content_digest(DELIVERY)),
    )
    head = RequestHead("POST", "https", "bank.example", "/events?from=pay", fields)
    coverage = covering(WEBHOOK_COMPONENTS, created=NOW_S, keyid=OURS, tag=WEBHOOK_TAG)
    signed = sign_message(head, "tallystick", coverage, signer_of(OURS).sign)
    return RequestHead(head.method, head.scheme, head.authority, head.target, (*fields, *signed))


def without(field: str) -> Callable[[RequestHead], RequestHead]:
    """Takes a field away.

    Source: RFC 9421, 7.2
    """
    return lambda head: changed(head, field, None)


def changed(head: RequestHead, field: str, value: str | None) -> RequestHead:
    """`head` with another value of `field`, or without it.

    Source: RFC 9421, 7.2
    """
    fields = tuple(
        (name, given if name != field else value or "")
        for name, given in head.fields
        if name != field or value is not None
    )
    return RequestHead(head.method, head.scheme, head.authority, head.target, fields)


def refused() -> list[dict[str, Any]]:
    """What a provider refuses at `now`, and by which code.

    Source: RFC 9421, 7
    """
    good = request()
    narrower = [one for one in PARTNER_COMPONENTS if one != '"content-digest"']
    elsewhere = RequestHead(good.method, good.scheme, "other.example", good.target, good.fields)
    queried = RequestHead(good.method, good.scheme, good.authority, "/v1/ussd?a=1", good.fields)
    twice = RequestHead(
        good.method,
        good.scheme,
        good.authority,
        good.target,
        (*good.fields, ("content-type", "application/json")),
    )
    cases = [
        ("another body", good, MESSAGE.replace(b'"input":"1"', b'"input":"2"'), "not-authentic"),
        ("another host", elsewhere, MESSAGE, "not-authentic"),
        ("a query that was not signed", queried, MESSAGE, "not-authentic"),
        ("a covered field twice", twice, MESSAGE, "not-authentic"),
        ("no digest", without("content-digest")(good), MESSAGE, "not-authentic"),
        ("no signature", without("signature")(good), MESSAGE, "not-authentic"),
        ("the body is not covered", request(narrower), MESSAGE, "not-authentic"),
        ("another tag", request(tag=WEBHOOK_TAG), MESSAGE, "not-authentic"),
        ("no nonce", request(nonce=""), MESSAGE, "not-authentic"),
        (
            "a key nobody registered",
            request(keyid="example-pay/gateway-9"),
            MESSAGE,
            "not-authentic",
        ),
        ("the key id of another", request(keyid=OTHER, signer=KEYID), MESSAGE, "not-authentic"),
        ("another mechanism", request(alg="hmac-sha256"), MESSAGE, "not-authentic"),
        ("a minute too old", request(created=NOW_S - 62), MESSAGE, "expired"),
        ("from a clock ahead", request(created=NOW_S + 6), MESSAGE, "expired"),
        ("expired by its own word", request(expires=NOW_S), MESSAGE, "expired"),
    ]
    return [{"name": name, "code": code, **plain(head, body)} for name, head, body, code in cases]


def main() -> None:
    """Write the file.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    good = request()
    content = {
        "note": "Made by vectors/generate/http_signatures.py; keys are Ed25519, base64url.",
        "source": "docs/protocol/http-signatures.md",
        "now": NOW_S * 1000,
        "keys": {
            keyid: {
                "seed": b64url(seed_of(keyid)),
                "public": b64url(signer_of(keyid).public().octets()),
            }
            for keyid in (KEYID, OTHER, OURS)
        },
        "request": plain(good, MESSAGE),
        "reply": reply(good),
        "delivery": plain(delivery(), DELIVERY),
        "refused": refused(),
    }
    path = FOLDER / "http-signatures.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
