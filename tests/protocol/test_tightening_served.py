"""A control fails, the next payment meets a stricter policy, and two people can undo it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.test_policy_shadow import by_two, pay, signed
from tests.support.metrics import exposition
from tests.support.served import Served, served
from tests.support.stores import raw
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.conformance.pictures import PROBES, saw
from tests.unit.process.policy.policy_texts import changed, demo_text, payment

from tallystick.application.own_commands import Ease, RecordEvidence, Tighten
from tallystick.client.wallet import Refusal
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.cli.unlocking import open_root_key
from tallystick.entry.evidence import leave_run
from tallystick.entry.inforce import wrong_measures
from tallystick.entry.rechecking import Verifier
from tallystick.entry.renewing import renew_keys
from tallystick.entry.replay.provider import ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.tightening import Controls
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import Conflict, MfsError, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import HOUR_MS, Instant, SimulatedClock
from tallystick.process.conformance.basis import Run
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.operators import ActivatePolicy, LiftTightening

START = 1_767_225_600_000
ENTRY = "record-in-doubt"
STRANGER = {"payee_known": False, "amount_minor": 3_000_000}


def run_of(verdict: Verdict, at: int, name: str) -> Run:
    probe = replace(PROBES[1], id="record.audit")
    seen = replace(saw(probe, verdict), observed_at=at, fresh_until=at + 1)
    return Run(id=name, at=at, event=0, build="", dossier="", observations=(seen,))


def until(seen: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not seen():
        time.sleep(0.1)
    return seen()


def in_force(provider: Served) -> int:
    lines = exposition(provider).splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("tallystick_tightenings_"))


@pytest.mark.requirement("MFS-6.1-01")
def test_the_next_payment_is_refused_and_two_people_lift_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.entry.evidence.EVERY_S", 0.2)
    lower = changed("unknown-payee, per_payment: 2_000_000", "unknown-payee, per_payment: 500_000")
    with served(tmp_path / "p", policy_text=lower) as provider:
        ann = provider.person("+254700000001", "Ann", funds=9_000_000, tier=2)
        ben = provider.person("+254700000002", "Ben")
        assert in_force(provider) == 0
        leave_run(provider.folder, run_of(Verdict.FAIL, provider.clock.now() - 1, "run-1"))
        assert until(lambda: in_force(provider) == 1)
        with pytest.raises(Refusal) as refused:
            pay(provider, ann, ben.number, 700_000)
        assert "unknown-payee" in refused.value.error.because
        assert f"tightened by {ENTRY}" in refused.value.error.because
        assert until(lambda: b"the policy was tightened" in b"".join(provider.log))
        body = LiftTightening(entry=ENTRY, because="the audit ran on a broken disk")
        one = provider.operators["security-officer"][0]
        assert one.act("lift-tightening", body).state == "waiting"
        assert in_force(provider) == 1
        done = by_two(provider, "lift-tightening", body)
        assert "does not begin again before the next version" in done.says
        assert in_force(provider) == 0
        pay(provider, ann, ben.number, 700_000)
        time.sleep(2.5)
        assert in_force(provider) == 0
        kinds = [leaf_kind(provider, index) for index in range(provider.platform.archive.size)]
        assert kinds.count("policy.tightened") == kinds.count("policy.lifted") == 1
        told = previewed(provider, tmp_path)
        assert (told["decisions"], told["unlike"]) == (2, 0)
        (flip,) = told["flips"]
        assert (flip["count"], flip["value_minor"], flip["after"]) == (1, 700_000, "unknown-payee")
        assert told["customers"] == 1


def previewed(provider: Served, folder: Path) -> dict[str, Any]:
    """What the entry would have done to the two orders: to the one that passed, as it is lifted."""
    secret = folder / "secret"
    secret.write_bytes(provider.secret.reveal())
    secret.chmod(0o600)
    ran = tallystick(
        "policy", "tightening", "preview", provider.folder.root, "--entry", ENTRY,
        "--secret-file", secret, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.all
    return json.loads(ran.out)[ENTRY]


def leaf_kind(provider: Served, index: int) -> str:
    with provider.platform.database.reader() as reader:
        leaf = TallyStore(reader).leaf(index)
    return "" if leaf is None else decode_leaf(leaf).kind


def test_a_new_version_ends_what_the_version_before_tightened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.entry.evidence.EVERY_S", 0.2)
    with served(tmp_path / "p") as provider:
        leave_run(provider.folder, run_of(Verdict.FAIL, provider.clock.now() - 1, "run-1"))
        assert until(lambda: in_force(provider) == 1)
        first = provider.platform.desks.policy.measures.current[0]
        body = ActivatePolicy(envelope=signed(provider, 2, ("dwell: PT0S", "dwell: PT1H")))
        by_two(provider, "activate-policy", body)
        assert in_force(provider) == 0
        ended = next(
            one for one in provider.platform.desks.policy.measures.known if one.id == first.id
        )
        assert (ended.ended, ended.version) == ("superseded", 1)


class Opened:
    """A provider without sockets, whose clock stands still until it is moved."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(Instant(START))
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock, demo_text())
        self.platform: Platform = self.provider.platform
        self.controls = Controls(self.platform)

    def record(self, verdict: Verdict, name: str) -> None:
        self.clock.advance(1_000)
        self.do(RecordEvidence(run_of(verdict, self.clock.now(), name), "test"))

    def do(self, command: object) -> None:
        (recorded,) = self.platform.writer.run([command])  # type: ignore[list-item]
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply

    def look(self) -> list[str]:
        now = self.clock.now()
        due = list(self.controls.due(self.controls.read(now), now))
        for one in due:
            self.do(one)
        return [type(one).__name__ for one in due]

    def says(self) -> str:
        found = self.platform.desks.policy.decide(payment(**STRANGER), subject="ord_1").decision
        return f"{found.outcome} {found.row}"

    def start_again(self) -> None:
        self.platform.close()
        self.platform = open_platform(self.provider.folder, self.provider.secret, self.clock)
        self.controls = Controls(self.platform)


