"""Attacks on signed HTTP messages: narrowed, borrowed, mixed and confused signatures."""

import pytest
from vectors.generate import http_signatures as made

from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.infrastructure.httpsig import (
    Demand,
    PublicKey,
    ReplyHead,
    RequestHead,
    SharedKey,
    content_digest,
    covering,
    partner_key,
    sign_message,
    verify_message,
)
from tallystick.kernel.errors import Expired, Malformed, MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.protocol.http_signatures import (
    PARTNER_AGE_MS,
    PARTNER_AHEAD_MS,
    PARTNER_COMPONENTS,
    PARTNER_TAG,
    REPLY_TAG,
    reply_components,
)

pytestmark = pytest.mark.threat("THR-BE-06")

NOW = made.NOW_S * 1000
GOOD = made.request()
KEYS = {keyid: PublicKey(made.signer_of(keyid).public()) for keyid in (made.KEYID, made.OTHER)}
DEMAND = Demand(PARTNER_TAG, PARTNER_COMPONENTS, PARTNER_AGE_MS, PARTNER_AHEAD_MS)


def verified(head, body: bytes = made.MESSAGE, keys=KEYS, demand: Demand = DEMAND):
    return verify_message(head, body, keys, demand, now=NOW)


def text_of(head: RequestHead, name: str) -> str:
    return dict(head.fields)[name]


@pytest.mark.parametrize("stripped", PARTNER_COMPONENTS)
def test_a_stripped_component_is_refused_whether_or_not_it_was_signed_so(stripped: str) -> None:
    kept = [one for one in PARTNER_COMPONENTS if one != stripped]
    with pytest.raises(NotAuthentic):
        verified(made.request(kept))
    narrowed = (
        text_of(GOOD, "signature-input").replace(f"{stripped} ", "").replace(f" {stripped}", "")
    )
    assert narrowed != text_of(GOOD, "signature-input")
    with pytest.raises(NotAuthentic):
        verified(made.changed(GOOD, "signature-input", narrowed))


def test_a_public_key_is_no_shared_secret() -> None:
    """The mechanism is the key's: a MAC under the public half proves nothing."""
    public = made.signer_of(made.KEYID).public().octets()
    forged = made.request(alg="hmac-sha256")
    base = covering(
        PARTNER_COMPONENTS,
        created=made.NOW_S,
        nonce=made.NONCE,
        alg="hmac-sha256",
        keyid=made.KEYID,
        tag=PARTNER_TAG,
    )
    bare = RequestHead("POST", "https", "pay.example", "/v1/ussd", forged.fields[:2])
    signed = sign_message(bare, made.LABEL, base, SharedKey(Secret(public)).sign)
    with pytest.raises(NotAuthentic):
        verified(RequestHead("POST", "https", "pay.example", "/v1/ussd", (*bare.fields, *signed)))


def test_alg_of_another_key_is_refused_even_with_a_right_signature() -> None:
    for alg in ("ecdsa-p256-sha256", "rsa-v1_5-sha256", "none", "ED25519"):
        with pytest.raises(NotAuthentic):
            verified(made.request(alg=alg))
    assert verified(made.request(alg="")).keyid == made.KEYID


def test_the_key_id_of_another_partner_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        verified(made.request(keyid=made.OTHER, signer=made.KEYID))
    renamed = text_of(GOOD, "signature-input").replace(made.KEYID, made.OTHER)
    with pytest.raises(NotAuthentic):
        verified(made.changed(GOOD, "signature-input", renamed))


def test_the_digest_of_another_body_is_refused_in_both_directions() -> None:
    other = made.MESSAGE.replace(b'"input":"1"', b'"input":"9"')
    with pytest.raises(NotAuthentic):
        verified(GOOD, other)
    with pytest.raises(NotAuthentic):
        verified(made.changed(GOOD, "content-digest", content_digest(other)), other)


@pytest.mark.parametrize(
    "digest", ["md5=:XrY7u+Ae7tCTyyK7j1rNww==:", "sha-256=?1", "sha-256=1", ""]
)
def test_a_signed_digest_that_says_nothing_is_refused(digest: str) -> None:
    fields = (("content-type", "application/json"), ("content-digest", digest))
    head = RequestHead("POST", "https", "pay.example", "/v1/ussd", fields)
    coverage = covering(
        PARTNER_COMPONENTS,
        created=made.NOW_S,
        nonce=made.NONCE,
        keyid=made.KEYID,
        tag=PARTNER_TAG,
    )
    signed = sign_message(head, "a", coverage, made.signer_of(made.KEYID).sign)
    with pytest.raises(MfsError):
        verified(RequestHead("POST", "https", "pay.example", "/v1/ussd", (*fields, *signed)))


def test_a_weak_digest_beside_a_wrong_strong_one_does_not_help() -> None:
    wrong = f"{content_digest(b'other')}, md5=:XrY7u+Ae7tCTyyK7j1rNww==:"
    both = f"{content_digest(made.MESSAGE)}, sha-512=:{'A' * 86}==:"
    for digest in (wrong, both):
        fields = (("content-type", "application/json"), ("content-digest", digest))
        head = RequestHead("POST", "https", "pay.example", "/v1/ussd", fields)
        coverage = covering(
            PARTNER_COMPONENTS,
            created=made.NOW_S,
            nonce=made.NONCE,
            keyid=made.KEYID,
            tag=PARTNER_TAG,
        )
        signed = sign_message(head, "a", coverage, made.signer_of(made.KEYID).sign)
        with pytest.raises(NotAuthentic):
            verified(RequestHead("POST", "https", "pay.example", "/v1/ussd", (*fields, *signed)))


