"""The report on the command line: of a programme, of a provider, its history, on paper."""

import json
import re

import pytest
from tests.unit.entry.cli.command_line import ROOT, tallystick
from tests.unit.process.risk.pack_texts import PACK

from tallystick.entry.printing import browser
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import VerificationClass, catalogue
from tallystick.process.conformance.dossier import Document, Dossier
from tallystick.process.risk.packs import pack_in

pytest.importorskip("highspy", reason="the extra risk is not installed")
PROFILES = ROOT / "src" / "tallystick" / "process" / "programme" / "profiles"
YEARS = ("--years", 300)


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    place = tmp_path_factory.mktemp("report") / "provider"
    ran = tallystick("init", "--no-analysis", place, "--secret-out", place.with_name("secret"))
    assert ran.code == 0, ran.err
    (place / "mfs.yaml").write_text((PROFILES / "wallet-start-up.yaml").read_text())
    return place


def test_a_programme_alone_has_a_report_and_its_numbers(tmp_path) -> None:
    file = tmp_path / "mfs.yaml"
    file.write_text((PROFILES / "wallet-start-up.yaml").read_text())
    page, numbers = tmp_path / "report.html", tmp_path / "report.json"
    ran = tallystick("report", file, "--out", page, "--json", numbers, *YEARS)
    assert ran.code == 0, ran.err
    found = json.loads(numbers.read_bytes())
    assert found["versions"]["basis"] == "declared"
    assert found["versions"]["policy_digest"] == ""
    for sentence in found["summary"]:
        assert sentence in ran.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = tmp_path / "again.json"
    assert tallystick("report", tmp_path, "--out", page, "--json", again, *YEARS).code == 0
    assert not (tmp_path / "risk-history.jsonl").exists()
    assert _timeless(again.read_bytes()) == _timeless(numbers.read_bytes())


def _timeless(octets: bytes) -> bytes:
    return re.sub(rb'"(made_at|at)":\d+', b"", octets)


def test_a_provider_has_its_policy_and_a_history_of_what_changed(provider, tmp_path) -> None:
    page, numbers = tmp_path / "report.html", tmp_path / "report.json"
    asked = ("report", provider, "--out", page, "--json", numbers, *YEARS)
    ran = tallystick(*asked)
    assert ran.code == 0, ran.err
    assert "a line was added to the history" in ran.out
    found = json.loads(numbers.read_bytes())
    assert found["versions"]["policy_version"] == 1
    assert any(chain["rows"] for chain in found["trace"]["chains"])
    history = provider / "risk-history.jsonl"
    before = history.read_bytes()
    assert len(before.splitlines()) == 1
    assert "added" not in tallystick(*asked).out
    assert history.read_bytes() == before
    history.write_bytes(before.replace(b'"policy_version":1', b'"policy_version":0'))
    assert tallystick(*asked, "--no-history").code == 0
    assert len(history.read_bytes().splitlines()) == 1
    assert "added" in tallystick(*asked).out
    assert "a course needs two" not in page.read_text(encoding="utf-8")
    history.write_bytes(b"{}\n")
    ran = tallystick(*asked)
    assert ran.code == 1
    assert "line 1" in ran.err
    history.unlink()


def test_what_was_observed_counts_instead_of_what_is_declared(provider, tmp_path) -> None:
    (provider / "documents").mkdir()
    (provider / "documents" / "register.txt").write_bytes(b"kept")
    attested = [
        one.id
        for one in catalogue().requirements.values()
        if {each.by for each in one.verification} == {VerificationClass.DOCUMENT}
        and not one.prohibition
    ]
    document = Document(
        file="register.txt",
        title="register",
        sha256=sha256(b"kept").hex(),
        requirements=tuple(attested),
        owner="auditor",
        scope="all",
        issued=DAY_MS,
        valid_until=2**50,
    )
    (provider / "dossier.json").write_bytes(encode_canonical(Dossier(documents=(document,))))
    page, numbers = tmp_path / "report.html", tmp_path / "report.json"
    ran = tallystick("report", provider, "--out", page, "--json", numbers, *YEARS)
    assert ran.code == 0, ran.err
    found = json.loads(numbers.read_bytes())
    assert found["versions"]["basis"] == "observed"
    assert 0 < found["states"]["satisfied"] <= len(attested)
    controls = pack_in(PACK).controls
    for chain in found["trace"]["chains"]:
        control = controls[chain["control"]]
        on_paper = all(one.startswith("document:") for one in control.enforced_by)
        if control.observed_by:
            assert chain["seen"] != "enforced", "no probe was run"
        elif on_paper:
            assert (chain["seen"] == "enforced") == bool(set(control.requirements) & set(attested))


def test_without_a_browser_the_page_is_written_and_the_command_says_what_lacks(
    tmp_path, monkeypatch
) -> None:
    file, page = tmp_path / "mfs.yaml", tmp_path / "report.html"
    file.write_text((PROFILES / "wallet-start-up.yaml").read_text())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser() is None
    ran = tallystick("report", file, "--out", page, "--pdf", tmp_path / "report.pdf", *YEARS)
    assert ran.code == 3
    assert "no browser" in ran.err
    assert "install chromium" in ran.err
    assert page.exists()


def test_no_programme_is_said(tmp_path) -> None:
    ran = tallystick("report", tmp_path, "--out", tmp_path / "report.html")
    assert ran.code == 1
    assert "there is no programme" in ran.err
