"""Evidence of a build and of documents, and what each row takes."""

from pathlib import Path

import pytest

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.catalogue.model import VerificationClass
from tallystick.process.conformance.builds import (
    Build,
    Running,
    build_observations,
    read_build,
    read_build_record,
    sign_build,
    why_not,
)
from tallystick.process.conformance.checks import CheckKind, check_of
from tallystick.process.conformance.dossier import (
    Document,
    Dossier,
    Granted,
    document_observations,
    read_dossier,
    with_dossier,
)
from tallystick.process.conformance.findings import Ground, Reason, State, findings
from tallystick.process.conformance.needs import needs
from tallystick.process.conformance.releases import build_record
from tallystick.process.conformance.sources import source_digest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEST = """import pytest
@pytest.mark.requirement("MFS-7.3.3-01")
def test_a_replay_is_refused(): ...
@pytest.mark.requirement("MFS-7.3.3-01")
@pytest.mark.requirement("MFS-7.3.2-01")
def test_b(): ...
"""
REPORT = """<testsuites><testsuite timestamp="2026-01-02T03:04:05.5+00:00">
<testcase classname="tests.test_x" name="test_a_replay_is_refused[1]"/>
<testcase classname="tests.test_x" name="test_b">{}</testcase>
</testsuite></testsuites>"""


def built(tmp_path: Path, inside: str = "", stamp: str = ""):
    (tmp_path / "tests").mkdir(exist_ok=True)
    (tmp_path / "tests" / "test_x.py").write_text(TEST)
    report = tmp_path / "junit.xml"
    text = REPORT.format(inside)
    report.write_text(text.replace("2026-01-02T03:04:05.5+00:00", stamp) if stamp else text)
    return build_record(tmp_path, report, commit=COMMIT, version="1")


def test_a_build_counts_its_tagged_tests_with_commit_and_instant(tmp_path) -> None:
    record = built(tmp_path)
    assert record.at == 1_767_323_045_500
    assert (record.passed, record.failed) == (2, 0)
    assert read_build_record(encode_canonical(record)) == record
    found = {
        o.check: o
        for o in build_observations(Build(record=record), Running(version="1"), environment="e")
    }
    assert found["build/MFS-7.3.3-01"].verdict is Verdict.PASS
    assert found["build/MFS-7.3.3-01"].attempts
    assert found["build/MFS-7.3.3-01"].measured["commit"] == COMMIT
    assert not found["build/MFS-7.3.2-01"].attempts


def test_a_failed_tagged_test_fails_its_row_and_another_version_says_nothing(tmp_path) -> None:
    record = built(tmp_path, "<failure/>")
    found = {
        o.check: o
        for o in build_observations(Build(record=record), Running(version="1"), environment="e")
    }
    assert {o.verdict for o in found.values()} == {Verdict.FAIL}
    other = build_observations(Build(record=built(tmp_path)), Running(version="2"), environment="e")
    assert {o.verdict for o in other} == {Verdict.UNKNOWN}
    skipped = build_observations(
        Build(record=built(tmp_path, "<skipped/>")), Running(version="1"), environment="e"
    )
    assert {o.check: o.verdict for o in skipped}["build/MFS-7.3.2-01"] is Verdict.UNKNOWN


def said(build: Build, running: Running) -> dict[str, Verdict]:
    return {o.check: o.verdict for o in build_observations(build, running, environment="e")}


def test_a_build_of_other_source_or_of_a_changed_tree_says_nothing(tmp_path) -> None:
    record = replace(built(tmp_path), source="a" * 64)
    here = Running(version="1", source="a" * 64)
    assert set(said(Build(record=record), here).values()) == {Verdict.PASS}
    for other in (
        Build(record=replace(record, source="b" * 64)),
        Build(record=replace(record, source="")),
        Build(record=replace(record, changed=True)),
    ):
        assert why_not(other, here)
        assert set(said(other, here).values()) == {Verdict.UNKNOWN}
    failed = replace(built(tmp_path, "<failure/>"), source="a" * 64, changed=True)
    assert set(said(Build(record=failed), here).values()) == {Verdict.FAIL}, "of a changed tree too"
    elsewhere = Build(record=replace(failed, source="b" * 64))
    assert set(said(elsewhere, here).values()) == {Verdict.UNKNOWN}


@pytest.mark.requirement("MFS-9.3-02")
def test_a_build_counts_under_the_signature_that_is_asked_for_alone(tmp_path) -> None:
    record, key = built(tmp_path), Ed25519SigningKey.generate()
    named = key.public().octets().hex()
    octets = sign_build(record, key)
    assert read_build(octets) == Build(record=record, signer=named)
    asked = Running(version="1", signer=named)
    assert set(said(read_build(octets), asked).values()) == {Verdict.PASS}
    other = read_build(sign_build(record, Ed25519SigningKey.generate()))
    for build in (other, read_build(encode_canonical(record))):
        assert set(said(build, asked).values()) == {Verdict.UNKNOWN}
    with pytest.raises(NotAuthentic):
        read_build(octets.replace(b'"failed":0', b'"failed":1', 1))


