"""What waits for officers is noted, counted, shown by doctor and on the time line, and signed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.attacks.test_tightening_caps import CAPS, HEAD, TAIL, stop_tier
from tests.protocol.test_tightening_served import run_of
from tests.support.customers import add_customers
from tests.support.metrics import exposition
from tests.support.partners import MovedClock
from tests.support.proposed import DIGEST, leave_proposal, withdraw_proposal
from tests.support.served import Served, served
from tests.support.stores import on_file, raw
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.policy.policy_texts import demo_text

from tallystick.entry import evidence, proposals
from tallystick.entry.doctor import Finding, State, examine
from tallystick.entry.evidence import leave_run
from tallystick.entry.recounting import recount
from tallystick.entry.reporting import tightenings_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, Instant
from tallystick.process.loop.model import LINES_FILE, Level, LoopLine, Moved, line_octets
from tallystick.protocol.payments import PaymentKind


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "EVERY_S", 0.2)
    monkeypatch.setattr(proposals, "EVERY_S", 0.2)


def until(seen: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def metric(provider: Served, name: str) -> int:
    lines = exposition(provider).splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith(f"tallystick_{name} "))


def noted(provider: Served, message: str) -> list[dict]:
    lines = [json.loads(one) for one in b"".join(provider.log).splitlines()]
    return [one for one in lines if one.get("message") == message]


def found_by_doctor(provider: Served, what: str) -> list[Finding]:
    return [one for one in examine(provider.folder, SystemClock()) if one.what == what]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "p") as one:
        yield one


def test_a_policy_of_the_loop_is_told_when_it_waits_and_when_no_more(provider: Served) -> None:
    now, root = provider.clock.now(), provider.folder.root
    (calm,) = found_by_doctor(provider, "proposals")
    assert calm.state is State.FINE
    leave_proposal(root, now - HOUR_MS)
    until(lambda: metric(provider, "proposals_waiting") == 1)
    assert metric(provider, "proposals_oldest_seconds") >= 3_600
    until(lambda: len(noted(provider, "a proposal waits for people")) == 1)
    (one,) = noted(provider, "a proposal waits for people")
    assert (one["kind"], one["proposal"]) == ("policy", DIGEST)
    (soon,) = found_by_doctor(provider, "proposals")
    assert soon.state is State.SOON
    assert f"{DIGEST}.yaml" in soon.remedy
    withdraw_proposal(root, now)
    until(lambda: bool(noted(provider, "a proposal waits no more")))
    assert noted(provider, "a proposal waits no more")[0]["why"] == "not needed any more"
    assert metric(provider, "proposals_waiting") == 0
    assert metric(provider, "proposals_oldest_seconds") == 0
    assert found_by_doctor(provider, "proposals") == [calm]


def test_one_that_nobody_signs_expires_and_one_that_is_in_force_is_over(tmp_path: Path) -> None:
    clock = MovedClock()
    with served(tmp_path / "p", clock=clock) as provider:
        root = provider.folder.root
        first = leave_proposal(root, clock.now())
        until(lambda: metric(provider, "proposals_waiting") == 1)
        clock.off_ms += first.until - clock.now() - HOUR_MS
        time.sleep(0.6)
        assert noted(provider, "a proposal waits no more") == []
        clock.off_ms += HOUR_MS
        until(lambda: bool(noted(provider, "a proposal waits no more")))
        assert noted(provider, "a proposal waits no more")[0]["why"] == "expired"
        assert metric(provider, "proposals_waiting") == 0
        leave_proposal(root, clock.now(), version=1)
        time.sleep(0.6)
        assert metric(provider, "proposals_waiting") == 0, "version 1 is in force"
        assert len(noted(provider, "a proposal waits for people")) == 1


@on_file
def test_two_officers_sign_a_tightening_beyond_its_caps_by_its_file(tmp_path: Path) -> None:
    text = f"{HEAD}{CAPS}tightening:{stop_tier(1)}\n{TAIL}"
    with served(tmp_path / "p", policy_text=text) as provider:
        ann = provider.person("+254700000001", "Ann", funds=1_000_000, tier=1)
        ben = provider.person("+254700000002", "Ben")
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(100, "KES"))
        file, now = provider.folder.database_file, provider.clock.now()
        for tier, count in ((1, 60), (2, 60)):
            add_customers(file, f"t{tier}", count, now, tier=tier, trust="software")
        leave_run(provider.folder, replace(
            (run := run_of(Verdict.FAIL, now - 1, "run-1")),
            observations=(replace(run.observations[0], check="probe.1"),),
        ))  # fmt: skip
        place = provider.folder.root / "proposals"
        until(lambda: bool(list(place.glob("tpr_*.json"))))
        (path,) = place.glob("tpr_*.json")
        until(lambda: bool(noted(provider, "a tightening is beyond its caps")))
        (told,) = noted(provider, "a tightening is beyond its caps")
        assert (told["entry"], told["kind"]) == ("stop-1", "tightening")
        (soon,) = found_by_doctor(provider, "proposals")
        assert soon.state is State.SOON
        assert "stop-1 waits for two officers" in soon.says
        shown = tallystick("policy", "tightening", "show", provider.folder.root, "--json")
        assert shown.code == 0, shown.all
        told_by = json.loads(shown.out)
        assert told_by["waiting"][0]["id"] == path.name.removesuffix(".json")
        (entry,) = told_by["entries"]
        would = entry["would_touch"][""]
        assert (would["customers"], would["of_customers"]) == (60, 120)
        assert "one beginning may touch 12.00 %" in entry["beyond"][""]
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(100, "KES"))
        secret = tmp_path / "secret"
        secret.write_bytes(provider.secret.reveal())
        secret.chmod(0o600)
        for name in ("officer-1", "officer-2"):
            assert metric(provider, "tightenings_in_force") == 0
            signed = tallystick(
                "policy", "tightening", "approve", path, "--officer", name,
                "--key-file", provider.folder.offline / f"{name}.key", "--secret-file", secret,
            )  # fmt: skip
            assert signed.code == 0, signed.all
            time.sleep(0.5 if name == "officer-1" else 0)
        until(lambda: metric(provider, "tightenings_in_force") == 1)
        until(lambda: bool(list(place.glob("tpr_*.signed.done"))))
        assert not list(place.glob("tpr_*.json")), "nothing waits any more"
        assert found_by_doctor(provider, "tightenings")[0].state is State.FINE
        until(lambda: bool(noted(provider, "a proposal waits no more")))
        assert noted(provider, "a proposal waits no more")[0]["why"] == "approved"
        (waited, began) = tightenings_in(provider.folder)
        assert (waited.proposed, waited.ended) == (True, "approved")
        assert (began.proposed, began.customers, began.until) == (False, 60, 0)
        kinds = [one.what for one in recount(provider.folder, Instant(now))]
        order = [one for one in kinds if one.startswith("policy.")]
        assert order[-3:] == [
            "policy.tightening-proposed", "policy.proposal-ended", "policy.tightened",
        ]  # fmt: skip
        shown = tallystick("policy", "tightening", "show", provider.folder.root)
        assert "counted when it began: 60 of 120 customers" in shown.out.replace("\n", " ")


@on_file
def test_doctor_misses_the_key_and_finds_a_measure_that_does_not_verify(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        assert found_by_doctor(provider, "tightening key")[0].state is State.FINE
        now = provider.clock.now()
        leave_run(provider.folder, run_of(Verdict.FAIL, now - 1, "run-1"))
        until(lambda: metric(provider, "tightenings_in_force") == 1)
    assert found_by_doctor(provider, "tightenings")[0].state is State.FINE
    raw(provider.folder.stored(), "UPDATE policy_measure SET evidence = 'another'")
    (wrong,) = found_by_doctor(provider, "tightenings")
    assert wrong.state is State.WRONG
    assert "not what was signed" in wrong.says
    assert "A stored tightening does not verify" in wrong.remedy
    (provider.folder.root / "keys" / "tightening.block").unlink()
    (key,) = found_by_doctor(provider, "tightening key")
    assert key.state is State.WRONG
    assert "none can begin" in key.says


def test_a_policy_without_tightenings_needs_no_key(tmp_path: Path) -> None:
    text = demo_text().split("\ntightening:\n")[0] + TAIL
    with served(tmp_path / "p", policy_text=text) as provider:
        assert found_by_doctor(provider, "tightening key") == []


def test_rounds_stand_between_the_events_of_the_log(provider: Served) -> None:
    line = LoopLine(
        v=1, at=provider.clock.now(), round=7, turned=(),
        residual={"pin": Moved(before=Level(risk=1, open=1), after=Level(risk=9, open=4))},
        policy_version=1, proposal=DIGEST, findings=(), satisfied=1, rows=2, in_effect=3,
        controls=5, fallen=("attestation",),
    )  # fmt: skip
    replace_file(provider.folder.root / LINES_FILE, line_octets(line))
    time.sleep(0.01)
    provider.open_customer("+254700000009", "Zoe")
    changes = recount(provider.folder, Instant(0))
    place = next(n for n, one in enumerate(changes) if one.what == "loop.round")
    assert (
        changes[place].says == f"round=7 controls=3/5 open=4 fallen=attestation proposal={DIGEST}"
    )
    assert changes[place].who == "the loop"
    assert any(one.what.startswith("customer.opened") for one in changes[place + 1 :])
    ran = tallystick("timeline", provider.folder.root)
    assert ran.code == 0, ran.all
    assert "loop.round" in ran.out
