"""The gate of a release as it is typed: officers sign the files beside it, the check agrees."""

import json
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.isms.kept import TEXTS, text
from tests.unit.process.isms.test_isms_release import ARTIFACT, BILL, SCAN, TESTS, TEXT

from tallystick.entry.proving.builds import BuildProbes
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.time import iso_utc


@pytest.fixture
def place(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    ran = tallystick(
        "init", tmp_path / "p", "--no-analysis", "--secret-out", secret,
        "--codes-file", tmp_path / "codes",
    )  # fmt: skip
    assert ran.code == 0, ran.all
    today = iso_utc(SystemClock().now())[:10]
    (tmp_path / "gateway.whl").write_bytes(ARTIFACT)
    (tmp_path / "bill.json").write_text(json.dumps(BILL))
    (tmp_path / "junit.xml").write_bytes(TESTS)
    (tmp_path / "scan.sarif").write_text(json.dumps(SCAN))
    (tmp_path / "release.yaml").write_text(TEXT.replace("2026-11-20", today))
    registers = tmp_path / "p" / "registers"
    registers.mkdir()
    (registers / "components.yaml").write_text(text("components", TEXTS["components"], today))
    return tmp_path


def sign(place: Path, officer: str = "officer-1"):
    return tallystick(
        "release", "sign", place / "release.yaml", "--officer", officer, "--key-file",
        place / "p" / "offline" / f"{officer}.key", "--secret-file", place / "secret", "--out",
        place / "release.json",
    )  # fmt: skip


def check(place: Path, *more: object):
    return tallystick("release", "check", place / "release.yaml", place / "p", *more)


@pytest.mark.requirement("MFS-6.2.2-05")
def test_a_release_that_officers_signed_may_go_out(place: Path) -> None:
    unsigned = check(place)
    assert unsigned.code == 4
    assert "officers did not sign it" in unsigned.out
    assert sign(place).code == 0
    assert "signed by 2 officers" in sign(place, "officer-2").out
    ran = check(place, "--signed", place / "release.json")
    assert ran.code == 0, ran.all
    assert "it may go out" in ran.out
    assert json.loads(check(place, "--signed", place / "release.json", "--json").out)["passed"]


@pytest.mark.requirement("MFS-6.2.2-05")
@pytest.mark.requirement("MFS-7.2.5-01")
def test_a_release_that_is_kept_is_refused_by_its_probe_once_a_file_is_another(
    place: Path,
) -> None:
    look, now = BuildProbes(Site(ProviderFolder(place / "p"), SystemClock())), SystemClock().now()
    assert look.gated(now).verdict is Verdict.UNKNOWN, "none is kept"
    sign(place)
    sign(place, "officer-2")
    kept = place / "p" / "release"
    kept.mkdir()
    for name in ("gateway.whl", "bill.json", "junit.xml", "scan.sarif", "release.yaml"):
        (kept / name).write_bytes((place / name).read_bytes())
    assert look.gated(now).verdict is Verdict.FAIL, "officers did not sign it"
    (kept / "release.json").write_bytes((place / "release.json").read_bytes())
    assert look.gated(now).verdict is Verdict.PASS
    (kept / "gateway.whl").write_bytes(ARTIFACT + b"!")
    assert look.gated(now).verdict is Verdict.FAIL


@pytest.mark.requirement("MFS-6.2.2-05", "MFS-9.3-02")
def test_a_changed_artifact_is_refused_after_the_signature(place: Path) -> None:
    sign(place)
    (place / "gateway.whl").write_bytes(ARTIFACT + b"!")
    ran = check(place, "--signed", place / "release.json")
    assert ran.code == 4
    assert "officers signed something else" in ran.out
    assert "does not name this artifact" in ran.out
    assert "it must not go out" in ran.out


def test_a_statement_about_something_else_is_no_signature(place: Path) -> None:
    ran = tallystick(
        "certificate", "withdraw", "CMVP-4711", "--because", "x", "--officer", "officer-1",
        "--key-file", place / "p" / "offline" / "officer-1.key", "--secret-file",
        place / "secret", "--out", place / "other.json",
    )  # fmt: skip
    assert ran.code == 0, ran.all
    refused = check(place, "--signed", place / "other.json")
    assert refused.code == 1
    assert "not about a release" in refused.err
