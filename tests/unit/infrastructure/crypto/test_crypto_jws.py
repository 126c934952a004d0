"""Signed objects: another library reads ours, we read its, and nothing changed passes."""

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OKPKey
from tests.vectors.wycheproof_cases import cases

from tallystick.infrastructure.crypto.jws import MAX_JWS_CHARACTERS, sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    verify_key,
)
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

PAYLOAD = b'{"amount_minor":1250,"payee":"acc_1"}'
JOSE_NAME = {"ES256": "ES256", "EdDSA": "EdDSA"}


def jose_public(algorithm: str, octets: bytes) -> ECKey | OKPKey:
    if algorithm == "ES256":
        x, y = b64url(octets[1:33]), b64url(octets[33:])
        return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": b64url(octets)})


@pytest.mark.parametrize("signing", [Es256SigningKey, Ed25519SigningKey])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_another_library_accepts_what_we_sign(signing) -> None:
    signer = signing.generate()
    header = b'{"alg":"%s","typ":"t"}' % signer.algorithm.encode()
    text = sign_compact(signer, header, PAYLOAD)
    public = jose_public(signer.algorithm, signer.public().octets())
    found = joserfc_jws.deserialize_compact(text, public, algorithms=[signer.algorithm])
    assert found.payload == PAYLOAD
    assert found.protected == {"alg": signer.algorithm, "typ": "t"}


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_we_accept_what_another_library_signs(algorithm: str) -> None:
    private = (
        ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")
    )
    text = joserfc_jws.serialize_compact(
        {"alg": algorithm}, PAYLOAD, private, algorithms=[algorithm]
    )
    header, payload, signature, signing_input = split_compact(text)
    assert (header, payload) == (b'{"alg":"%s"}' % algorithm.encode(), PAYLOAD)
    numbers = private.as_dict(private=False)
    octets = b64url_decode(numbers["x"])
    if algorithm == "ES256":
        octets = b"\x04" + octets + b64url_decode(numbers["y"])
    verify_key(algorithm, octets).verify(signature, signing_input)


def check(verifier, text: str) -> None:
    _, _, signature, signing_input = split_compact(text)
    verifier.verify(signature, signing_input)


def test_every_changed_character_is_refused() -> None:
    signer = Es256SigningKey.generate()
    text = sign_compact(signer, b'{"alg":"ES256"}', PAYLOAD)
    verifier = signer.public()
    for place, character in enumerate(text):
        other = "B" if character == "A" else "A"
        changed = text[:place] + other + text[place + 1 :]
        with pytest.raises((Malformed, NotAuthentic)):
            check(verifier, changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b",
        "e30.e30",
        "e30.e30.e30.e30",
        ".e30.e30",
        "e30.e30.",
        "e30=.e30.e30",
        "e3 0.e30.e30",
        "e30.e30.e30\n",
        "e31.e30.e30",
        "e+0.e30.e30",
        "é30.e30.e30",
        "e30.e30.e",
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        split_compact(text)


def test_a_payload_may_be_empty_and_a_long_object_is_refused() -> None:
    assert split_compact("e30..e30") == (b"{}", b"", b"{}", b"e30.")
    with pytest.raises(TooLarge):
        split_compact("e30." + "A" * MAX_JWS_CHARACTERS + ".e30")


def test_wycheproof_es256_and_eddsa(test_data) -> None:
    """Compact objects under keys of our two kinds, with a header that names the key's algorithm.

    Left out: what a JWK says of its own use, since our keys are points and their purpose stands in
    the key list.
    """
    seen = {"valid": 0, "invalid": 0}
    for group, case in cases(test_data, "json_web_signature_test.json"):
        jwk = group.get("public") or group.get("private", {})
        if jwk.get("crv") not in {"P-256", "Ed25519"} or not isinstance(case["jws"], str):
            continue
        algorithm = "ES256" if jwk["crv"] == "P-256" else "EdDSA"
        point = b64url_decode(jwk["x"]) + (b64url_decode(jwk["y"]) if "y" in jwk else b"")
        octets = b"\x04" + point if algorithm == "ES256" else point
        try:
            header, _, signature, signing_input = split_compact(case["jws"])
            verify_key(algorithm, octets).verify(signature, signing_input)
            found = "valid" if b'"alg":"%s"' % algorithm.encode() in header else "invalid"
        except (Malformed, NotAuthentic):
            found = "invalid"
        if case["result"] == "valid":
            assert found == "valid", (case["tcId"], case["comment"])
        elif case["comment"] not in {"rejectWrongUse", "rejectWrongKeyOps"}:
            assert found == case["result"], (case["tcId"], case["comment"])
        seen[found] += 1
    assert seen["valid"] > 0
    assert seen["invalid"] > 20