def test_two_signatures_for_one_door_are_refused_and_one_of_another_reader_is_not() -> None:
    inputs, marks = text_of(GOOD, "signature-input"), text_of(GOOD, "signature")
    proxy = '("@method");created=1;keyid="proxy";tag="of-the-proxy"'
    beside = made.changed(GOOD, "signature-input", f"proxy={proxy}, {inputs}")
    assert verified(made.changed(beside, "signature", f"{marks}, proxy=:AAAA:")).label == made.LABEL
    same = proxy.replace("of-the-proxy", PARTNER_TAG)
    two = made.changed(GOOD, "signature-input", f"a={same}, {inputs}")
    with pytest.raises(NotAuthentic):
        verified(made.changed(two, "signature", f"{marks}, a=:AAAA:"))


def test_labels_cannot_be_crossed() -> None:
    renamed = text_of(GOOD, "signature").replace(made.LABEL, "other")
    with pytest.raises(NotAuthentic):
        verified(made.changed(GOOD, "signature", renamed))
    doubled = f"{text_of(GOOD, 'signature')}, {text_of(GOOD, 'signature')}"
    with pytest.raises(Malformed):
        verified(made.changed(GOOD, "signature", doubled))


@pytest.mark.parametrize(
    "more", [";created=1", ";nonce=1", ";tag=sym", ";unknown=1", ";expires=?1", ";alg=:AA==:"]
)
def test_parameters_that_are_not_taken_are_refused(more: str) -> None:
    text = text_of(GOOD, "signature-input") + more
    with pytest.raises(MfsError):
        verified(made.changed(GOOD, "signature-input", text))


def test_the_time_cannot_be_moved() -> None:
    created = text_of(GOOD, "signature-input")
    for moved in (made.NOW_S - 1, made.NOW_S + 1):
        text = created.replace(f"created={made.NOW_S}", f"created={moved}")
        with pytest.raises(NotAuthentic):
            verified(made.changed(GOOD, "signature-input", text))
    with pytest.raises(Expired):
        verify_message(GOOD, made.MESSAGE, KEYS, DEMAND, now=NOW + 61_000)
    with pytest.raises(NotAuthentic):
        verified(
            made.changed(GOOD, "signature-input", created.replace(f"created={made.NOW_S};", ""))
        )


def test_a_reply_cannot_be_moved_to_another_request_nor_shown_as_a_request() -> None:
    ours = {made.OURS: PublicKey(made.signer_of(made.OURS).public())}
    demand = Demand(REPLY_TAG, reply_components(made.LABEL), 60_000, 60_000, nonce=False)
    given = made.reply(GOOD)
    fields = tuple((name, value) for name, value in given["fields"])
    body = given["body"].encode()
    assert verified(ReplyHead(200, fields, GOOD), body, ours, demand)
    second = made.request(nonce="zzzzzzzzzzzzzzzzzzzzzzzz")
    with pytest.raises(NotAuthentic):
        verified(ReplyHead(200, fields, second), body, ours, demand)
    with pytest.raises(NotAuthentic):
        verified(RequestHead("POST", "https", "pay.example", "/v1/ussd", fields), body, ours)


def test_a_signature_of_another_length_or_curve_is_refused() -> None:
    partner = Es256SigningKey.generate()
    keys = {"example-pay/ec": partner_key("ecdsa-p256-sha256", partner.public().octets())}
    fields = GOOD.fields[:2]
    head = RequestHead("POST", "https", "pay.example", "/v1/ussd", fields)
    coverage = covering(
        PARTNER_COMPONENTS,
        created=made.NOW_S,
        nonce=made.NONCE,
        alg="ecdsa-p256-sha256",
        keyid="example-pay/ec",
        tag=PARTNER_TAG,
    )
    for sign in (lambda m: partner.sign(m)[:-1], lambda _: bytes(64), lambda _: b""):
        signed = sign_message(head, "a", coverage, sign)
        with pytest.raises(NotAuthentic):
            verified(RequestHead(*HEAD, (*fields, *signed)), keys=keys)
    signed = sign_message(head, "a", coverage, partner.sign)
    assert verified(RequestHead(*HEAD, (*fields, *signed)), keys=keys).keyid == "example-pay/ec"


HEAD = ("POST", "https", "pay.example", "/v1/ussd")


@pytest.mark.parametrize(
    ("algorithm", "octets"),
    [
        ("hmac-sha256", bytes(64)),
        ("rsa-v1_5-sha256", bytes(300)),
        ("ed25519", bytes(32)),
        ("ed25519", bytes(31)),
        ("ecdsa-p256-sha256", bytes(65)),
        ("rsa-pss-sha512", b"\x30\x00"),
        ("", b""),
    ],
)
def test_no_partner_has_a_weak_key_or_a_shared_secret(algorithm: str, octets: bytes) -> None:
    with pytest.raises(MfsError):
        partner_key(algorithm, octets)
