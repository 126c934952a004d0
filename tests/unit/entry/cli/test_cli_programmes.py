"""The commands about the programme: what init writes is sound, each exit code means one thing."""

import json
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.entry.settings import ProviderFolder
from tallystick.process.programme.decisions import verify_decisions
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.programme.templates import PROFILES, profile_text
from tallystick.protocol.decisions_file import read_envelope

DECISIONS = """\
decisions: "1.0"
programme: demo-wallet
version: 1
entries:
  late-notices:
    kind: exception
    subject: MFS-7.3.3-08
    who: operations
    approved_by: security-officer
    why: the sender of notices is delivered in spring
    since: 2026-11-01
    until: 2027-03-31
"""


def init(folder: Path, *more: object) -> Ran:
    secret = folder.with_name(f"{folder.name}.secret")
    return tallystick("init", "--no-analysis", folder, "--secret-out", secret, *more)


def test_init_writes_a_sound_programme_of_the_provider(tmp_path: Path) -> None:
    ran = init(tmp_path / "p", "--provider", "sky-cash")
    assert ran.code == 0, ran.all
    assert f"tallystick programme check {tmp_path / 'p'}" in ran.out
    text = (tmp_path / "p" / "mfs.yaml").read_text()
    assert read_programme(text).offer.id == "sky-cash"
    assert "# A mobile-money operator" in text
    checked = tallystick("programme", "check", tmp_path / "p")
    assert checked.code == 0, checked.all
    assert "nothing is odd" in checked.out


@pytest.mark.parametrize("name", PROFILES)
def test_init_writes_the_programme_that_was_named(tmp_path: Path, name: str) -> None:
    currency = read_programme(profile_text(name)).offer.currency
    ran = init(tmp_path / "p", "--profile", name, "--currency", currency, "--provider", "Sky")
    assert ran.code == 0, ran.all
    assert (tmp_path / "p" / "mfs.yaml").read_text() == profile_text(name)
    assert ProviderFolder(tmp_path / "p").settings().profile == "demo"


def test_a_programme_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mfs.yaml").write_text("mine: 1\n")
    assert init(tmp_path / "p").code == 0
    assert (tmp_path / "p" / "mfs.yaml").read_text() == "mine: 1\n"


def test_a_profile_of_each_sort_may_be_said_once(tmp_path: Path) -> None:
    ran = init(tmp_path / "p", "--profile", "bank-app", "--profile", "wallet-start-up")
    assert ran.code == 2
    assert not (tmp_path / "p").exists()
    assert init(tmp_path / "p", "--profile", "demo", "--profile", "bank-app").code == 0


def test_check_says_where_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "mfs.yaml"
    text = profile_text("wallet-start-up").replace("os: ios", "os: iso", 1)
    file.write_text(text)
    ran = tallystick("programme", "check", file)
    assert ran.code == 1
    assert "did you mean 'ios'?" in ran.err
    line = text[: text.index("os: iso")].count("\n") + 1
    assert f"line {line}, column" in ran.err


def test_check_says_what_is_odd_with_a_code_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mfs.yaml"
    text = profile_text("wallet-start-up")
    text = text.replace("duties: [policy-approval,", "duties: [fund-account, policy-approval,")
    file.write_text(
        text.replace("  outside: {trust: 30}", "  outside: {trust: 30}  # todo: really")
    )
    ran = tallystick("programme", "check", file)
    assert ran.code == 4
    assert "policy-approval and fund-account" in ran.out
    assert "left open: really" in ran.out
    found = json.loads(tallystick("programme", "check", file, "--json").out)
    assert {one["sort"] for one in found} == {"conflict-of-duties", "open-question"}


def test_a_missing_programme_comes_with_what_to_do(tmp_path: Path) -> None:
    ran = tallystick("programme", "show", tmp_path)
    assert ran.code == 1
    assert "there is no programme" in ran.err


def test_show_draw_and_operators(tmp_path: Path) -> None:
    (tmp_path / "mfs.yaml").write_text(profile_text("bank-app"))
    shown = tallystick("programme", "show", tmp_path)
    assert "bank-app of Example Savings Bank" in shown.out
    plain = json.loads(tallystick("programme", "show", tmp_path, "--json").out)
    assert plain["assets"] == "12 severe, 4 major"
    drawn = tallystick("programme", "diagram", tmp_path / "a.svg", "--programme", tmp_path)
    assert drawn.code == 0, drawn.all
    assert (tmp_path / "a.svg").read_text().startswith("<svg ")
    assert (
        "key-custodians: [enrol-operator, suspend-operator, resume-operator, remove-operator,"
        " issue-workload, revoke-workload,"
        " suspend-key, resume-key, retire-key, declare-compromise, destroy-key,"
        " record-custody, open-surrogate-domain, step-surrogate-domain,"
        " allow-detokenising]" in tallystick("programme", "operators", tmp_path).out
    )


def test_out_and_in_again(tmp_path: Path) -> None:
    (tmp_path / "mfs.yaml").write_text(profile_text("wallet-start-up"))
    printed = tallystick("programme", "export", "--otm", tmp_path)
    assert json.loads(printed.out)["otmVersion"] == "0.2.0"
    ran = tallystick("programme", "export", "--otm", tmp_path, "--out", tmp_path / "m.json")
    assert ran.code == 0
    target = tmp_path / "again.yaml"
    ran = tallystick("programme", "import", "--otm", tmp_path / "m.json", "--out", target)
    assert ran.code == 0, ran.all
    assert f"{len(open_questions(target.read_text()))} questions are left open" in ran.out
    again = tallystick("programme", "import", "--otm", tmp_path / "m.json", "--out", target)
    assert again.code == 1
    assert "is there already" in again.err
    assert tallystick("programme", "import", "--out", tmp_path / "x.yaml").code == 2
    assert tallystick("programme", "check", target).code == 4


def test_officers_sign_decisions_that_then_verify(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    assert init(folder).code == 0
    (tmp_path / "decisions.yaml").write_text(DECISIONS)
    signed = folder / "decisions.json"

    def sign(officer: str) -> Ran:
        return tallystick(
            "programme", "sign-decisions", tmp_path / "decisions.yaml", "--officer", officer,
            "--key-file", folder / "offline" / f"{officer}.key",
            "--secret-file", tmp_path / "p.secret", "--out", signed,
        )  # fmt: skip

    first = sign("officer-1")
    assert first.code == 0, first.all
    assert "signed by 1 officer; 1 more to sign" in first.out
    assert sign("officer-1").code == 1
    second = sign("officer-2")
    assert "signed by 2 officers" in second.out
    assert "more to sign" not in second.out
    settings = ProviderFolder(folder).settings()
    officers = {name: half.verify_key() for name, half in settings.officers.items()}
    programme = read_programme((folder / "mfs.yaml").read_text())
    found = verify_decisions(read_envelope(signed.read_bytes()), officers, programme)
    assert list(found.decisions) == ["late-notices"]


def test_layers_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "mfs.yaml"
    file.write_text(profile_text("mobile-money-operator"), encoding="utf-8")
    ran = tallystick("programme", "layers", file)
    assert ran.code == 0, ran.all
    assert "7 application" in ran.out
    ran = tallystick("programme", "layers", file, "--csv", tmp_path / "layers.csv")
    assert ran.code == 0, ran.all
    lines = (tmp_path / "layers.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("flow,carries,bearer,7 application")
    assert any("seen in clear by radio-east" in line for line in lines)
    assert '"gap"' not in tallystick("programme", "layers", file, "--json").out
