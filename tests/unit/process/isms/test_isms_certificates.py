"""Trust in a certificate ends at once, is capped by recognition, and is said in words."""

import json

import pytest

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.certificates import (
    EvaluationCertificate,
    Withdrawal,
    of_programme,
    read_certificate,
    trust,
)
from tallystick.process.isms.seccerts import read_seccerts
from tallystick.process.programme.model import Certificate
from tallystick.process.programme.words import Strength
from tallystick.process.yamltext.quantities import day_ms

NOW = Instant(day_ms("2026-11-26"))
CERTIFICATE = EvaluationCertificate(
    id="BSI-DSZ-CC-1107-2024",
    component="secure element",
    scheme="cc",
    level="EAL5",
    van="AVA_VAN.5",
    issuer="DE",
    valid_from=NOW - 100 * DAY_MS,
    valid_to=NOW + 100 * DAY_MS,
)


def test_a_certificate_in_its_time_is_worth_its_level() -> None:
    found = trust(CERTIFICATE, NOW)
    assert (found.strength, found.wire) == (Strength.HIGH, "iso_18045_high")
    assert found.mapped


@pytest.mark.requirement("MFS-9.1-01")
def test_an_end_lowers_trust_in_the_very_millisecond() -> None:
    end = CERTIFICATE.valid_to
    assert trust(CERTIFICATE, Instant(end - 1)).strength is Strength.HIGH
    assert trust(CERTIFICATE, Instant(end)).strength is Strength.NONE
    assert "ended at" in trust(CERTIFICATE, Instant(end)).says
    assert trust(CERTIFICATE, Instant(CERTIFICATE.valid_from - 1)).strength is Strength.NONE


@pytest.mark.requirement("MFS-9.1-03")
def test_a_withdrawal_lowers_trust_at_once_and_concerns_its_own_certificate_only() -> None:
    gone = Withdrawal(certificate=CERTIFICATE.id, at=NOW, because="a new attack")
    assert trust(CERTIFICATE, Instant(NOW - 1), withdrawn=gone).strength is Strength.HIGH
    assert trust(CERTIFICATE, NOW, withdrawn=gone).strength is Strength.NONE
    assert "a new attack" in trust(CERTIFICATE, NOW, withdrawn=gone).says
    other = replace(gone, certificate="another-one")
    assert trust(CERTIFICATE, NOW, withdrawn=other).strength is Strength.HIGH


@pytest.mark.requirement("MFS-9.1-03", "MFS-9.3-02")
def test_a_component_that_was_changed_is_not_the_one_that_was_evaluated() -> None:
    bound = replace(CERTIFICATE, digests=("a" * 64, "b" * 64))
    assert trust(bound, NOW, deployed="b" * 64).strength is Strength.HIGH
    assert trust(bound, NOW, deployed="c" * 64).strength is Strength.NONE
    assert "not what was evaluated" in trust(bound, NOW, deployed="c" * 64).says


@pytest.mark.requirement("MFS-9.4-01")
def test_an_unknown_scheme_is_worth_nothing_and_that_is_said() -> None:
    found = trust(replace(CERTIFICATE, scheme="somebody-says-so"), NOW)
    assert (found.strength, found.mapped) == (Strength.NONE, False)
    assert "does not know somebody-says-so EAL5 AVA_VAN.5" in found.says


def test_a_scheme_that_ended_takes_its_validations_with_it() -> None:
    old = replace(CERTIFICATE, scheme="fips-140-2", level="3", van="")
    assert trust(old, Instant(day_ms("2026-09-22") - 1)).strength is Strength.BASIC
    assert trust(old, NOW).strength is Strength.NONE
    assert trust(replace(old, scheme="fips-140-3"), NOW).strength is Strength.ENHANCED_BASIC


@pytest.mark.requirement("MFS-9.4-01")
@pytest.mark.parametrize(
    ("arrangement", "issuer", "profile", "worth"),
    [
        ("ccra", "DE", "", Strength.BASIC),
        ("ccra", "DE", "a shared profile", Strength.ENHANCED_BASIC),
        ("sog-is", "DE", "", Strength.ENHANCED_BASIC),
        ("sog-is", "DE", "a shared profile", Strength.HIGH),
        ("sog-is", "KR", "a shared profile", Strength.NONE),
        ("eucc", "DE", "", Strength.NONE),
        ("nobody", "DE", "", Strength.NONE),
    ],
)
def test_recognition_bounds_what_a_certificate_of_others_is_worth(
    arrangement: str, issuer: str, profile: str, worth: Strength
) -> None:
    one = replace(CERTIFICATE, recognition=arrangement, issuer=issuer, protection_profile=profile)
    assert trust(one, NOW).strength is worth


def test_a_certificate_of_the_programme_is_judged_alike() -> None:
    named = Certificate(
        id="CC-2024/01", scheme="cc", level="EAL4", van="", protection_profile="", valid_to=NOW + 1
    )
    assert trust(of_programme(named, "tee"), NOW).strength is Strength.ENHANCED_BASIC


