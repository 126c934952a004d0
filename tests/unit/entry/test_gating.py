"""The start gate reads a folder: what it finds missing, what it lets pass, what serve does then."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.entry.cli.unlocking import open_officer_key, secret_from
from tallystick.entry.doctor import State, examine
from tallystick.entry.gating import Start, in_a_line, start_of
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.decided import decided_version, note_decided
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database, open_reader
from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.programme.decisions import sign_decisions
from tallystick.process.risk.analysis import analysis_json, read_analysis
from tallystick.protocol.decisions_file import write_envelope

pytest.importorskip("highspy", reason="the extra risk is not installed")
NOW = SystemClock().now()
EXCUSED = "MFS-7.3.3-01"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gate")
    ran = tallystick(
        "init", place / "provider", "--secret-out", place / "secret",
        "--profile", "wallet-start-up", "--profile", "production",
        "--policy", _production_policy(place),
    )  # fmt: skip
    assert ran.code == 0, ran.all
    assert "the risks were analysed" in ran.out
    return place


def _production_policy(place: Path) -> Path:
    text = demo_policy("EUR").replace("profile: demo ", "profile: production ")
    (place / "first.yaml").write_text(text, encoding="utf-8")
    return place / "first.yaml"


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> ProviderFolder:
    shutil.copytree(original / "provider", tmp_path / "provider")
    shutil.copy(original / "secret", tmp_path / "secret")
    return ProviderFolder(tmp_path / "provider")


def start(folder: ProviderFolder, ahead_ms: int = 0) -> Start:
    found = start_of(folder, Instant(SystemClock().now() + ahead_ms))
    assert found is not None
    return found


def subjects(folder: ProviderFolder) -> set[str]:
    return {one.subject for one in start(folder).gate.missing}


def serve(folder: ProviderFolder) -> Ran:
    """What serve says where it refuses; a port that nobody may have ends it where it does not."""
    return tallystick(
        "serve", folder.root, "--secret-file", folder.root.parent / "secret", "--port", "1",
        "--host", "203.0.113.1", "--terminator", "none",
    )  # fmt: skip


def edit(folder: ProviderFolder, old: str, new: str) -> None:
    text = folder.programme_file.read_text(encoding="utf-8")
    assert old in text
    folder.programme_file.write_text(text.replace(old, new, 1), encoding="utf-8")


def without(folder: ProviderFolder, requirement: str) -> None:
    """Take the controls that serve `requirement` out of the analysis."""
    analysis = read_analysis(folder.risk_file.read_bytes())
    treatment = analysis.treatments[requirement]
    rest = tuple(one for one in analysis.selection.chosen if one.control not in treatment.chosen)
    assert len(rest) < len(analysis.selection.chosen)
    changed = replace(analysis, selection=replace(analysis.selection, chosen=rest))
    folder.risk_file.write_bytes(analysis_json(changed))


def decide(folder: ProviderFolder, version: int, *officers: str, until: int = 30) -> None:
    day = iso_utc(Instant(SystemClock().now() - DAY_MS))[:10]
    end = iso_utc(Instant(SystemClock().now() + until * DAY_MS))[:10]
    text = (
        f'decisions: "1.0"\nprogramme: demo-wallet\nversion: {version}\nentries:\n'
        f"  later: {{kind: exception, subject: {EXCUSED}, who: operations,"
        f" approved_by: chief-security, why: it follows in spring, since: {day}, until: {end}}}\n"
    )
    envelope = None
    for officer in officers:
        key = folder.offline / f"{officer}.key"
        secret = secret_from(None, folder.root.parent / "secret")
        envelope = sign_decisions(text, officer, open_officer_key(key, secret), envelope)
    assert envelope is not None
    folder.decisions_file.write_bytes(write_envelope(envelope))


def test_a_fresh_folder_opens_the_gate(folder: ProviderFolder) -> None:
    gate = start(folder).gate
    assert gate.opens
    assert gate.met
    (found,) = [one for one in examine(folder, SystemClock()) if one.what == "start gate"]
    assert found.state is State.FINE


@pytest.mark.requirement("MFS-7.3.1-01")
@pytest.mark.parametrize(
    ("spoil", "subject", "says"),
    [
        (lambda one: one.risk_file.unlink(), "risk.json", "were not analysed"),
        (lambda one: one.risk_file.write_bytes(b"{}"), "risk.json", "cannot be read"),
        (
            lambda one: edit(one, "customers: 20_000", "customers: 21_000"),
            "risk.json",
            "changed after",
        ),
        (lambda one: edit(one, "a: minor, owner", "owner"), "mfs.yaml", "lacks"),
        (lambda one: edit(one, "uses:", "# todo: ask the bank\nuses:"), "", "ask the bank"),
        (lambda one: without(one, EXCUSED), EXCUSED, "no control in force serves it"),
        (lambda one: decide(one, 1, "officer-1"), "decisions.json", "2 officers"),
    ],
)
def test_what_is_missing_is_named_and_keeps_production_from_starting(
    folder: ProviderFolder, spoil: Callable[[ProviderFolder], object], subject: str, says: str
) -> None:
    spoil(folder)
    found = start(folder).gate.missing
    assert any(subject in one.subject and says in one.says for one in found), found
    assert all(one.remedy for one in found)
    ran = serve(folder)
    assert ran.code == 1
    assert "not ready to be served" in ran.err
    assert says in ran.err
    assert any(
        one.what == "start gate" and one.state is State.WRONG
        for one in examine(folder, SystemClock())
    )


def test_demo_says_it_in_a_line_and_goes_on(folder: ProviderFolder) -> None:
    folder.risk_file.unlink()
    folder.save_settings(replace(folder.settings(), profile="demo"))
    ran = serve(folder)
    assert "not ready for production: risk.json: the risks of the programme were not" in ran.err
    assert "not ready to be served" not in ran.err
    assert len(in_a_line(start(folder).gate).splitlines()) == 1
    assert any(
        one.what == "start gate" and one.state is State.SOON
        for one in examine(folder, SystemClock())
    )


def test_a_folder_without_a_programme_is_not_held_to_one(folder: ProviderFolder) -> None:
    folder.programme_file.unlink()
    assert start_of(folder, NOW) is None
    ran = serve(folder)
    assert "no programme in" in ran.err
    assert "not ready" not in ran.err


def test_an_exception_of_two_officers_excuses_until_its_day(folder: ProviderFolder) -> None:
    without(folder, EXCUSED)
    decide(folder, 1, "officer-1", "officer-2")
    found = start(folder)
    assert EXCUSED in found.gate.excused
    assert EXCUSED not in {one.subject for one in found.gate.missing}
    assert found.decided == 1
    assert "not ready" not in serve(folder).err
    with open_reader(folder.place()) as reader:
        assert decided_version(reader) == 1, "a start remembers it"
    later = start(folder, 40 * DAY_MS)
    assert EXCUSED in {one.subject for one in later.gate.missing}


def test_decisions_older_than_those_in_force_do_not_count(folder: ProviderFolder) -> None:
    database = open_database(folder.place())
    migrate(database, MIGRATIONS, Instant(NOW))
    note_decided(database, 2)
    with pytest.raises(Conflict, match="older"):
        note_decided(database, 1)
    database.close()
    with open_reader(folder.place()) as reader:
        assert decided_version(reader) == 2
    assert subjects(folder) == {"decisions.json"}, "they are gone"
    decide(folder, 1, "officer-1", "officer-2")
    (gap,) = start(folder).gate.missing
    assert "below 2" in gap.says
    decide(folder, 2, "officer-1", "officer-2")
    assert start(folder).gate.opens
    assert start(folder).decided == 2
