"""Signals of many trusted telephones become a failed telemetry, and that a likelier threat."""

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tallystick.entry.fleet import fleet_of
from tallystick.entry.proving.population import PopulationProbes
from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.conformance.checks import CheckKind, Observation
from tallystick.process.risk.pressing import SIGNALS, pressed_by

NOW = Instant(1_796_000_000_000)
OLD, YOUNG = NOW - 40 * DAY_MS, NOW - DAY_MS


def store(path: Path, devices: list[tuple[str, int, list[str]]]) -> None:
    """A provider's file with these active devices: trust, enrolled at, what each app reported."""
    with open_database(path) as database:
        migrate(database, MIGRATIONS, Instant(1))
    link = sqlite3.connect(path)
    for place, (trust, enrolled, told) in enumerate(devices):
        link.execute(
            "INSERT INTO customer VALUES (?, 'person', 'active', 1, '', x'', x'', 1, 'operator',"
            " x'', 0, 0, '', 1)",
            (f"c{place}",),
        )
        link.execute(
            "INSERT INTO device VALUES (?, ?, 'active', '', ?, x'', '', '', ?, 'none', x'', ?, 0,"
            " x'', 0)",
            (f"d{place}", f"c{place}", f"{place}".encode(), trust, enrolled),
        )
        if told:
            said = json.dumps(dict.fromkeys(told, NOW - 1000), separators=(",", ":")).encode()
            link.execute(
                "INSERT INTO device_proof VALUES (?, x'', 0, 0, 0, ?)", (f"d{place}", said)
            )
    link.commit()
    link.close()


def look(path: Path):
    @contextmanager
    def reading():
        with open_database(path) as database:
            yield database

    return PopulationProbes(SimpleNamespace(reading=reading)).signals(NOW)  # type: ignore[arg-type]


def pressed(seen) -> dict[str, int]:
    answer = Observation(
        check=SIGNALS, kind=CheckKind.TELEMETRY, attempts=False, requirements=("MFS-7.2.2-04",),
        verdict=seen.verdict, observed_at=NOW, fresh_until=NOW + 1, summary="",
        measured=seen.measured, environment="test",
    )  # fmt: skip
    return pressed_by({SIGNALS: answer}, NOW)


@pytest.mark.requirement("MFS-7.2.2-04")
def test_many_trusted_telephones_that_report_the_same_make_it_likelier(tmp_path: Path) -> None:
    store(
        tmp_path / "p.db",
        [("attested-hardware", OLD, ["overlaid"] if place < 2 else []) for place in range(120)],
    )
    seen = look(tmp_path / "p.db")
    assert (seen.verdict, seen.measured) == (
        Verdict.FAIL, {"watched": 120, "signal-overlaid": 2},
    )  # fmt: skip
    assert "overlaid from 2" in seen.summary
    assert pressed(seen) == {"THR-MAL-01": 1}


@pytest.mark.requirement("MFS-8.1.3-01")
def test_a_flood_of_young_or_unproven_telephones_moves_nothing(tmp_path: Path) -> None:
    flood = [("attested-hardware", YOUNG, ["rooted"])] * 200 + [("software", OLD, ["rooted"])] * 200
    store(tmp_path / "p.db", [("attested-hardware", OLD, [])] * 120 + flood)
    seen = look(tmp_path / "p.db")
    assert seen.verdict is Verdict.PASS
    assert seen.measured == {"watched": 120, "signal-rooted": 0}
    assert pressed(seen) == {}
    with open_database(tmp_path / "p.db") as database:
        (told,) = fleet_of(database, NOW).signals
    assert (told.devices, told.established) == (400, 0), "they are seen, and they do not count"


def test_few_telephones_say_nothing(tmp_path: Path) -> None:
    store(tmp_path / "p.db", [("attested-hardware", OLD, ["rooted"])] * 99)
    seen = look(tmp_path / "p.db")
    assert seen.verdict is Verdict.PASS
    assert "too few" in seen.summary
    assert pressed(seen) == {}
