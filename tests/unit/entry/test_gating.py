"""The start gate reads a folder: what it finds missing, what it lets pass, what serve does then."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.unlocking import open_officer_key, secret_from
from tallystick.entry.doctor import State, examine
from tallystick.entry.gating import Start, in_a_line, start_of
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.decided import decided_version, note_decided
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database, open_reader
from tallystick.kernel.errors import Conflict, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.programme.decisions import sign_decisions
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import analysis_json, read_analysis
from tallystick.process.risk.packs import pack_for
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
    if "the risks were analysed" not in ran.out:
        # A busy machine: set-up does not wait for the analysis, and says what to run.
        assert "tallystick risk run" in ran.all
        assert tallystick("risk", "run", place / "provider").code in {0, 4}
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


def forge(folder: ProviderFolder, requirement: str) -> str:
    """Take the controls that serve `requirement` out of the analysis; gives the file's digest."""
    analysis = read_analysis(folder.risk_file.read_bytes())
    treatment = analysis.treatments[requirement]
    rest = tuple(one for one in analysis.selection.chosen if one.control not in treatment.chosen)
    assert len(rest) < len(analysis.selection.chosen)
    changed = replace(analysis, selection=replace(analysis.selection, chosen=rest))
    folder.risk_file.write_bytes(analysis_json(changed))
    return sha256(folder.risk_file.read_bytes()).hex()


def without(folder: ProviderFolder, requirement: str) -> None:
    """An analysis without the controls that serve `requirement`, for which two officers vouch."""
    digest = forge(folder, requirement)
    decide(folder, 1, "officer-1", "officer-2", analysis=digest, excused=False)


def decide(
    folder: ProviderFolder,
    version: int,
    *officers: str,
    until: int = 30,
    analysis: str = "",
    excused: bool = True,
) -> None:
    day = iso_utc(Instant(SystemClock().now() - DAY_MS))[:10]
    end = iso_utc(Instant(SystemClock().now() + until * DAY_MS))[:10]
    vouched = f"analysis: {analysis}\n" if analysis else ""
    text = f'decisions: "1.0"\nprogramme: demo-wallet\nversion: {version}\n{vouched}'
    excuse = (
        f"entries:\n  later: {{kind: exception, subject: {EXCUSED}, who: operations,"
        f" approved_by: chief-security, why: it follows in spring, since: {day}, until: {end}}}\n"
    )
    text += excuse if excused else ""
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
            lambda one: edit(one, "customers: 8_000", "customers: 9_000"),
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
    digest = forge(folder, EXCUSED)
    decide(folder, 1, "officer-1", "officer-2", analysis=digest)
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


def add_everything(folder: ProviderFolder) -> str:
    """Forge an analysis that chose every control of the pack; gives the file's digest."""
    analysis = read_analysis(folder.risk_file.read_bytes())
    pack = pack_for(read_programme(folder.programme_file.read_text(encoding="utf-8")).uses)
    like = analysis.selection.chosen[0]
    there = {one.control for one in analysis.selection.chosen}
    more = tuple(replace(like, control=name) for name in pack.controls if name not in there)
    assert more
    chosen = (*analysis.selection.chosen, *more)
    forged = replace(analysis, selection=replace(analysis.selection, chosen=chosen))
    folder.risk_file.write_bytes(analysis_json(forged))
    return sha256(folder.risk_file.read_bytes()).hex()


def test_a_forged_analysis_does_not_open_the_gate(folder: ProviderFolder) -> None:
    """The programme has no control for a demand; the forger says that everything was chosen."""
    analysis = read_analysis(folder.risk_file.read_bytes())
    found = analysis.treatments[EXCUSED]
    names = ", ".join(f"{one}: nobody sells it" for one in (*found.chosen, *found.others))
    edit(folder, "not_available: {}", f"not_available: {{{names}}}")
    assert tallystick("risk", "run", folder.root).code in {0, 4}
    assert EXCUSED in subjects(folder)
    add_everything(folder)
    (gap,) = start(folder).gate.missing
    assert gap.subject == "risk.json"
    assert "does not follow from the programme: it adds" in gap.says
    ran = serve(folder)
    assert ran.code == 1
    assert "does not follow from the programme" in ran.err


def test_without_the_extra_two_officers_vouch_for_the_analysis_and_no_other(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> object:
        raise Unavailable("the extra risk is not installed")

    monkeypatch.setattr("tallystick.process.risk.selection.solving.highspy", missing)
    digest = sha256(folder.risk_file.read_bytes()).hex()
    (gap,) = start(folder).gate.missing
    assert "nobody vouches" in gap.says
    assert digest in gap.remedy
    decide(folder, 1, "officer-1", analysis=digest, excused=False)
    assert "decisions.json" in subjects(folder), "one officer is not enough"
    decide(folder, 1, "officer-1", "officer-2", analysis=digest, excused=False)
    assert start(folder).gate.opens
    forge(folder, EXCUSED)
    assert "risk.json" in subjects(folder)


def test_production_is_not_set_up_with_a_policy_that_could_not_be_in_force(tmp_path: Path) -> None:
    place, secret = tmp_path / "p", tmp_path / "s"
    demo = tmp_path / "demo.yaml"
    demo.write_text(demo_policy("EUR"), encoding="utf-8")
    for more in ((), ("--policy", demo)):
        ran = tallystick("init", place, "--secret-out", secret, "--profile", "production", *more)
        assert ran.code == 1
        assert "would not start with it" in ran.err
        assert "--approval production" in ran.err
        assert not place.exists()
        assert not secret.exists()


def test_the_way_to_production_that_the_page_tells_opens_the_gate(tmp_path: Path) -> None:
    rehearsal, place, policy = tmp_path / "r", tmp_path / "p", tmp_path / "policy.yaml"
    profile = ("--profile", "wallet-start-up")
    assert tallystick("init", rehearsal, "--secret-out", tmp_path / "s1", *profile).code == 0
    made = tallystick(
        "policy", "derive", rehearsal, "--version", 1, "--approval", "production", "--out", policy
    )
    assert made.code == 0, made.all
    place.mkdir()
    shutil.copy(rehearsal / "mfs.yaml", place / "mfs.yaml")
    ran = tallystick(
        "init", place, "--secret-out", tmp_path / "secret", "--profile", "production", *profile,
        "--policy", policy,
    )  # fmt: skip
    assert ran.code == 0, ran.all
    folder = ProviderFolder(place)
    assert start(folder).gate.opens
    platform = open_platform(folder, secret_from(None, tmp_path / "secret"), SystemClock())
    try:
        assert platform.desks.policy.version == 1
    finally:
        platform.close()
