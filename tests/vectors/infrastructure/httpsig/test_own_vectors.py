"""The published cases of docs/protocol/http-signatures.md, taken and refused as they say."""

import json
from pathlib import Path

import pytest
from vectors.generate import http_signatures as made

from tallystick.client.webhooks import WebhookReceiver
from tallystick.infrastructure.crypto.eddsa import Ed25519VerifyKey
from tallystick.infrastructure.httpsig import (
    Demand,
    PublicKey,
    ReplyHead,
    RequestHead,
    verify_message,
)
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Expired, MfsError, NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.http_signatures import (
    PARTNER_AGE_MS,
    PARTNER_AHEAD_MS,
    PARTNER_COMPONENTS,
    PARTNER_TAG,
    REPLY_TAG,
    reply_components,
)

CASES = json.loads((Path(__file__).parents[4] / "vectors/http-signatures.json").read_text())
NOW = CASES["now"]
KEYS = {
    keyid: PublicKey(Ed25519VerifyKey(b64url_decode(one["public"])))
    for keyid, one in CASES["keys"].items()
}
PARTNERS = {keyid: one for keyid, one in KEYS.items() if keyid != made.OURS}
DEMAND = Demand(PARTNER_TAG, PARTNER_COMPONENTS, PARTNER_AGE_MS, PARTNER_AHEAD_MS)


def request_of(one) -> tuple[RequestHead, bytes]:
    fields = tuple((name, value) for name, value in one["fields"])
    names = ("method", "scheme", "authority", "target")
    return RequestHead(*(one[name] for name in names), fields), one["body"].encode()


def test_the_file_is_the_one_that_its_maker_makes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(made, "FOLDER", tmp_path)
    made.main()
    assert json.loads((tmp_path / "http-signatures.json").read_text()) == CASES


def test_the_request_holds_until_its_minute_is_over() -> None:
    head, body = request_of(CASES["request"])
    verified = verify_message(head, body, PARTNERS, DEMAND, now=NOW)
    assert (verified.keyid, verified.nonce, verified.label) == (made.KEYID, made.NONCE, made.LABEL)
    assert verified.until == NOW + 61_000
    verify_message(head, body, PARTNERS, DEMAND, now=verified.until - 1)
    with pytest.raises(Expired):
        verify_message(head, body, PARTNERS, DEMAND, now=verified.until)


def test_the_reply_holds_for_its_request_and_no_other() -> None:
    head, _ = request_of(CASES["request"])
    given = CASES["reply"]
    fields = tuple((name, value) for name, value in given["fields"])
    demand = Demand(REPLY_TAG, reply_components(made.LABEL), 60_000, 60_000, nonce=False)
    reply, body = ReplyHead(given["status"], fields, head), given["body"].encode()
    assert verify_message(reply, body, KEYS, demand, now=NOW).keyid == made.OURS
    again = ReplyHead(given["status"], fields, made.request(nonce="another nonce here"))
    other_status = ReplyHead(500, fields, head)
    for wrong in (again, other_status, ReplyHead(given["status"], fields)):
        with pytest.raises(NotAuthentic):
            verify_message(wrong, body, KEYS, demand, now=NOW)


def test_the_delivery_holds_at_its_address_only() -> None:
    one = CASES["delivery"]

    class Frozen:
        def now(self) -> Instant:
            return Instant(NOW)

    def receiver(url: str) -> WebhookReceiver:
        return WebhookReceiver(url, lambda: {made.OURS: KEYS[made.OURS]}, Frozen())

    address = f"{one['scheme']}://{one['authority']}{one['target']}"
    taken = receiver(address).delivery("POST", one["fields"], one["body"].encode())
    assert taken.index == 7
    for elsewhere in ("https://bank.example/events", "https://other.example/events?from=pay"):
        with pytest.raises(NotAuthentic):
            receiver(elsewhere).delivery("POST", one["fields"], one["body"].encode())
    with pytest.raises(NotAuthentic):
        receiver(address).delivery("PUT", one["fields"], one["body"].encode())


@pytest.mark.parametrize("one", CASES["refused"], ids=lambda one: one["name"])
def test_what_is_to_be_refused_is_refused_by_its_code(one) -> None:
    head, body = request_of(one)
    with pytest.raises(MfsError) as caught:
        verify_message(head, body, PARTNERS, DEMAND, now=NOW)
    assert caught.value.code == one["code"]
