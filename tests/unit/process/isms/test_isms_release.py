"""A release goes out only whole: bill, review, tests, scans, signature; each lack is named."""

import json
from hashlib import sha256

import pytest
from tests.unit.process.isms.kept import NOW, TEXTS, kept

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.certificates import EvaluationCertificate
from tallystick.process.isms.release import Brought, judge, read_release, record_of
from tallystick.process.isms.sbom import read_bill, read_scan, read_tests

ARTIFACT = b"the built thing"
DIGEST = sha256(ARTIFACT).hexdigest()
TEXT = """
component: gateway
version: "1.4"
artifact: gateway.whl
bill: bill.json
tests: junit.xml
scans: [scan.sarif]
author: ann
reviewed_by: [ben]
reviewed: 2026-11-20
"""
BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "component": {
            "name": "gateway",
            "version": "1.4",
            "hashes": [{"alg": "SHA-256", "content": DIGEST.upper()}],
        }
    },
    "components": [
        {"name": "a", "version": "1", "components": [{"name": "b", "version": "2"}]},
    ],
}
GRAVE = {"id": "CVE-2026-1", "ratings": [{"severity": "high"}]}
TESTS = b"<testsuites><testsuite><testcase name='a'/><testcase name='b'/></testsuite></testsuites>"
SCAN = {"version": "2.1.0", "runs": [{"results": [{"ruleId": "r", "level": "warning"}]}]}
PLAN = read_release(TEXT)


def brought(bill: object = BILL, tests: bytes = TESTS, scan: object = SCAN) -> Brought:
    octets = json.dumps(bill).encode(), json.dumps(scan).encode()
    return Brought(artifact=ARTIFACT, bill=octets[0], tests=tests, scans=(octets[1],))


def missing(plan=PLAN, files: Brought | None = None, now: int = NOW, **more) -> dict[str, str]:
    given = files or brought()
    signed = more.pop("signed", record_of(plan, given))
    found = judge(plan, given, Instant(now), signed=signed, **{"registers": kept(), **more})
    return {one.what: one.says for one in found if not one.passed}


@pytest.mark.requirement("MFS-6.2.2-05")
def test_a_whole_release_lacks_nothing() -> None:
    assert missing() == {}
    assert read_bill(brought().bill).parts == 2


@pytest.mark.requirement("MFS-6.2.2-05")
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"author": "ben"}, "review"),
        ({"reviewed_by": ()}, "review"),
        ({"reviewed": NOW - 31 * DAY_MS}, "review"),
        ({"reviewed": NOW + 1}, "review"),
        ({"version": "1.5"}, "bill of materials"),
        ({"component": "other"}, "register"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(change, what: str) -> None:
    assert what in missing(replace(PLAN, **change))


@pytest.mark.requirement("MFS-7.2.5-01")
@pytest.mark.requirement("MFS-6.2.2-05", "MFS-7.2.5-04")
@pytest.mark.threat("THR-APP-04")
@pytest.mark.parametrize(
    ("files", "what"),
    [
        (brought(bill={**BILL, "vulnerabilities": [GRAVE]}), "vulnerabilities"),
        (brought(bill={**BILL, "vulnerabilities": [{"id": "X"}]}), "vulnerabilities"),
        (brought(bill={**BILL, "components": []}), "bill of materials"),
        (brought(bill={**BILL, "components": [{"name": "a"}]}), "bill of materials"),
        (brought(bill={**BILL, "metadata": {}}), "bill of materials"),
        (brought(tests=b"<testsuite/>"), "tests"),
        (brought(tests=b"<testsuite><testcase><failure/></testcase></testsuite>"), "tests"),
        (brought(tests=b"<testsuite><testcase><skipped/></testcase></testsuite>"), "tests"),
        (
            brought(scan={"version": "2.1.0", "runs": [{"results": [{"level": "error"}]}]}),
            "scans",
        ),
    ],
)
def test_a_file_that_shows_a_fault_stops_the_release_and_cannot_pass(files, what: str) -> None:
    assert set(missing(files=files)) == {what}


def test_no_scan_is_a_lack_too() -> None:
    assert "scans" in missing(files=replace(brought(), scans=()))


@pytest.mark.parametrize("state", ["resolved", "not_affected", "false_positive"])
def test_a_vulnerability_that_was_dealt_with_does_not_stop_it(state: str) -> None:
    dealt = {**GRAVE, "analysis": {"state": state}}
    minor = {"id": "CVE-2026-2", "ratings": [{"severity": "low"}]}
    assert missing(files=brought(bill={**BILL, "vulnerabilities": [dealt, minor]})) == {}
    open_still = {**GRAVE, "analysis": {"state": "exploitable"}}
    assert missing(files=brought(bill={**BILL, "vulnerabilities": [open_still]}))


@pytest.mark.requirement("MFS-6.2.2-05")
def test_a_signature_is_over_this_artifact_and_these_files() -> None:
    assert missing(signed=None) == {"signature": "officers did not sign it"}
    other = record_of(PLAN, replace(brought(), artifact=b"another thing"))
    assert missing(signed=other) == {"signature": "officers signed something else"}
    untested = record_of(PLAN, brought(tests=b"<testsuite><testcase/></testsuite>"))
    assert set(missing(signed=untested)) == {"signature"}


@pytest.mark.requirement("MFS-9.3-02")
def test_what_goes_out_is_what_was_evaluated() -> None:
    named = TEXTS["components"].replace(
        "strength: none", "strength: none, certificate: CMVP-4711", 1
    )
    certificate = EvaluationCertificate(
        id="CMVP-4711", component="gateway", scheme="pci-mpoc", level="1.1",
        valid_from=0, valid_to=NOW + 1, digests=(DIGEST,),
    )  # fmt: skip
    registers = kept(components=named)
    assert missing(registers=registers, certificates=[certificate]) == {}
    other = replace(certificate, digests=("0" * 64,))
    assert missing(registers=registers, certificates=[other]) == {
        "evaluation": "not what CMVP-4711 evaluated"
    }


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        (read_bill, b"{"),
        (read_bill, b"[]"),
        (read_bill, b'{"bomFormat": "CycloneDX", "specVersion": "1.3"}'),
        (read_bill, b'{"spdxVersion": "SPDX-2.3"}'),
        (read_tests, b"<nothing"),
        (read_tests, b"<html/>"),
        (read_tests, b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite>&b;</testsuite>'),
        (read_scan, b'{"version": "2.0.0", "runs": []}'),
        (read_scan, b'{"version": "2.1.0"}'),
    ],
)
def test_a_file_of_another_form_is_refused_not_passed_over(read, octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets)


def test_defects_of_the_plan_are_named() -> None:
    wrong = TEXT.replace("author", "auther").replace("[ben]", "ben")
    with pytest.raises(Malformed) as refused:
        read_release(wrong)
    assert "did you mean 'author'" in refused.value.detail
    assert "reviewed_by is a list" in refused.value.detail


def test_a_suppressed_result_of_a_scan_does_not_count() -> None:
    result = {"ruleId": "r", "level": "error", "message": {"text": "bad"}}
    runs = [{"results": [result, {**result, "suppressions": [{"kind": "external"}]}]}]
    octets = json.dumps({"version": "2.1.0", "runs": runs}).encode()
    assert read_scan(octets) == ("r: bad",)
