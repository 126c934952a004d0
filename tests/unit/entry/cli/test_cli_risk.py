"""Risk on the command line: run, show and explain; and what is said where the extra lacks."""

import json
import sys

import pytest
from tests.unit.entry.cli.command_line import ROOT, tallystick

PROFILES = ROOT / "src" / "tallystick" / "process" / "programme" / "profiles"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("highspy", reason="the extra risk is not installed")
    place = tmp_path_factory.mktemp("provider")
    (place / "mfs.yaml").write_text((PROFILES / "wallet-start-up.yaml").read_text())
    ran = tallystick("risk", "run", place, "--years", 500)
    assert ran.code == 4, ran.err
    assert "no cheaper set exists" in ran.out
    assert "loss of a year" in ran.out
    return place


def test_the_result_is_written_and_shown_again(folder) -> None:
    octets = (folder / "risk.json").read_bytes()
    found = json.loads(octets)
    shown = tallystick("risk", "show", folder)
    assert shown.code == 0
    assert found["programme"] in shown.out
    assert found["findings"][0]["id"] in shown.out
    assert tallystick("risk", "show", folder, "--json").out.encode() == octets + b"\n"
    again = tallystick("risk", "run", folder, "--years", 500, "--json")
    assert again.out.encode() == octets + b"\n"


def test_a_control_a_finding_and_a_requirement_are_explained(folder) -> None:
    found = json.loads((folder / "risk.json").read_bytes())
    control = next(one for one in found["selection"]["chosen"] if one["paths"])
    ran = tallystick("risk", "explain", control["control"], folder)
    assert control["paths"][0] in ran.out
    rejected = found["selection"]["rejected"][0]["control"]
    assert "not chosen" in tallystick("risk", "explain", rejected, folder).out
    finding = found["findings"][0]
    ran = tallystick("risk", "explain", finding["id"], folder)
    assert finding["path"] in ran.out
    assert "as designed" in ran.out
    requirement = next(iter(found["treatments"]))
    assert requirement in tallystick("risk", "explain", requirement, folder).out
    told = json.loads(tallystick("risk", "explain", finding["id"], folder, "--json").out)
    assert any(finding["id"] in title for title in told)


def test_what_the_result_does_not_have_is_answered_with_the_nearest(folder) -> None:
    found = json.loads((folder / "risk.json").read_bytes())
    name = found["selection"]["chosen"][0]["control"]
    ran = tallystick("risk", "explain", name[:-1], folder)
    assert ran.code == 1
    assert name in ran.err


def test_a_programme_or_result_that_is_not_there_is_said(tmp_path) -> None:
    assert "tallystick init" in tallystick("risk", "run", tmp_path).err
    assert "tallystick risk run" in tallystick("risk", "show", tmp_path).err


def test_a_missing_extra_is_named(tmp_path, monkeypatch) -> None:
    (tmp_path / "mfs.yaml").write_text((PROFILES / "wallet-start-up.yaml").read_text())
    monkeypatch.setitem(sys.modules, "highspy", None)
    ran = tallystick("risk", "run", tmp_path)
    assert ran.code == 3
    assert "tallystick[risk]" in ran.err
    assert not (tmp_path / "risk.json").exists()


def test_a_control_that_the_pack_does_not_have_is_refused_with_its_place(folder, tmp_path) -> None:
    text = (folder / "mfs.yaml").read_text()
    assert "in_place: []" in text
    changed = text.replace("in_place: []", "in_place: [hardware-modul]")
    (tmp_path / "mfs.yaml").write_text(changed)
    ran = tallystick("risk", "run", tmp_path, "--years", 100)
    assert ran.code == 1
    assert "line " in ran.err
    assert "hardware-modul" in ran.err
