"""The attestations lead from each row to what was seen, and score nothing that nobody saw."""

import json
from typing import Any

from tests.unit.process.conformance.bundles import CERTIFIED, DOSSIER, evaluated, made
from tests.unit.process.conformance.pictures import NOW

from tallystick.kernel.codec import encode_canonical, from_plain, to_plain
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import picture_of
from tallystick.process.conformance.bundle.contents import ATTESTATIONS, CERTIFICATES
from tallystick.process.conformance.certified import Evaluated, Standing
from tallystick.process.conformance.findings import State, counts
from tallystick.process.conformance.tables import audit_workbook
from tallystick.process.isms.certificates import EvaluationCertificate

BUNDLE = made()
DOCUMENT: dict[str, Any] = json.loads(BUNDLE.files[ATTESTATIONS])
PICTURE = picture_of(BUNDLE.basis, catalogue(), file="evidence.json", digest="0" * 64)


def references(value: object) -> set[str]:
    """Everything that a document calls by `bom-ref`."""
    if isinstance(value, dict):
        own = {value["bom-ref"]} if "bom-ref" in value else set[str]()
        return own.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set[str]().union(*(references(one) for one in value))
    return set()


def test_every_reference_leads_somewhere() -> None:
    known = references(DOCUMENT)
    said = DOCUMENT["declarations"]
    (attestation,) = said["attestations"]
    asked = {attestation["assessor"]}
    for one in attestation["map"]:
        asked |= {one["requirement"], *one.get("claims", ()), *one.get("counterClaims", ())}
    for one in said["claims"]:
        asked |= {one["target"], *one.get("evidence", ()), *one.get("counterEvidence", ())}
    (standard,) = DOCUMENT["definitions"]["standards"]
    for one in standard["requirements"]:
        asked |= {one["parent"]} if "parent" in one else set()
    for one in standard["levels"]:
        asked |= set(one["requirements"])
    assert asked <= known, asked - known
    used = {name for one in said["claims"] for part in ("evidence", "counterEvidence")
            for name in one.get(part, ())}  # fmt: skip
    assert used == {one["bom-ref"] for one in said["evidence"]}


def test_each_row_that_applies_is_there_once_and_is_scored_as_it_was_found() -> None:
    (attestation,) = DOCUMENT["declarations"]["attestations"]
    mapped = {one["requirement"]: one for one in attestation["map"]}
    assert list(mapped) == [one.requirement for one in PICTURE.findings]
    scores = {State.SATISFIED: 1, State.NOT_SATISFIED: 0}
    for one in PICTURE.findings:
        row = mapped[one.requirement]
        assert row["conformance"].get("score") == scores.get(one.state), one.requirement
        assert row["conformance"]["rationale"].startswith(one.state.value)
        assert ("claims" in row) == (one.underneath is State.SATISFIED)
    total = len(PICTURE.findings)
    for name, count in counts(PICTURE.findings).items():
        assert f"{name}: {count} of {total}" in attestation["summary"]
    assert "%" not in attestation["summary"]


def test_evidence_names_the_run_in_the_log_and_the_events_it_rests_on() -> None:
    said = {one["description"].partition(":")[0]: one["data"]
            for one in DOCUMENT["declarations"]["evidence"]}  # fmt: skip
    names = [one["name"] for one in said["pin.wrong"]]
    assert names[1] == "event 5 of test-wallet/tally/1 records the run"
    assert names[2] == "rests on events 2, 4 of test-wallet/tally/1"
    assert {one["contents"]["url"] for data in said.values() for one in data} == {
        "evidence.json",
        "proofs.json",
    }


def test_certificates_and_documents_are_resources_with_their_digests() -> None:
    results = json.loads(BUNDLE.files["assessment-results.json"])["assessment-results"]
    found = {
        props["certificate"] if props["sort"] == "certificate" else props["file"]: props
        for one in results["back-matter"]["resources"]
        if (props := {prop["name"]: prop["value"] for prop in one.get("props", ())})
    }
    assert list(found) == ["minutes.txt", "CC-1", "CC-2"]
    assert found["minutes.txt"]["sha256"] == DOSSIER.documents[0].sha256
    assert found["CC-1"]["standing"] == "in-force"
    assert found["CC-1"]["covers-sha256-1"] == "ab" * 32
    assert found["CC-2"]["withdrawn-because"] == "its scheme took it back"
    (attested,) = (
        one
        for one in results["results"][0]["observations"]
        if one["title"] == "document/MFS-6.1-01"
    )
    resources = {one["uuid"]: one["title"] for one in results["back-matter"]["resources"]}
    links = [resources[one["href"][1:]] for one in attested["relevant-evidence"]]
    assert links == ["Every observation, whole", "Minutes of the board"]


def test_a_certificate_is_what_officers_signed_octet_for_octet() -> None:
    signed = EvaluationCertificate(
        id="CC-1", component="module", scheme="cc", level="EAL4", valid_from=1, valid_to=2
    )
    shown = from_plain(to_plain(signed), Evaluated)
    assert encode_canonical(shown) == encode_canonical(signed)
    assert from_plain(to_plain(shown), EvaluationCertificate) == signed


def test_a_certificate_stands_until_it_ends_or_is_withdrawn() -> None:
    first, second = CERTIFIED
    ending = first.certificate.valid_to
    assert [first.standing(at) for at in (0, 1, ending - 1, ending)] == [
        Standing.NOT_BEGUN, Standing.IN_FORCE, Standing.IN_FORCE, Standing.ENDED,
    ]  # fmt: skip
    assert second.standing(second.withdrawn_at - 1) is Standing.IN_FORCE
    assert second.standing(second.withdrawn_at) is Standing.WITHDRAWN
    assert second.events() == (8, 9)
    other = replace(first, certificate=evaluated("CC-1", valid_to=NOW + 2 * DAY_MS))
    assert other.certificate.file() != first.certificate.file()


def test_the_tables_have_them_too() -> None:
    table = BUNDLE.files[CERTIFICATES].decode().splitlines()
    assert len(table) == 3
    assert "CC-2" in table[2]
    assert "withdrawn" in table[2]
    assert audit_workbook(PICTURE) != audit_workbook(replace_certificates())


def replace_certificates():
    basis = replace(BUNDLE.basis, certificates=())
    return picture_of(basis, catalogue(), file="evidence.json", digest="0" * 64)