def test_of_two_reports_one_failure_counts(tmp_path) -> None:
    built(tmp_path)
    again = tmp_path / "again.xml"
    again.write_text(REPORT.format("<failure/>"))
    both = (tmp_path / "junit.xml", again)
    record = build_record(tmp_path, both, commit=COMMIT, version="1")
    rows = {one.requirement: one for one in record.requirements}
    assert (rows["MFS-7.3.2-01"].passed, rows["MFS-7.3.2-01"].failed) == (0, 1)


def test_source_has_one_digest_wherever_it_lies(tmp_path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "inner").mkdir(parents=True)
        (tmp_path / place / "inner" / "a.py").write_text("x = 1")
    one = source_digest(tmp_path / "one")
    assert one == source_digest(tmp_path / "two")
    (tmp_path / "two" / "__pycache__").mkdir()
    (tmp_path / "two" / "__pycache__" / "a.pyc").write_bytes(b"made")
    assert source_digest(tmp_path / "two") == one
    (tmp_path / "two" / "inner" / "a.py").write_text("x = 2")
    assert source_digest(tmp_path / "two") != one
    with pytest.raises(NotFound):
        source_digest(tmp_path / "none")


def test_what_probes_show_in_part_takes_a_document_for_the_rest() -> None:
    row = "MFS-6.2.3-02"
    less = check_of("edge", CheckKind.NEGATIVE, (row,), "refused", part=(row,))
    (need,) = needs(catalogue(), (less,), only=(row,))
    assert [check.id for check in need.checks] == ["edge", f"document/{row}"]
    whole = check_of("zones", CheckKind.NEGATIVE, (row,), "refused")
    (need,) = needs(catalogue(), (less, whole), only=(row,))
    assert [check.id for check in need.checks] == ["edge", "zones"]


@pytest.mark.parametrize("stamp", ["2026-01-02T03:04:05", "yesterday"])
def test_a_report_without_a_whole_instant_is_refused(tmp_path, stamp: str) -> None:
    with pytest.raises(Malformed):
        built(tmp_path, stamp=stamp)


TEXT = b"the board's minutes"
PAPER = Document(
    file="minutes.txt",
    title="Minutes",
    sha256=sha256(TEXT).hex(),
    requirements=("MFS-6.1-01",),
    owner="board",
    scope="wallet",
    issued=10,
    valid_until=100,
)


def test_a_document_counts_if_it_is_there_as_attested_and_in_force() -> None:
    dossier = read_dossier(encode_canonical(Dossier(documents=(PAPER,))), catalogue())

    def verdict(octets: bytes | None) -> Verdict:
        (one,) = document_observations(dossier, lambda _: octets, now=50, environment="e")
        assert one.fresh_until == 100
        return one.verdict

    assert verdict(TEXT) is Verdict.PASS
    assert verdict(None) is Verdict.UNKNOWN
    assert verdict(b"another") is Verdict.FAIL


GRANTED = Granted(requirement="MFS-6.1-01", who="board", why="late", since=1, until=9)


@pytest.mark.parametrize(
    "bad",
    [
        Dossier(v=2),
        Dossier(exceptions=(replace(GRANTED, requirement="MFS-6.1-99"),)),
        Dossier(exceptions=(replace(GRANTED, until=1),)),
        Dossier(exceptions=(replace(GRANTED, why=""),)),
        Dossier(documents=(replace(PAPER, valid_until=10),)),
        Dossier(documents=(replace(PAPER, requirements=()),)),
        Dossier(documents=(replace(PAPER, file="../minutes"),)),
    ],
)
def test_a_dossier_that_leaves_something_open_is_refused(bad: Dossier) -> None:
    with pytest.raises(Malformed):
        read_dossier(encode_canonical(bad), catalogue())


def test_each_row_takes_a_check_of_every_sort_that_it_is_verified_by() -> None:
    probe = check_of("pin", CheckKind.NEGATIVE, ("MFS-7.3.2-01",), "refused")
    rows = catalogue().requirements
    for need in needs(catalogue(), (probe,)):
        row = rows[need.requirement]
        ids = {check.id for check in need.checks}
        assert ids, row.id
        if row.verified_by(VerificationClass.TEST):
            assert f"build/{row.id}" in ids
        if row.verified_by(VerificationClass.DOCUMENT):
            assert f"document/{row.id}" in ids
        if row.verified_by(VerificationClass.PROBE) and row.id != "MFS-7.3.2-01":
            assert f"probe/{row.id}" in ids
    assert len(needs(catalogue(), ())) == 250
    assert [need.requirement for need in needs(catalogue(), (), only=("MFS-6.1-01",))] == [
        "MFS-6.1-01"
    ]


def test_a_row_without_any_evidence_is_stale_and_an_exception_lapses() -> None:
    wanted = needs(catalogue(), (), only=("MFS-6.1-01",))
    ground = with_dossier(Ground(needs=wanted, history=()), Dossier(exceptions=(GRANTED,)))
    assert findings(ground, 8)[0].state is State.EXCEPTED
    lapsed = findings(ground, 9)[0]
    assert (lapsed.state, lapsed.reason) == (State.STALE, Reason.ABSENT)
    assert lapsed.missing


def test_freshness_is_of_the_kind_unless_said() -> None:
    assert check_of("a", CheckKind.POSITIVE, ("MFS-6.1-01",), "x").freshness_ms == DAY_MS
    assert check_of("a", CheckKind.STATIC, ("MFS-6.1-01",), "x", freshness_ms=5).freshness_ms == 5
