"""Probes of keys, books, people, fields and builds turn when what they look at is broken."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from tests.support.proved import CLOCK, new_provider, proved, verdicts
from tests.support.stores import ON_SERVER

from tallystick.entry.assembly import open_platform
from tallystick.entry.evidence import running_source
from tallystick.entry.http.operations import SCHEMAS
from tallystick.entry.proving import builds, fields, handling, people
from tallystick.entry.proving.books import BookProbes
from tallystick.entry.proving.builds import BuildProbes, failing_since
from tallystick.entry.proving.fields import FieldProbes
from tallystick.entry.proving.handling import HandlingProbes
from tallystick.entry.proving.people import PeopleProbes
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.ledger import moves
from tallystick.infrastructure.ledger.daybook import DayEnd
from tallystick.infrastructure.modules.interface import Capabilities
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.classification import AUTHENTICATION
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import Wire, replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.conformance import builds as records
from tallystick.process.conformance.builds import BuildRecord
from tallystick.process.conformance.checks import CheckKind, Observation

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
pytestmark = pytest.mark.skipif(ON_SERVER, reason="rows are changed in a file")


@dataclass
class Place:
    """A provider with an enrolled probe phone."""

    folder: ProviderFolder
    secret: Secret[bytes]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder, secret, _ = new_provider(tmp_path_factory.mktemp("inside") / "provider")
    proved(folder, secret, ("phone.login",))
    return Place(folder, secret)


@pytest.fixture
def copy(place: Place, tmp_path: Path) -> ProviderFolder:
    return ProviderFolder(Path(shutil.copytree(place.folder.root, tmp_path / "copy")))


def change(folder: ProviderFolder, sql: str, *values: object) -> None:
    with sqlite3.connect(folder.database_file) as link:
        assert link.execute(sql, values).rowcount >= 1


# --- rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "probe", "sql"),
    [
        (BookProbes, "journal", "UPDATE account SET posted_debit = posted_debit + 1"),
        (BookProbes, "ceilings", "UPDATE account SET ceiling = -1"),
        (PeopleProbes, "tiered", "UPDATE customer SET tier = 9"),
        (PeopleProbes, "states", "UPDATE device SET status = 'lent'"),
        (PeopleProbes, "described", "UPDATE device SET trust = 'attested-hardware'"),
        (PeopleProbes, "unique_keys", "UPDATE device SET consent = possession"),
        (PeopleProbes, "certified", "UPDATE device SET consent = x'04'"),
        (PeopleProbes, "certified", "UPDATE device SET certificate = 'a.b.c'"),
    ],
)
def test_a_changed_row_is_seen(copy: ProviderFolder, sort, probe: str, sql: str) -> None:
    look = getattr(sort(Site(copy, CLOCK)), probe)
    assert look(CLOCK.now()).verdict is PASS
    change(copy, sql)
    assert look(CLOCK.now()).verdict is FAIL


def test_where_there_is_nothing_nothing_is_claimed(tmp_path: Path) -> None:
    folder, secret, _ = new_provider(tmp_path / "provider")
    open_platform(folder, secret).close()
    look = PeopleProbes(Site(folder, CLOCK))
    for probe in (look.tiered, look.states, look.described, look.unique_keys, look.certified):
        assert probe(CLOCK.now()).verdict is UNKNOWN


def test_days_that_nobody_closed_are_seen(copy: ProviderFolder) -> None:
    look, now = BookProbes(Site(copy, CLOCK)), CLOCK.now()
    assert look.days(now).verdict is UNKNOWN

    def close(ago: int) -> None:
        day = iso_utc(Instant(now - ago * DAY_MS))[:10]
        end = DayEnd(
            day=day, currency="KES", last_seq=0, closed_at=now, posted_debit=0, posted_credit=0,
            held_debit=0, held_credit=0, balances={}, safeguarded=0, owed=0,
        )  # fmt: skip
        change(copy, "INSERT INTO day_closing VALUES (?, ?)", day, encode_canonical(end).decode())

    close(5)
    assert look.days(now).verdict is FAIL
    close(1)
    assert look.days(now).verdict is PASS


@pytest.mark.requirement("MFS-13.3-01")
def test_a_book_that_lets_money_be_spent_twice_is_refused_and_seen(
    place: Place, monkeypatch
) -> None:
    look = BookProbes(Site(place.folder, CLOCK))
    assert look.scratch(CLOCK.now()).verdict is PASS
    monkeypatch.setattr(moves, "_shortage", lambda *_: None)
    seen = look.scratch(CLOCK.now())
    assert seen.verdict is FAIL


def test_a_number_shown_whole_and_an_easy_pin_are_seen(place: Place, monkeypatch) -> None:
    look = PeopleProbes(Site(place.folder, CLOCK))
    assert look.masked(CLOCK.now()).verdict is look.weak_pin(CLOCK.now()).verdict is PASS
    monkeypatch.setattr("tallystick.application.notices.rules.masked_number", lambda it: it)
    monkeypatch.setattr(people, "check_new_pin", lambda *_: None)
    assert look.masked(CLOCK.now()).verdict is look.weak_pin(CLOCK.now()).verdict is FAIL


# --- messages ------------------------------------------------------------------------------


class Bare(Wire, frozen=True, kw_only=True):
    amount: int


class Telling(Wire, frozen=True, kw_only=True):
    code: Annotated[str, AUTHENTICATION]


class Lenient:
    """Takes every message."""

    def __init__(self, *_: object) -> None: ...

    def decode(self, _: bytes) -> None: ...


@pytest.mark.requirement("MFS-14.2.1-01")
@pytest.mark.requirement("MFS-7.3.5-03")
def test_messages_that_would_carry_too_much_are_refused_and_seen(monkeypatch) -> None:
    now = CLOCK.now()
    good = FieldProbes()
    assert [one(now).verdict for one in (good.classified, good.refused, good.unanswered)] == [
        PASS, PASS, PASS,
    ]  # fmt: skip
    assert FieldProbes({**SCHEMAS, "Bare": Bare}).classified(now).verdict is FAIL
    assert FieldProbes({}).classified(now).verdict is FAIL
    assert FieldProbes({**SCHEMAS, "ActReply": Telling}).unanswered(now).verdict is FAIL
    monkeypatch.setattr(fields, "Decoder", Lenient)
    assert good.refused(now).verdict is FAIL


# --- keys ----------------------------------------------------------------------------------

LOOSE: tuple[tuple[str, Callable[[pytest.MonkeyPatch], None]], ...] = (
    ("clear_import", lambda p: p.setattr(SoftModule, "import_block", lambda *_: "taken")),
    ("front", lambda p: p.setattr(SoftModule, "import_block", lambda *_: "taken")),
    ("destroyed", lambda p: p.setattr(SoftModule, "destroy", lambda *_: None)),
    ("certificates", lambda p: p.setattr(handling, "verify_certificate", lambda *_, **__: "good")),
    ("webhooks", lambda p: p.setattr(handling, "verify_delivery", lambda *_, **__: "good")),
)


@pytest.mark.parametrize(("probe", "loosen"), LOOSE, ids=[one[0] for one in LOOSE])
def test_a_module_that_refuses_too_little_is_seen(
    place: Place, monkeypatch, probe: str, loosen
) -> None:
    platform = open_platform(place.folder, place.secret)
    try:
        look = getattr(HandlingProbes(Site(place.folder, CLOCK, platform=platform)), probe)
        assert look(CLOCK.now()).verdict is PASS
        loosen(monkeypatch)
        assert look(CLOCK.now()).verdict is FAIL
    finally:
        monkeypatch.undo()
        platform.close()


def test_a_module_in_software_is_none_in_hardware(place: Place, monkeypatch) -> None:
    platform = open_platform(place.folder, place.secret)
    try:
        look = HandlingProbes(Site(place.folder, CLOCK, platform=platform)).module_class
        assert look(CLOCK.now()).verdict is FAIL
        own: Capabilities = platform.module.capabilities()
        device = replace(own, hardware_boundary=True, validated_as="4711")
        monkeypatch.setattr(SoftModule, "capabilities", lambda _: device)
        assert look(CLOCK.now()).verdict is PASS
        uncertified = replace(device, validated_as="")
        monkeypatch.setattr(SoftModule, "capabilities", lambda _: uncertified)
        assert look(CLOCK.now()).verdict is FAIL
    finally:
        platform.close()


# --- builds --------------------------------------------------------------------------------


def record(**more: object) -> BuildRecord:
    from tallystick import __version__  # noqa: PLC0415

    tested = records.Tested(requirement="MFS-7.3.3-03", passed=1, failed=0, not_run=0, attempting=1)
    usual = BuildRecord(
        v=1, version=__version__, commit="0" * 40, at=CLOCK.now(), passed=1, failed=0,
        requirements=(tested,), source=running_source(),
    )  # fmt: skip
    return replace(usual, **more)


@pytest.mark.requirement("MFS-6.2.2-01")
@pytest.mark.requirement("MFS-9.3-02")
def test_what_runs_and_was_not_tested_is_refused_as_the_build(copy: ProviderFolder) -> None:
    look, now = BuildProbes(Site(copy, CLOCK)), CLOCK.now()

    def said(one: BuildRecord) -> Verdict:
        (copy.root / "build.json").write_bytes(encode_canonical(one))
        return look.deployed(now).verdict

    assert look.deployed(now).verdict is UNKNOWN
    assert said(record()) is PASS
    assert said(record(source="0" * 64)) is FAIL
    assert said(record(changed=True)) is FAIL
    failed = records.Tested(requirement="MFS-7.3.3-03", passed=1, failed=1, not_run=0, attempting=1)
    assert said(record(requirements=(failed,))) is FAIL
    assert said(record(requirements=())) is FAIL


def test_a_secret_in_the_source_is_seen(place: Place, tmp_path: Path) -> None:
    assert BuildProbes(Site(place.folder, CLOCK)).no_secrets(CLOCK.now()).verdict is PASS
    (tmp_path / "a.py").write_text("x = 1")
    look = BuildProbes(Site(place.folder, CLOCK), tmp_path)
    assert look.no_secrets(CLOCK.now()).verdict is PASS
    (tmp_path / "b.py").write_text(f'API_KEY = "{"a1" * 12}"')
    assert look.no_secrets(CLOCK.now()).verdict is FAIL
    assert (
        BuildProbes(Site(place.folder, CLOCK), tmp_path / "none").no_secrets(CLOCK.now()).verdict
        is FAIL
    )


def seen(check: str, at: int, verdict: Verdict) -> Observation:
    return Observation(
        check=check, kind=CheckKind.STATIC, attempts=False, requirements=("MFS-7.2.1-01",),
        verdict=verdict, observed_at=at, fresh_until=at + 1, summary="", measured={},
        environment="e",
    )  # fmt: skip


def test_a_failure_lasts_from_its_first_time_until_it_passes() -> None:
    day = [seen("a", 1, FAIL), seen("a", 2, UNKNOWN), seen("a", 3, FAIL), seen("b", 1, FAIL)]
    assert failing_since(day) == {
        "a": (1, {"MFS-7.2.1-01"}), "b": (1, {"MFS-7.2.1-01"}),
    }  # fmt: skip
    assert failing_since([*day, seen("a", 4, PASS)]) == {"b": (1, {"MFS-7.2.1-01"})}
    again = failing_since([*day, seen("a", 4, PASS), seen("a", 5, FAIL)])
    assert again["a"][0] == 5


@pytest.mark.requirement("MFS-6.1-02")
def test_what_fails_too_long_and_figures_that_are_old_are_seen(tmp_path: Path, monkeypatch) -> None:
    folder, secret, _ = new_provider(tmp_path / "provider")
    look = BuildProbes(Site(folder, CLOCK))
    open_platform(folder, secret).close()
    assert look.overdue(CLOCK.now()).verdict is UNKNOWN
    assert verdicts(proved(folder, secret, ("files.offline",))) == {"files.offline": FAIL}
    soon, late = CLOCK.now() + 20 * DAY_MS, CLOCK.now() + 30 * DAY_MS + DAY_MS // 2
    assert look.overdue(Instant(soon)).verdict is PASS
    overdue = look.overdue(Instant(late))
    assert overdue.verdict is FAIL
    assert "overdue: files.offline" in overdue.summary
    monkeypatch.setattr(builds, "DUE_MS", 90 * DAY_MS)
    assert look.overdue(Instant(late)).verdict is PASS
    assert look.overdue(Instant(CLOCK.now() + 32 * DAY_MS)).verdict is FAIL, "no figures since"


def test_a_threat_without_a_passing_mitigation_is_seen(place: Place, monkeypatch) -> None:
    look = BuildProbes(Site(place.folder, CLOCK))
    found = look.mitigated(CLOCK.now())
    assert found.verdict is FAIL
    assert found.measured["denominator"] == 102
    every = {row for one in builds.catalogue().threats.values() for row in one.mitigations}
    monkeypatch.setattr(builds, "passing_rows", lambda _: every)
    assert look.mitigated(CLOCK.now()).verdict is PASS
