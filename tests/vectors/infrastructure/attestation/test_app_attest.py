"""Every published attestation of an app and its assertions, at the instants when they were made."""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.support.attested import published

from tallystick.infrastructure.attestation.apple.appattest import (
    AttestedKey,
    verify_assertion,
    verify_attestation,
)
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, Replayed
from tallystick.kernel.model import replace
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import Outcome, Subject
from tallystick.process.attestation.reading import shipped_policy

FOLDER = published("app-attest", "apple")
FILES = sorted(FOLDER.glob("ios-*.yaml"))
ROOTS = certificates_in((FOLDER / "Apple_App_Attestation_Root_CA.pem").read_bytes())


def sample(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in YAML(typ="safe").load_all(file.read_text()):
        found.setdefault(one["type"], one)
    return found


def raw(found: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(found[name + "Base64"])


def attest(found: dict[str, Any], **other: Any) -> AttestedKey:
    one = found["attestation"]
    asked: dict[str, Any] = {
        "application": f"{one['teamIdentifier']}.{one['bundleIdentifier']}",
        "identifier": raw(one, "keyId"),
        "client": raw(one, "clientDataHashSha256"),
        "roots": ROOTS,
    }
    return verify_attestation(other.pop("attested", raw(one, "attestation")), **(asked | other))


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_an_attestation_and_its_assertion_verify(file: Path) -> None:
    found = sample(file)
    known = attest(found)
    assert known.evidence.environment == found["attestation"]["environment"]
    assert len(known.receipt) > 1000
    asserted = found["assertion"]
    app = f"{asserted['teamIdentifier']}.{asserted['bundleIdentifier']}"
    asked: dict[str, Any] = {
        "application": app,
        "spki": known.spki,
        "client": raw(asserted, "clientDataHashSha256"),
    }
    reached = verify_assertion(raw(asserted, "assertion"), counter=0, **asked)
    assert reached == asserted["counter"]
    with pytest.raises(Replayed):
        verify_assertion(raw(asserted, "assertion"), counter=reached, **asked)
    for wrong in ({"application": app + "x"}, {"client": b"\0" * 32}):
        with pytest.raises(NotAuthentic):
            verify_assertion(raw(asserted, "assertion"), counter=0, **(asked | wrong))


@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize(
    "wrong", [{"application": "A.b"}, {"identifier": b"\0" * 32}, {"client": b"\0" * 32}]
)
def test_an_attestation_for_something_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAuthentic):
        attest(sample(FILES[0]), **wrong)


def test_an_attestation_under_another_root_is_refused() -> None:
    other = (
        published("android-attestation", "android") / "testdata" / "p256_sha384_intermediate.pem"
    )
    with pytest.raises(NotAuthentic, match="root"):
        attest(sample(FILES[0]), roots=certificates_in(other.read_bytes())[-1:])


def test_no_changed_octet_of_an_attestation_passes() -> None:
    found = sample(FILES[0])
    whole = bytearray(raw(found["attestation"], "attestation"))
    receipt = range(whole.find(b"greceipt"), whole.find(b"hauthData"))
    assert len(receipt) > 1000
    for place in range(0, len(whole), 7):
        if place in receipt:
            continue  # the receipt is opaque: Apple signs it, we keep it
        whole[place] ^= 0x01
        with pytest.raises((NotAuthentic, Malformed)):
            attest(found, attested=bytes(whole))
        whole[place] ^= 0x01
    assert attest(found, attested=bytes(whole)).spki


def test_a_development_key_is_refused_by_the_shipped_policy() -> None:
    found = sample(FILES[0])
    evidence = attest(found).evidence
    made = datetime.fromisoformat(found["attestation"]["timestamp"]).timestamp()
    subject = Subject(
        challenge=b64url(raw(found["attestation"], "clientDataHashSha256")),
        attested=evidence.attested,
        presented_at=int(made) * 1000,
    )
    policy = shipped_policy()
    refused = appraise(evidence, subject, policy)
    assert [one.rule for one in refused.reasons] == ["environment"]
    both = replace(policy, environments=("production", "development"))
    assert appraise(evidence, subject, both).outcome is Outcome.ACCEPTED
    late = replace(subject, presented_at=subject.presented_at + 30 * 86_400_000)
    assert [one.rule for one in appraise(evidence, late, both).reasons] == ["validity"]
