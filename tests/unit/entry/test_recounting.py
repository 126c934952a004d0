"""The time line: starts and ends, broken ones, key lists, and the log, each in its place."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli.timelines import _instant
from tallystick.entry.cli.unlocking import open_root_key
from tallystick.entry.recounting import Change, recount
from tallystick.entry.renewing import renew_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, SimulatedClock

SECRET = Secret(b"s" * 32)


class Provider:
    """A provider with a clock of its own, served again and again."""

    def __init__(self, place: Path) -> None:
        self.clock = SimulatedClock()
        self.began = self.clock.now()
        self.folder = ProviderFolder(place / "provider")
        plan = Plan(
            provider="test-wallet", currency="KES", country="254", profile="demo",
            policy_text=demo_policy(), roles=("operations",), pin_memory_kib=8 * 1024, pin_passes=1,
        )  # fmt: skip
        set_up(self.folder, plan, SECRET, self.clock)

    def open(self) -> Platform:
        self.clock.advance(HOUR_MS)
        return open_platform(self.folder, SECRET, self.clock)

    def serve(self) -> None:
        platform = self.open()
        self.clock.advance(HOUR_MS)
        platform.close()

    def crash(self) -> None:
        platform = self.open()
        platform.reader.close()
        platform.database.close()

    def changes(self, since: int = 0) -> list[tuple[int, str]]:
        return [
            ((one.at - self.began) // HOUR_MS, one.what)
            for one in recount(self.folder, Instant(since))
        ]


def test_starts_ends_and_what_broke_off_are_told_in_order(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    provider.serve()
    provider.crash()
    provider.serve()
    assert provider.changes() == [
        (0, "keys.signed"),
        (1, "policy.activated"),
        (1, "service.started"),
        (2, "service.ended"),
        (3, "service.started"),
        (4, "service.broke-off"),
        (4, "service.started"),
        (5, "service.ended"),
    ]
    assert provider.changes(provider.began + 4 * HOUR_MS)[0] == (4, "service.broke-off")
    assert provider.changes(provider.began + DAY_MS) == []


def test_a_new_key_list_is_told_when_signed_and_when_taken_into_use(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    provider.serve()
    provider.clock.advance(5 * DAY_MS)
    root = open_root_key(provider.folder.offline / "root.key", SECRET)
    renew_keys(provider.folder, SECRET, root, provider.clock)
    signed = recount(provider.folder, Instant(0))[-1]
    assert signed.what == "keys.signed"
    assert "not in use yet" in signed.says
    provider.serve()
    told = recount(provider.folder, Instant(0))
    taken = next(one for one in told if one.what == "keys.taken-into-use")
    assert taken.says == f"key_list={listed_keys(provider.folder).version} before=1"
    assert all("not in use yet" not in one.says for one in told)


def test_a_store_that_knows_no_starts_tells_the_rest(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    platform = provider.open()
    platform.database.execute("DROP TABLE service_start")
    platform.close()
    assert provider.changes() == [(0, "keys.signed"), (1, "policy.activated")]


def test_nothing_was_served_yet(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no record yet"):
        Provider(tmp_path).changes()


def test_the_command_tells_a_person_and_a_program(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    provider.serve()
    ran = tallystick("timeline", provider.folder.root)
    assert ran.code == 0, ran.all
    [policy] = [line for line in ran.out.splitlines() if "policy.activated" in line]
    assert "the service" in policy
    assert "version=1" in policy
    shown = tallystick("timeline", provider.folder.root, "--json")
    assert [one["what"] for one in json.loads(shown.out)][-1] == "service.ended"
    assert (
        "nothing was changed" in tallystick("timeline", provider.folder.root, "--since", "1m").out
    )
    assert tallystick("timeline", provider.folder.root, "--since", "yesterday").code == 2
    assert tallystick("timeline", provider.folder.root, "--since", "2026-01-31T03:00").code == 2


def test_since_is_a_span_or_a_time_with_its_zone() -> None:
    assert _instant("") == 0
    moment = datetime(2026, 1, 31, 3, tzinfo=UTC).timestamp() * 1000
    assert _instant("2026-01-31T03:00Z") == moment
    assert _instant("2026-01-31T06:00+03:00") == moment
    for text, span in (("90m", 90 * 60_000), ("2h", 2 * HOUR_MS), ("3d", 3 * DAY_MS)):
        assert abs(SystemClock().now() - span - _instant(text)) < 5_000


def test_a_change_without_an_event_has_no_index() -> None:
    assert Change(at=1, what="service.started", who="the service", says="").index == -1
