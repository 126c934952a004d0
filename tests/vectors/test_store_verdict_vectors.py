"""Published verdicts of an app store, and the hashes that a phone asks with; keys are test keys."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey
from tests.support.attested import rules_of

from tallystick.infrastructure.attestation.play.verdict import VerdictKeys
from tallystick.infrastructure.crypto.credential import credential_of_spki
from tallystick.infrastructure.envelope.schedule import keys_challenge, proof_challenge
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import App
from tallystick.process.attestation.presenting import judged_by_service
from tallystick.process.attestation.reading import shipped_policy

FILE = Path(__file__).resolve().parents[2] / "vectors" / "store-verdicts.json"
CASES: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
KEYS = VerdictKeys(
    package=CASES["package"],
    decryption=Secret(b64decode(CASES["decryption"])),
    verification=credential_of_spki(b64decode(CASES["verification"])),
)
POLICY = replace(
    shipped_policy(), apps=(App(package=CASES["package"], signers=tuple(CASES["signers"])),)
)
TOLD = bytes.fromhex(CASES["challenge"])
ENROLMENT = keys_challenge(
    TOLD, b64url_decode(CASES["possession"]), b64url_decode(CASES["consent"])
)


def broken(verdict: str, asked: bytes) -> set[str]:
    """What does not hold of a verdict: its error, or the rules of its appraisal."""
    try:
        found = judged_by_service(verdict, asked, CASES["now"], (KEYS,))
    except (NotAuthentic, Malformed) as error:
        return {error.code}
    return rules_of(appraise(found.evidence, found.subject, POLICY))


def test_the_hashes_are_those_of_the_vector() -> None:
    assert CASES["request_hash"]["enrolment"] == b64url(ENROLMENT)
    assert CASES["request_hash"]["on_demand"] == b64url(proof_challenge(TOLD, CASES["device"]))


def test_an_independent_reader_finds_the_same_inside() -> None:
    wrapping = OctKey.import_key(b64decode(CASES["decryption"]))
    inner = jwe.decrypt_compact(CASES["verdicts"]["enrolment"], wrapping).plaintext
    assert inner is not None
    public = ECKey.import_key(
        b"-----BEGIN PUBLIC KEY-----\n"
        + CASES["verification"].encode()
        + b"\n-----END PUBLIC KEY-----\n"
    )
    assert json.loads(jws.deserialize_compact(inner, public).payload) == CASES["inside"]


@pytest.mark.requirement("MFS-7.2.5-02")
def test_genuine_verdicts_hold_for_what_they_answer_and_for_nothing_else() -> None:
    demand = proof_challenge(TOLD, CASES["device"])
    assert broken(CASES["verdicts"]["enrolment"], ENROLMENT) == set()
    assert broken(CASES["verdicts"]["on_demand"], demand) == set()
    assert broken(CASES["verdicts"]["on_demand"], ENROLMENT) == {"challenge"}
    assert broken(CASES["verdicts"]["enrolment"], demand) == {"challenge"}


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize("case", CASES["wrong"], ids=lambda one: one["name"])
def test_a_wrong_verdict_breaks_what_the_vector_says(case: dict[str, str]) -> None:
    assert broken(case["verdict"], ENROLMENT) == {case["holds_not"]}
