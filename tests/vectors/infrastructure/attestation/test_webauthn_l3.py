"""The test vectors of Web Authentication Level 3, and another library beside our reading."""

import json
from typing import Any

import pytest
from tests.support.attested import published

from tallystick.infrastructure.attestation.evidence import Level
from tallystick.infrastructure.attestation.webauthn.authdata import read_authenticator_data
from tallystick.infrastructure.attestation.webauthn.clientdata import GET, check_client_data
from tallystick.infrastructure.attestation.webauthn.formats import (
    Asked,
    Registered,
    verify_registration,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic, Refused

FILE = published("vectors/webauthn_l3.json", "webauthn/webauthn_l3.json")
VECTORS = json.loads(FILE.read_text())
ROOT = read_certificate(bytes.fromhex(VECTORS["attestation_root_certificate"]))
ACCEPTED = [one for one in VECTORS["cases"] if one["id"] != "fido-u2f-es256"]
ATTESTED = [
    one for one in ACCEPTED if one["id"].split("-")[0] in {"packed", "tpm", "android", "apple"}
]
LEVELS = {
    "none": Level.NONE,
    "packed": Level.AUTHENTICATOR,
    "tpm": Level.TPM,
    "android": Level.SOFTWARE,
    "apple": Level.SECURE_ENCLAVE,
}


def register(case: dict[str, Any], **other: Any) -> Registered:
    said = case["registration"]
    given: dict[str, Any] = {
        "relying": case["rp_id"],
        "origins": (case["origin"],),
        "challenge": bytes.fromhex(said["challenge"]),
        "framed": True,
    }
    attested = other.pop("attested", bytes.fromhex(said["attestationObject"]))
    client = other.pop("client", bytes.fromhex(said["clientDataJSON"]))
    roots = other.pop("roots", [ROOT])
    return verify_registration(attested, client, Asked(**(given | other)), roots)


def named(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_a_registration_and_an_assertion_verify(case: dict[str, Any]) -> None:
    found = register(case)
    expected = Level.SOFTWARE if "self" in case["id"] else LEVELS[case["id"].split("-")[0]]
    assert found.evidence.level is expected
    answer = {one: bytes.fromhex(text) for one, text in case["authentication"].items()}
    check_client_data(
        answer["clientDataJSON"],
        kind=GET,
        challenge=answer["challenge"],
        origins=(case["origin"],),
        framed=True,
    )
    data = read_authenticator_data(answer["authenticatorData"])
    assert data.relying == sha256(case["rp_id"].encode())
    message = data.octets + sha256(answer["clientDataJSON"])
    public = found.credential.public
    public.verify(found.credential.algorithm, answer["signature"], message)
    with pytest.raises(NotAuthentic):
        public.verify(found.credential.algorithm, answer["signature"], message + b"x")


def test_fido_u2f_is_refused() -> None:
    case = next(one for one in VECTORS["cases"] if one["id"] == "fido-u2f-es256")
    with pytest.raises(Malformed, match="format"):
        register(case)


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
@pytest.mark.parametrize(
    "wrong",
    [{"relying": "example.com"}, {"origins": ("https://evil.example",)}, {"challenge": b"x" * 32}],
)
def test_another_place_or_challenge_is_refused(case: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAuthentic):
        register(case, **wrong)


def test_a_frame_is_refused_unless_allowed() -> None:
    crossed = [
        one
        for one in ACCEPTED
        if b'"crossOrigin":true' in bytes.fromhex(one["registration"]["clientDataJSON"])
    ]
    for case in crossed:
        with pytest.raises(NotAuthentic, match="inside another"):
            register(case, framed=False)


@pytest.mark.parametrize("case", [one for one in ATTESTED if "self" not in one["id"]], ids=named)
def test_a_statement_under_another_root_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(NotAuthentic):
        register(case, roots=[])


@pytest.mark.parametrize("case", ATTESTED, ids=named)
def test_no_changed_octet_of_a_statement_passes(case: dict[str, Any]) -> None:
    whole = bytearray.fromhex(case["registration"]["attestationObject"])
    for place in range(0, len(whole), 23):
        whole[place] ^= 0x10
        with pytest.raises(Refused):
            register(case, attested=bytes(whole))
        whole[place] ^= 0x10


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_another_library_reads_the_same(case: dict[str, Any]) -> None:
    webauthn = pytest.importorskip("fido2.webauthn", reason="fido2 is not installed")
    ours = register(case)
    theirs = webauthn.AttestationObject(bytes.fromhex(case["registration"]["attestationObject"]))
    credential = theirs.auth_data.credential_data
    assert bytes(credential.aaguid) == ours.credential.aaguid
    assert credential.credential_id == ours.credential.identifier
    assert credential.public_key[3] == ours.credential.algorithm
    assert theirs.auth_data.counter == ours.evidence.counter
    if case["id"] not in {"tpm-es256", "android-key-es256"} and theirs.fmt != "none":
        attestation = pytest.importorskip("fido2.attestation")
        verifier = attestation.Attestation.for_type(theirs.fmt)()
        client = sha256(bytes.fromhex(case["registration"]["clientDataJSON"]))
        verifier.verify(theirs.att_stmt, theirs.auth_data, client)
