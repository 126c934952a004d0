"""Figures that stand beside another program, and how a run is told: honest where it is missing."""

import json
import re
import sys
from pathlib import Path

import pytest
from bench import __main__ as program
from bench import approval, approval_beside, attestation, hashing, privacyidea
from bench.approval import Ours
from bench.approval_beside import SHIPPED, TRIVIAL, Done, hotp
from bench.machine import ROOT
from bench.privacyidea import PeerMissing

PAGE = (ROOT / "docs" / "reference" / "figures.md").read_text(encoding="utf-8")
OURS = Ours(rates=[900.0, 1000.0, 1100.0], cpu_us=[1000.0], steps=[[1, 2, 3]], latencies=[4.0, 5.0])


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place for the peer where there is none yet."""
    place = tmp_path / "peer"
    monkeypatch.setattr(privacyidea, "PLACE", place)
    return place


def test_the_codes_are_those_of_the_rfc() -> None:
    found = [hotp(b"12345678901234567890", counter) for counter in range(10)]
    assert found == [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ]  # fmt: skip


def test_everything_that_the_peer_installs_is_pinned_by_hashes() -> None:
    text = privacyidea.LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9_.-]+)(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    for name, rest in pins:
        assert rest.startswith("=="), name
        assert "--hash=sha256:" in rest, name
    assert privacyidea.version_of() in text


def test_a_peer_that_is_there_is_not_installed_again(nowhere: Path, monkeypatch) -> None:
    nowhere.mkdir()
    digest = privacyidea.sha256(privacyidea.LOCK.read_bytes()).hexdigest()
    (nowhere / "lock.sha256").write_text(digest)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert privacyidea.install() == nowhere
    (nowhere / "lock.sha256").write_text("of another lock")
    with pytest.raises(PeerMissing):
        privacyidea.install()
    assert not (nowhere / "lock.sha256").exists()


@pytest.mark.usefixtures("nowhere")
def test_without_the_peer_every_line_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    found = approval.peer(SHIPPED, quick=True)
    assert "NOT measured" in capsys.readouterr().out
    rows = approval._rows(SHIPPED, OURS, 3, found)
    assert len(rows) == 2, "nothing is said of codes beside codes"
    for row in rows:
        assert "NOT MEASURED HERE" in row["load"]
        assert "/nowhere/python" in row["load"]
    assert rows[0]["value"] == pytest.approx(1000 / 1.54, abs=0.1)
    assert rows[1]["value"] == pytest.approx(700.0)


@pytest.mark.parametrize(("rate", "met"), [(24.9, True), (25.1, False)])
def test_a_peer_that_is_too_fast_is_a_bound_missed(rate: float, met: bool) -> None:
    approvals, codes = Done(rate, 0.041, "approvals"), Done(30.0, 0.020, "codes")
    rows = approval._rows(TRIVIAL, OURS, 3, (approvals, codes, ""))
    assert [row["met"] for row in rows] == [met, True, True, True]
    assert [row["bound"] for row in rows] == [40.0, 40.0, None, None]
    assert rows[0]["value"] == pytest.approx(1000 / rate, abs=0.1)
    assert rows[1]["value"] == pytest.approx(41.0)
    assert "1000/s" in rows[0]["unit"]


def test_a_peer_that_answers_wrongly_is_not_a_figure() -> None:
    class Quick:
        workers = 1

        def cpu_s(self) -> float:
            return 1.0

    def fails() -> None:
        raise PeerMissing("a right code was not accepted")

    with pytest.raises(PeerMissing):
        approval_beside.repeated([fails], 0.05, Quick(), "codes")  # type: ignore[arg-type]
    done = approval_beside.repeated([lambda: None], 0.05, Quick(), "codes")  # type: ignore[arg-type]
    assert done.rate > 100
    assert done.cpu_s == 0


def test_a_machine_that_slows_down_meanwhile_is_no_flood() -> None:
    assert hashing.times([1.0, 2.0, 4.0], [1.5, 3.0]) == pytest.approx(1.0)
    assert hashing.times([1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 9.0]) == pytest.approx(2.0)


def test_a_line_says_in_which_direction_it_is_bounded() -> None:
    row = {"name": "n", "value": 3, "unit": "x", "bound": 2, "floor": "1", "load": "some"}
    assert program._lines({**row, "met": True}).startswith("+ n: 3 x  bound: at least 2  floor: 1")
    assert program._lines({**row, "met": False}).startswith("x n: 3 x  bound: at most 2")
    assert program._lines({**row, "bound": None}).startswith("  n: 3 x  floor")
    assert program._lines({**row, "met": True}).endswith("\n      some")
    assert "some" not in program._lines({**row, "met": True}, "some"), "it was told above"


def test_a_part_that_fails_is_missed_and_the_others_are_measured(
    monkeypatch, tmp_path: Path, capsys
) -> None:
    row = {"name": "n", "value": 1, "unit": "x", "bound": 2, "load": "some"}
    parts = {"bad": lambda _: {}["nothing"], "good": lambda _: [row]}
    monkeypatch.setattr(program, "PARTS", parts)
    monkeypatch.setattr(program, "ROOT", tmp_path)
    assert program.main(["--only", "bad", "--only", "good"]) == 1
    shown = capsys.readouterr()
    assert "missed: bad (failed" in shown.out
    assert "+ n: 1 x  bound: at most 2" in shown.out
    assert "KeyError" in shown.err
    kept = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert [one["name"] for one in kept["figures"]] == ["n"]
    assert program.main(["--only", "good"]) == 0


def test_a_figure_that_its_part_gives_no_more_is_gone_from_the_record(tmp_path: Path) -> None:
    recorded = tmp_path / "bench.json"
    old = [{"name": name, "part": part, "value": 1} for name, part in (("a", "p"), ("b", "p"))]
    other = {"name": "c", "part": "q", "value": 1}
    recorded.write_text(json.dumps({"figures": [*old, other]}))
    new = {"figures": [{"name": name, "part": "p", "value": 2} for name in ("b", "d")]}
    found = program._renewed(recorded, new)["figures"]
    assert [(one["name"], one["value"]) for one in found] == [("b", 2), ("c", 1), ("d", 2)]


def test_the_page_of_figures_names_every_part_and_its_bounds() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == {*program.PARTS, "selection"}
    recorded = json.loads((ROOT / "bench/results/bench.json").read_text(encoding="utf-8"))
    seen = 0
    for figure in recorded["figures"]:
        bound = figure["bound"]
        if "part" in figure and bound is not None and "as the part" not in rows[figure["part"]]:
            assert re.search(rf"\b{bound:g}\b", rows[figure["part"]].replace(",", "")), figure
            seen += 1
    assert seen


def test_every_part_is_on_the_page() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert told == list(program.PARTS)


def test_attestations_are_measured_with_a_list_that_ends_devices() -> None:
    rows = attestation.run(quick=True)
    assert [row["bound"] for row in rows] == [150, 60.0]
    assert all(row["value"] > 0 for row in rows)
    assert "5,000 devices" in rows[1]["load"]
