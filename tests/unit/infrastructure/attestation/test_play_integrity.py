"""Verdicts of the app store's service; all fixtures are generated, no real one is public."""

import json
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey
from tests.support.attested import AT, rules_of

from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.attestation.play.verdict import (
    VerdictKeys,
    verify_under,
    verify_verdict,
)
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import App, Outcome, Subject
from tallystick.process.attestation.reading import shipped_policy

SIGNING = ECKey.generate_key("P-256")
WRAPPING = OctKey.generate_key(256)
NUMBERS = SIGNING.as_dict(private=False)
KEYS = VerdictKeys(
    package="example.wallet",
    decryption=Secret(b64url_decode(str(WRAPPING.as_dict(private=True)["k"]))),
    verification=credential_of_point(
        1, b64url_decode(str(NUMBERS["x"])), b64url_decode(str(NUMBERS["y"]))
    ),
)
SIGNER = b"s" * 32
NONCE = b64url(b"n" * 32)


def payload(**other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "requestDetails": {
            "requestPackageName": "example.wallet",
            "nonce": NONCE,
            "timestampMillis": str(AT),
        },
        "appIntegrity": {
            "appRecognitionVerdict": "PLAY_RECOGNIZED",
            "packageName": "example.wallet",
            "certificateSha256Digest": [b64url(SIGNER)],
            "versionCode": "42",
        },
        "deviceIntegrity": {
            "deviceRecognitionVerdict": ["MEETS_DEVICE_INTEGRITY", "MEETS_STRONG_INTEGRITY"]
        },
        "accountDetails": {"appLicensingVerdict": "LICENSED"},
    }
    for path, value in other.items():
        part, _, name = path.partition("__")
        said[part][name] = value
    return said


def sealed(said: dict[str, Any] | bytes, *, alg: str = "A256KW", signer: ECKey = SIGNING) -> str:
    octets = said if isinstance(said, bytes) else json.dumps(said).encode()
    inner = jws.serialize_compact({"alg": "ES256"}, octets, signer)
    if alg == "dir":
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, inner.encode(), WRAPPING)
    return jwe.encrypt_compact({"alg": alg, "enc": "A256GCM"}, inner.encode(), WRAPPING)


POLICY = replace(shipped_policy(), apps=(App(package="example.wallet", signers=(SIGNER.hex(),)),))


def judged(evidence: Evidence, at: int = AT) -> set[str]:
    subject = Subject(challenge=NONCE, attested="", presented_at=at)
    return rules_of(appraise(evidence, subject, POLICY))


def test_a_generated_verdict_is_read() -> None:
    evidence = verify_verdict(sealed(payload()), KEYS)
    assert evidence.packages == ("example.wallet",)
    assert evidence.signers == (b64url(SIGNER),)
    assert evidence.made_at == AT
    assert evidence.labels == (
        "account:LICENSED",
        "app:PLAY_RECOGNIZED",
        "device:MEETS_DEVICE_INTEGRITY",
        "device:MEETS_STRONG_INTEGRITY",
    )
    assert judged(evidence) == set()


def test_a_verdict_alone_attests_no_key() -> None:
    evidence = verify_verdict(sealed(payload()), KEYS)
    subject = Subject(challenge=NONCE, attested="", presented_at=AT)
    verdict = appraise(evidence, subject, POLICY)
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.trust == "unknown"


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"requestDetails__nonce": b64url(b"o" * 32)}, "challenge"),
        ({"requestDetails__timestampMillis": str(AT - 301_000)}, "verdict-age"),
        ({"requestDetails__timestampMillis": str(AT + 1_000)}, "verdict-age"),
        ({"appIntegrity__certificateSha256Digest": [b64url(b"e" * 32)]}, "application"),
        ({"appIntegrity__appRecognitionVerdict": "UNRECOGNIZED_VERSION"}, "labels"),
        ({"deviceIntegrity__deviceRecognitionVerdict": []}, "labels"),
    ],
)
def test_a_wrong_verdict_is_refused_by_its_rule(wrong: dict[str, Any], rule: str) -> None:
    assert judged(verify_verdict(sealed(payload(**wrong)), KEYS)) == {rule}