TEXT = f"""
id: CMVP-4711
component: Example module
scheme: fips-140-3
level: "3"
scope: firmware 2.1 in approved mode
valid_from: 2025-01-01
valid_to: 2030-01-01
digests: ["{"0" * 64}"]
"""


def test_a_person_writes_a_certificate_as_text() -> None:
    found = read_certificate(TEXT)
    assert found.digests == ("0" * 64,)
    assert trust(found, NOW).wire == "iso_18045_enhanced-basic"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('level: "3"', "lvl: 3", "no word 'lvl'"),
        ("valid_to: 2030-01-01", "valid_to: 2024-01-01", "valid_to is after valid_from"),
        ("valid_to: 2030-01-01", "valid_to: 2030-02-30", "no day"),
        ("0" * 64, "0" * 63, "digests"),
        ("CMVP-4711", "x", r"\$\.id"),
    ],
)
def test_a_defect_in_the_text_is_named(before: str, after: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_certificate(TEXT.replace(before, after))


def exported(sort: str, **fields: object) -> dict[str, object]:
    return {
        "_type": f"sec_certs.sample.{sort}",
        "dgst": "00",
        "name": "A chip, with a comma",
        "scheme": "FR",
        "status": "active",
        "security_level": {"_type": "Set", "elements": ["ALC_FLR.2", "EAL4+", "AVA_VAN.5"]},
        "not_valid_before": "2025-01-01",
        "not_valid_after": "2030-01-01",
        "protection_profiles": {"_type": "Set", "elements": [{"pp_name": "PP 84"}]},
        "heuristics": {"cert_id": "ANSSI-CC-2025/01"},
        **fields,
    }


FIPS = {
    "_type": "sec_certs.sample.fips.FIPSCertificate",
    "cert_id": 4711,
    "web_data": {
        "module_name": "Example HSM",
        "standard": "FIPS 140-3",
        "level": 3,
        "status": "active",
        "validation_history": [{"date": "2025-06-01", "lab": "A LAB"}],
        "date_sunset": "2030-06-01",
        "caveat": "in approved mode",
    },
}


def read(*rows: object):
    return read_seccerts(json.dumps({"certs": rows}).encode())


@pytest.mark.requirement("MFS-9.4-01")
def test_certificates_of_three_schemes_come_out_of_an_export() -> None:
    criteria = exported("cc.CCCertificate")
    european = exported(
        "eucc.EUCCCertificate",
        cert_id="CERTIFICATE EUCC-3087-2025-12-0001",
        heuristics={"cert_id": None},
        security_level={"_type": "Set", "elements": ["EAL6"]},
    )
    found = read(criteria, european, FIPS)
    assert not found.left
    assert not found.withdrawn
    assert [(one.id, one.level, one.van) for one in found.certificates] == [
        ("ANSSI-CC-2025/01", "EAL4", "AVA_VAN.5"),
        ("EUCC-3087-2025-12-0001", "EAL6", ""),
        ("CMVP-4711", "3", ""),
    ]
    worth = [trust(one, NOW).strength for one in found.certificates]
    assert worth == [Strength.HIGH, Strength.HIGH, Strength.ENHANCED_BASIC]
    assert found.certificates[0].protection_profile == "PP 84"
    assert found.certificates[2].laboratory == "A LAB"


def test_what_its_scheme_gave_up_comes_with_its_withdrawal() -> None:
    revoked = {**FIPS, "web_data": {**FIPS["web_data"], "status": "revoked",
                                    "revoked_reason": "wrong tests"}}  # fmt: skip
    found = read(revoked, exported("cc.CCCertificate", status="archived"))
    first, second = found.withdrawn
    assert (first.certificate, first.because) == ("CMVP-4711", "wrong tests")
    assert second.because == "its scheme says archived"
    for one, gone in zip(found.certificates, found.withdrawn, strict=True):
        assert trust(one, NOW, withdrawn=gone).strength is Strength.NONE


def test_what_cannot_be_taken_is_left_and_named() -> None:
    nothing = exported("cc.CCCertificate", security_level={"_type": "Set", "elements": []})
    undated = exported("cc.CCCertificate", not_valid_after=None)
    ancient = exported("cc.CCCertificate", not_valid_before="1900-01-02")
    found = read(nothing, undated, ancient, {"_type": "other"}, 7)
    assert not found.certificates
    assert len(found.left) == 5
    assert "names no level" in found.left[0]
    assert all("day" in one for one in found.left[1:3])


@pytest.mark.parametrize("octets", [b"{", b"[]", b"{}", b'{"certs": 1}'])
def test_what_is_no_export_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read_seccerts(octets)


def test_one_certificate_is_an_export_too() -> None:
    assert len(read_seccerts(json.dumps(FIPS).encode()).certificates) == 1
