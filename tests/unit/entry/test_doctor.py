"""The doctor sees each thing that can be wrong with a deployment, and says what to do."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.authorities import OpensslAuthority
from tests.support.served import Served, served
from tests.support.stores import ON_SERVER, copy_store, new_store, on_file, raw
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.doctor import Finding, State, examine, files, record, trust
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock, is_synchronised
from tallystick.infrastructure.store.address import parse_address
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.protocol.desk import IssueWorkload, SteerOperator


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor") / "provider"
    with served(folder) as provider:
        provider.person("+254700000001", "Ann", funds=1_000)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> ProviderFolder:
    shutil.copytree(original, tmp_path / "provider")
    copied = ProviderFolder(tmp_path / "provider")
    if ON_SERVER:
        copied.save_place(copy_store(copied.place()))
    return copied


def at(ahead_ms: int = 0) -> SimulatedClock:
    return SimulatedClock(Instant(SystemClock().now() + ahead_ms))


def found_in(folder: ProviderFolder, what: str, ahead_ms: int = 0) -> Finding:
    (found,) = [one for one in examine(folder, at(ahead_ms)) if one.what == what]
    return found


def test_a_sound_deployment_has_nothing_wrong(folder: ProviderFolder) -> None:
    found = examine(folder, at())
    assert [one for one in found if one.state is State.WRONG] == []
    assert all(one.remedy for one in found if one.state is not State.FINE)
    assert {one.what for one in found} >= {
        "permissions", "offline keys", "disk", "durable writes", "key list", "listed keys", "clock",
        "record", "tally", "witness", "orders", "notices",
    }  # fmt: skip
    assert ("write-ahead log" in {one.what for one in found}) != ON_SERVER


def test_nothing_set_up_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a provider's folder"):
        examine(ProviderFolder(tmp_path), at())


def test_nothing_served_yet_is_no_fault(folder: ProviderFolder) -> None:
    place = folder.place()
    if isinstance(place, Path):
        place.unlink()
    else:
        folder.save_place(parse_address(new_store()))
    assert found_in(folder, "record").state is State.SOON


def test_files_that_others_can_read_are_named(folder: ProviderFolder) -> None:
    folder.master_file.chmod(0o640)
    found = found_in(folder, "permissions")
    assert found.state is State.WRONG
    assert "master.sealed" in found.says
    assert "chmod" in found.remedy


def test_what_no_backup_takes_and_what_one_left_empty_is_named(folder: ProviderFolder) -> None:
    assert found_in(folder, "backups").state is State.FINE
    (folder.root / "ann.key").write_text("somebody's")
    found = found_in(folder, "backups")
    assert found.state is State.SOON
    assert "ann.key" in found.says
    folder.mno_file.write_text('{"v":1,"url":"https://mno.example","bearer":"","apis":{}}')
    found = found_in(folder, "backups")
    assert found.state is State.WRONG
    assert "bearer in mno.json" in found.says


def test_offline_keys_do_not_belong_here(folder: ProviderFolder) -> None:
    assert found_in(folder, "offline keys").state is State.SOON
    shutil.rmtree(folder.offline)
    assert found_in(folder, "offline keys").state is State.FINE


@on_file
@pytest.mark.parametrize(("free", "state"), [(1 << 20, State.WRONG), (2 << 30, State.SOON)])
def test_a_disk_that_runs_full_is_seen(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    usage = shutil.disk_usage(folder.root)._replace(free=free)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    with folder.database_file.open("r+b") as file:
        file.truncate(3 << 30)
    assert next(one for one in files.look_at_files(folder) if one.what == "disk").state is state


def test_a_slow_disk_is_seen(folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SLOW_MS", -1.0)
    assert found_in(folder, "durable writes").state is State.SOON


def test_a_folder_that_cannot_be_written_is_seen(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    found = found_in(folder, "durable writes")
    assert found.state is State.WRONG
    assert "Read-only" in found.says


@pytest.mark.parametrize(("days", "state"), [(0, State.FINE), (6, State.SOON), (8, State.WRONG)])
def test_the_end_of_the_key_list_is_seen(folder: ProviderFolder, days: int, state: State) -> None:
    found = found_in(folder, "key list", days * DAY_MS)
    assert found.state is state
    assert state is State.FINE or "keys renew" in found.remedy


@pytest.mark.parametrize(
    ("days", "state", "purpose"),
    [(0, State.FINE, ""), (6, State.SOON, "session-signature"), (400, State.WRONG, "tally")],
)
def test_keys_that_end_are_named(
    folder: ProviderFolder, days: int, state: State, purpose: str
) -> None:
    found = found_in(folder, "listed keys", days * DAY_MS)
    assert found.state is state
    assert purpose in found.says


def test_lists_of_partners_that_end_are_named(folder: ProviderFolder, tmp_path: Path) -> None:
    what = "lists of partners' authorities"
    assert what not in {one.what for one in examine(folder, SystemClock())}
    authority = OpensslAuthority(tmp_path, "Partner authority")
    place = folder.root / "partner-lists"
    place.mkdir()
    (place / "east.crl").write_bytes(authority.publish(days=7))
    now = SystemClock().now()
    for days, state in ((0, State.FINE), (6.5, State.SOON), (8, State.WRONG)):
        later = SimulatedClock(Instant(int(now + days * DAY_MS)))
        [found] = [one for one in examine(folder, later) if one.what == what]
        assert found.state is state, days
    (place / "west.crl").write_bytes(b"no list")
    [found] = [one for one in examine(folder, SystemClock()) if one.what == what]
    assert found.state is State.WRONG
    assert "west.crl" in found.says
    assert "east.crl" not in found.says


def test_a_missing_key_list_is_wrong(folder: ProviderFolder) -> None:
    folder.key_list_file.unlink()
    assert found_in(folder, "key list").state is State.WRONG


@pytest.mark.requirement("MFS-6.2.3-05")
@pytest.mark.parametrize(
    ("answer", "state"), [(None, State.FINE), (True, State.FINE), (False, State.SOON)]
)
def test_the_clock_is_asked(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch, answer: bool | None, state: State
) -> None:
    monkeypatch.setattr(trust, "is_synchronised", lambda: answer)
    assert found_in(folder, "clock").state is state
    assert is_synchronised() in {None, True, False}


def damage(folder: ProviderFolder) -> None:
    with folder.database_file.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)


def forge(folder: ProviderFolder) -> None:
    raw(folder.stored(), "UPDATE checkpoint SET note = replace(note, ' ', ' A')")


@pytest.mark.parametrize(
    ("change", "what"),
    [pytest.param(damage, "record", marks=on_file), (forge, "tally")],
)
def test_a_damaged_record_and_a_forged_checkpoint_are_wrong(
    folder: ProviderFolder, change: Callable[[ProviderFolder], None], what: str
) -> None:
    change(folder)
    assert found_in(folder, what).state is State.WRONG


def test_what_waits_too_long_is_seen(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour_ago = SystemClock().now() - 3_600_000
    monkeypatch.setattr(record, "open_orders", lambda *_: [timed_id("ord", hour_ago, bytes(10))])
    monkeypatch.setattr(record, "WAL_BYTES", -1)
    assert found_in(folder, "orders").state is State.SOON
    if not ON_SERVER:
        assert found_in(folder, "write-ahead log").state is State.SOON
    raw(folder.stored(), "UPDATE notice SET due_at = 1, delivered_at = 0, created_at = 1")
    assert found_in(folder, "notices").state is State.SOON


def test_a_witness_that_is_far_behind_is_seen(
    folder: ProviderFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found_in(folder, "witness").state is State.SOON
    (folder.root / "witnessed.note").write_text("log\n1\nroot\n\n")
    assert found_in(folder, "witness").state is State.FINE
    monkeypatch.setattr(record, "BEHIND", 2)
    assert found_in(folder, "witness").state is State.SOON


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("running") / "provider", join=False) as provider:
        yield provider


def test_the_running_service_is_looked_at(running: Served, tmp_path: Path) -> None:
    found = {one.what: one.state for one in examine(running.folder, at(), running.url)}
    assert found["service"] is found["load"] is found["key list in use"] is State.FINE
    before = running.folder.key_list_file.read_text(encoding="utf-8")
    secret = tmp_path / "secret"
    secret.write_bytes(running.secret.reveal())
    root_key = running.folder.offline / "root.key"
    renewed = tallystick(
        "keys", "renew", running.folder.root, "--root-key", root_key, "--secret-file", secret
    )
    assert renewed.code == 0, renewed.all
    limit = time.monotonic() + 20
    while running.platform.identity.key_list_version < 2:
        assert time.monotonic() < limit, "the service does not follow the list"
        time.sleep(0.05)
    after = {one.what: one for one in examine(running.folder, at(), running.url)}
    assert after["key list in use"].state is State.FINE
    running.folder.key_list_file.write_text(before, encoding="utf-8")
    after = {one.what: one for one in examine(running.folder, at(), running.url)}
    assert after["key list in use"].state is State.SOON
    assert "version 1" in after["key list in use"].says
    assert "restart" in after["key list in use"].remedy


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://somewhere"])
def test_a_service_that_is_not_there_is_wrong(folder: ProviderFolder, url: str) -> None:
    found = examine(folder, at(), url)[-1]
    assert (found.what, found.state) == ("service", State.WRONG)


def test_the_command_says_it_and_exits_with_4_if_something_is_wrong(folder: ProviderFolder) -> None:
    fine = tallystick("doctor", folder.root)
    assert fine.code == 0, fine.all
    assert "move " in fine.out
    folder.master_file.chmod(0o644)
    bad = tallystick("doctor", folder.root, "--json")
    assert bad.code == 4
    assert '"state":"wrong"' in bad.out


def test_acts_of_two_people_that_too_few_may_sign_are_named(folder: ProviderFolder) -> None:
    found = found_in(folder, "operators")
    assert found.state is State.SOON
    assert "open-recovery" in found.says
    assert "fund-account" not in found.says, "two of operations may"
    assert "operator invite" in found.remedy


@pytest.mark.parametrize(
    ("days", "state"), [(0, None), (61, State.SOON), (91, State.WRONG), (121, None)]
)
def test_programs_that_end_are_named_and_operators_who_are_stopped(
    tmp_path: Path, days: int, state: State | None
) -> None:
    with served(tmp_path / "p") as provider:
        sia, sol = provider.operators["security-officer"]
        body = IssueWorkload(
            label="switch",
            scope="evaluate-policy",
            way="secret",
            verifier=b64url(bytes(32)),
            days=90,
        )
        waits = sia.act("issue-workload", body)
        program = sol.act("issue-workload", body, approves=waits.act).reference
        stopped = provider.operators["operations"][0]
        steer = SteerOperator(operator=stopped._operator, because="the laptop was stolen")
        assert program not in sol.act("suspend-operator", steer).says
        both = provider.operators["operations"][1].act(
            "suspend-operator", SteerOperator(operator=sia._operator, because="left the firm")
        )
        assert f"revoke the programs whose secret they saw: {program}" in both.says
    found = examine(ProviderFolder(tmp_path / "p"), at(days * DAY_MS))
    assert [one.state for one in found if one.what == "programs"] == ([state] if state else [])
    says = [one.says for one in found if one.what == "operators"]
    assert f"{stopped._operator} is suspended by {sol._operator}" in says