def test_it_survives_a_start_stays_its_time_and_ends_when_all_is_well(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "p")
    try:
        assert opened.look() == []
        opened.record(Verdict.FAIL, "run-1")
        assert opened.says() == "allow person-attested"
        assert opened.look() == ["Tighten"]
        assert opened.says() == "deny unknown-payee"
        opened.start_again()
        assert opened.says() == "deny unknown-payee"
        assert opened.look() == []
        opened.record(Verdict.PASS, "run-2")
        opened.clock.advance(6 * HOUR_MS - 1)
        assert opened.look() == []
        opened.clock.advance(1)
        assert opened.look() == ["Ease"]
        assert opened.says() == "allow person-attested"
        opened.start_again()
        assert opened.says() == "allow person-attested"
        with open_reader(opened.provider.folder.stored()) as reader:
            assert wrong_measures(reader, opened_keys(opened), "replay") == ()
    finally:
        opened.platform.close()


def opened_keys(opened: Opened) -> tuple:
    halves = opened.provider.folder.settings().tightening
    return tuple(half.verify_key() for half in halves)


def test_the_writer_asks_the_rules_itself(
    tmp_path: Path,
) -> None:
    opened = Opened(tmp_path / "p")
    seen = Seen(failing=True, since=START, evidence="said by a test")
    try:
        with pytest.raises(Conflict, match="not failed for long enough"):
            opened.do(Tighten("unwitnessed", seen))
        with pytest.raises(NotFound):
            opened.do(Tighten("nothing", seen))
        with pytest.raises(NotFound):
            opened.do(Ease(ENTRY, replace(seen, failing=False)))
        opened.do(Tighten(ENTRY, seen))
        with pytest.raises(Conflict, match="in force already"):
            opened.do(Tighten(ENTRY, seen))
        with pytest.raises(Conflict, match="still fails"):
            opened.do(Ease(ENTRY, seen))
        with pytest.raises(Conflict, match="is well for less"):
            opened.do(Ease(ENTRY, replace(seen, failing=False)))
    finally:
        opened.platform.close()


def test_a_batch_that_does_not_become_durable_leaves_no_measure(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "p")
    try:
        seen = Seen(failing=True, since=START, evidence="said by a test")
        prepared = opened.platform.writer.prepare([Tighten(ENTRY, seen)])
        assert opened.says() == "deny unknown-payee"
        opened.platform.writer.abandon(prepared)
        assert opened.says() == "allow person-attested"
        assert opened.platform.desks.policy.measures.current == ()
    finally:
        opened.platform.close()


def test_a_row_that_somebody_changed_is_found_and_puts_nothing_into_force(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "p")
    folder = opened.provider.folder
    opened.record(Verdict.FAIL, "run-1")
    assert opened.look() == ["Tighten"]
    opened.platform.close()
    ran = tallystick("policy", "tightening", "show", folder.root)
    assert ran.code == 0, ran.err
    assert "record-in-doubt: since 2026-01-01T00:00:01" in ran.out
    raw(folder.stored(), "UPDATE policy_measure SET entry = 'unwitnessed'")
    with open_reader(folder.stored()) as reader:
        ((name, why),) = wrong_measures(reader, opened_keys(opened), "replay")
    assert name.startswith("tgt_")
    assert "not what was signed" in why
    assert tallystick("policy", "tightening", "show", folder.root).code == 4
    with Verifier(folder, opened.provider.secret, opened.clock) as verifier:
        assert [one for one, _ in verifier.recheck().tightenings] == [name]
    with pytest.raises(NotAuthentic):
        open_platform(folder, opened.provider.secret, opened.clock)


def test_a_folder_from_before_gets_its_key_at_the_next_renewal(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "p")
    folder = opened.provider.folder
    opened.platform.close()
    (folder.root / "keys" / "tightening.block").unlink()
    folder.save_settings(replace(folder.settings(), tightening=()))
    opened.start_again()
    seen = Seen(failing=True, since=START, evidence="said by a test")
    with pytest.raises(NotPermitted, match="has no key that signs"):
        opened.do(Tighten(ENTRY, seen))
    opened.platform.close()
    renewed = renew_keys(folder, opened.provider.secret, root_of(opened), opened.clock)
    assert renewed.tightening
    assert not renew_keys(folder, opened.provider.secret, root_of(opened), opened.clock).tightening
    opened.start_again()
    try:
        opened.do(Tighten(ENTRY, seen))
        assert opened.says() == "deny unknown-payee"
    finally:
        opened.platform.close()


def root_of(opened: Opened):
    file = opened.provider.folder.root / "offline" / "root.key"
    return open_root_key(file, opened.provider.secret)
