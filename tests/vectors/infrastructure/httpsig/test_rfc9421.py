"""The examples of RFC 9421, B.2, and RFC 9530, B: bases and bytes where they are fixed."""

import base64
import json
from pathlib import Path

import pytest

from tallystick.infrastructure.crypto.ecdsa import Es256VerifyKey
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey, Ed25519VerifyKey
from tallystick.infrastructure.crypto.pkcs8 import write_pkcs8
from tallystick.infrastructure.crypto.rsa_pss import RsaPssVerifyKey
from tallystick.infrastructure.httpsig import (
    MessageKey,
    PublicKey,
    ReplyHead,
    RequestHead,
    SharedKey,
    check_content_digest,
    content_digest,
    coverage_of,
    partner_key,
    sign_message,
    signature_base,
)
from tallystick.infrastructure.httpsig.fields import InnerList
from tallystick.infrastructure.httpsig.reading import read_dictionary
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

CASES = json.loads((Path(__file__).parents[4] / "vectors/rfc9421.json").read_text())


def head(reply: bool) -> RequestHead | ReplyHead:
    given = CASES["reply" if reply else "request"]
    fields = tuple((name, value) for name, value in given["fields"])
    if reply:
        return ReplyHead(given["status"], fields)
    names = ("method", "scheme", "authority", "target")
    return RequestHead(*(given[name] for name in names), fields)


def key_of(keyid: str) -> MessageKey:
    given = CASES["keys"][keyid]
    if given["algorithm"] == "hmac-sha256":
        return SharedKey(Secret(b64url_decode(given["secret"])))
    octets = b64url_decode(given["public"])
    return {
        "rsa-pss-sha512": RsaPssVerifyKey,
        "ecdsa-p256-sha256": lambda half: PublicKey(Es256VerifyKey(half)),
        "ed25519": lambda half: PublicKey(Ed25519VerifyKey(half)),
    }[given["algorithm"]](octets)


def by_section(one) -> str:
    return one["section"]


@pytest.mark.parametrize("one", CASES["signatures"], ids=by_section)
def test_every_base_is_the_published_one_and_its_signature_verifies(one) -> None:
    member = read_dictionary(f"{one['label']}={one['member']}")[one["label"]]
    assert isinstance(member, InnerList)
    base = signature_base(head(one["reply"]), coverage_of(member))
    assert base.decode() == "\n".join(one["base"])
    found = key_of(one["keyid"])
    assert found.algorithm == CASES["keys"][one["keyid"]]["algorithm"]
    mark = base64.b64decode(one["signature"])
    found.verify(mark, base)
    for changed in (base + b" ", base[:-1]):
        with pytest.raises(NotAuthentic):
            found.verify(mark, changed)
    with pytest.raises(NotAuthentic):
        found.verify(mark[:-1] + bytes((mark[-1] ^ 1,)), base)


@pytest.mark.parametrize(
    "one", [one for one in CASES["signatures"] if one["deterministic"]], ids=by_section
)
def test_what_is_deterministic_is_signed_byte_for_byte(one) -> None:
    found = key_of(one["keyid"])
    if isinstance(found, SharedKey):
        sign = found.sign
    else:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PrivateKey,
        )

        seed = b64url_decode(CASES["keys"][one["keyid"]]["seed"])
        der = write_pkcs8(Ed25519PrivateKey.from_private_bytes(seed)).reveal()
        sign = Ed25519SigningKey.from_pkcs8(der).sign
    member = read_dictionary(f"a={one['member']}")["a"]
    assert isinstance(member, InnerList)
    signed = sign_message(head(one["reply"]), one["label"], coverage_of(member), sign)
    assert signed == (
        ("signature-input", f"{one['label']}={one['member']}"),
        ("signature", f"{one['label']}=:{one['signature']}:"),
    )


@pytest.mark.parametrize("one", CASES["digests"], ids=lambda one: one["value"][:20])
def test_every_digest_is_the_published_one(one) -> None:
    body, name = b64url_decode(one["body"]), one["value"].partition("=")[0]
    assert content_digest(body, name) == one["value"]
    check_content_digest(one["value"], body)
    with pytest.raises(NotAuthentic):
        check_content_digest(one["value"], body + b"\n")


@pytest.mark.parametrize("which", ["request", "reply"])
def test_the_bodies_of_the_examples_have_the_digests_that_are_signed(which: str) -> None:
    given = CASES[which]
    check_content_digest(dict(given["fields"])["content-digest"], b64url_decode(given["body"]))


@pytest.mark.requirement("MFS-C-01")
def test_the_rsa_key_of_the_examples_is_too_short_for_a_partner() -> None:
    with pytest.raises(NotPermitted, match="legacy"):
        partner_key("rsa-pss-sha512", b64url_decode(CASES["keys"]["test-key-rsa-pss"]["public"]))