def test_another_package_is_refused() -> None:
    said = payload(requestDetails__requestPackageName="example.evil")
    with pytest.raises(NotAuthentic, match="another app"):
        verify_verdict(sealed(said), KEYS)
    said["appIntegrity"]["packageName"] = "example.evil"
    with pytest.raises(NotAuthentic, match="its keys are for"):
        verify_verdict(sealed(said), KEYS)


def test_a_request_hash_stands_for_a_nonce() -> None:
    said = payload()
    said["requestDetails"]["requestHash"] = said["requestDetails"].pop("nonce")
    assert judged(verify_verdict(sealed(said), KEYS)) == set()
    said["requestDetails"]["nonce"] = NONCE
    with pytest.raises(Malformed, match="one of the two"):
        verify_verdict(sealed(said), KEYS)


def test_other_keys_and_algorithms_are_refused() -> None:
    genuine = sealed(payload())
    other = VerdictKeys(
        package="example.wallet", decryption=Secret(b"k" * 32), verification=KEYS.verification
    )
    with pytest.raises(NotAuthentic):
        verify_verdict(genuine, other)
    with pytest.raises(NotAuthentic):
        verify_verdict(sealed(payload(), signer=ECKey.generate_key("P-256")), KEYS)
    with pytest.raises(Malformed, match="algorithm"):
        verify_verdict(sealed(payload(), alg="dir"), KEYS)
    with pytest.raises(TooLarge):
        verify_verdict("a" * 70_000, KEYS)


def test_no_changed_character_passes() -> None:
    genuine = sealed(payload())
    for place in range(0, len(genuine), 29):
        other = "A" if genuine[place] != "A" else "B"
        with pytest.raises((NotAuthentic, Malformed)):
            verify_verdict(genuine[:place] + other + genuine[place + 1 :], KEYS)


@pytest.mark.parametrize("said", [b"[]", b"{", b'{"requestDetails": 1}', b"{}"])
def test_a_verdict_of_another_shape_is_refused(said: bytes) -> None:
    with pytest.raises(Malformed):
        verify_verdict(sealed(said), KEYS)


def test_the_pair_of_keys_is_found_by_trying_and_is_named() -> None:
    other = VerdictKeys(
        package="example.other", decryption=Secret(b"k" * 32), verification=KEYS.verification
    )
    evidence = verify_under(sealed(payload()), (other, KEYS))
    assert evidence == verify_under(sealed(payload()), (KEYS, other))
    assert evidence.root == b64url(sha256(KEYS.verification.spki))
    assert evidence.versions == (42,)
    with pytest.raises(NotAuthentic):
        verify_under(sealed(payload()), (other,))


def test_a_version_that_was_not_evaluated_is_absent_and_one_that_is_no_number_refused() -> None:
    said = payload(appIntegrity__versionCode="1e3")
    with pytest.raises(Malformed, match="number"):
        verify_verdict(sealed(said), KEYS)
    said["appIntegrity"] = {"appRecognitionVerdict": "UNEVALUATED"}
    evidence = verify_verdict(sealed(said), KEYS)
    assert evidence.versions is ABSENT
    assert judged(evidence) == {"application", "labels"}


@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.parametrize(("least", "rules"), [(42, set()), (43, {"application"})])
def test_a_policy_may_ask_for_a_least_version(least: int, rules: set[str]) -> None:
    app = App(package="example.wallet", signers=(SIGNER.hex(),), least=least)
    evidence = verify_verdict(sealed(payload()), KEYS)
    subject = Subject(challenge=NONCE, attested="", presented_at=AT)
    assert rules_of(appraise(evidence, subject, replace(POLICY, apps=(app,)))) == rules
