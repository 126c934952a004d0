"""A hundred thousand acknowledged payments while processes, nodes, cables and disks fail in turn.

TALLYSTICK_SOAK_PAYMENTS says how many instead. Two services share the work, one writes and one
stands by, on a database of three nodes. A slow cable is the relay of `simulators.cluster`, which
stands in for a delaying queue of the kernel.
"""

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from simulators.cast import Cast
from simulators.cluster import commands, faults, nodes, whole
from simulators.cluster.layout import ROOT, Layout, Node
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.payers import Payers, Seen
from tests.support.ports import held_port
from tests.support.services import Service

from tallystick.entry.auditing import audit_provider
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Conflict
from tallystick.kernel.secret import Secret

MISSING = commands.missing()
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(MISSING is not None, reason=f"no cluster here: {MISSING}"),
]
PAYMENTS = int(os.environ.get("TALLYSTICK_SOAK_PAYMENTS", "110000"))
PEOPLE = 48
TILL = "500001"
FUNDS = 4_000_000
FULL_S = 8.0
OUTLASTS_A_LEASE_S = 25.0
NO_ROOM = "the database server has no room left"


@dataclass
class Ground:
    """A provider on three nodes, the service that writes, the one that stands by."""

    layout: Layout
    provider: TourProvider
    smsc: Smsc
    folder: Path
    ports: list[int]
    services: list[Service] = field(default_factory=list)

    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def writer(self) -> Service:
        return self.services[0]

    def serve(self, *options: str) -> Service:
        service = Service(self.folder, self.ports[len(self.services)], "--workers", "2", *options)
        self.services.append(service)
        return service

    def mend(self) -> bool:
        """If the one that stood by writes meanwhile, the other stands by; whether it was so."""
        former, other = self.services
        taken = other.says_more()
        if taken:
            other.until_serving()
            former.ended()
        elif former.process.poll() is not None:
            taken = True
            other.until_serving()
        if taken:
            self.taken_over()
        return taken

    def taken_over(self) -> None:
        """The one that stood by writes now; another stands by where the former writer was."""
        self.services.pop(0)
        self.ports.reverse()
        self.serve("--standby").until_waiting()

    def end(self) -> None:
        for service in self.services:
            if service.process.poll() is None:
                service.process.send_signal(signal.SIGCONT)
                service.end(signal.SIGTERM)
            service.ended()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[tuple[Ground, Cast]]:
    layout = Layout(Path(os.environ.get("TALLYSTICK_HA_FOLDER", ROOT / "var" / "ha-soak")))
    try:
        whole.down(layout, wipe=True)  # a run that was killed may have left its record
        whole.up(layout)
    except Conflict as error:
        pytest.skip(f"no cluster here: {error}")
    try:
        faults.give_small_disk(layout, nodes.primary(layout))
        with (
            held_port() as one,
            held_port() as other,
            served(layout, tmp_path, [one, other]) as made,
        ):
            yield made
    finally:
        whole.down(layout, wipe=True)
        shutil.rmtree(layout.folder / "certificates")


@contextmanager
def served(layout: Layout, folder: Path, ports: list[int]) -> Iterator[tuple[Ground, Cast]]:
    smsc = Smsc()
    provider = TourProvider(folder, Es256SigningKey.generate(), smsc, layout.url())
    codes = provider.set_up()
    ground = Ground(layout, provider, smsc, folder, ports)
    try:
        ground.serve().until_serving()
        ground.serve("--standby").until_waiting()
        settings = provider.folder.settings()
        cast = Cast(
            ground.urls()[0], settings.provider, settings.origin, settings.root.verify_key(),
            smsc, SystemClock(),
        )  # fmt: skip
        for role, code in codes:
            cast.join(role, Secret(code))
        try:
            yield ground, cast
        finally:
            cast.close()
    finally:
        ground.end()
        smsc.close()


def primary_of(ground: Ground) -> Node:
    return nodes.primary(ground.layout)


def on_primary(name: str, lasts_s: float = 0.0) -> Callable[[Ground], None]:
    """A fault of the cluster, done to the primary; it is undone by the phase's end."""

    def strike(ground: Ground) -> None:
        faults.inflict(ground.layout, name, primary_of(ground))
        time.sleep(lasts_s)

    return strike


def kill_writer(ground: Ground) -> None:
    assert ground.writer().end(signal.SIGKILL) == -signal.SIGKILL
    ground.services[1].until_serving()
    ground.taken_over()


def kill_front(ground: Ground) -> None:
    before = ground.writer().fronts()
    os.kill(before[0], signal.SIGKILL)
    commands.wait_until(
        lambda: len(set(ground.writer().fronts()) - {before[0]}) == len(before),
        "another front is started", timeout_s=20,
    )  # fmt: skip


def stop_writer(ground: Ground) -> None:
    """It stands still, another takes its place, it goes on and finds that it may not write."""
    former = ground.writer()
    former.process.send_signal(signal.SIGSTOP)
    ground.services[1].until_serving()
    former.process.send_signal(signal.SIGCONT)
    assert former.ended() == 3
    assert "another process has become the writer" in former.log.read_text()
    ground.taken_over()


def kill_etcd(ground: Ground) -> None:
    faults.inflict(ground.layout, "kill-etcd", nodes.etcd_leader(ground.layout))
    time.sleep(OUTLASTS_A_LEASE_S)


@dataclass(frozen=True)
class Phase:
    """A fault, and how many seconds without an acknowledgement it may cost."""

    name: str
    strike: Callable[[Ground], None]
    at_most_s: float


PHASES: tuple[Phase, ...] = (
    Phase("the primary's disk is full", on_primary("fill-disk", FULL_S), 25),
    Phase("the writer is killed", kill_writer, 15),
    Phase("a front is killed", kill_front, 8),
    Phase("PostgreSQL of the primary is killed", on_primary("kill-postgres"), 15),
    Phase("a member of etcd is killed", kill_etcd, 5),
    Phase("the writer stands still and goes on", stop_writer, 30),
    Phase("the primary's machine is lost", on_primary("kill-host"), 35),
    Phase("the primary stands still and goes on", on_primary("stop-postgres"), 45),
    Phase("the primary's cable is cut", on_primary("cut-link"), 40),
    Phase("the primary's cable is slow", on_primary("slow-link", 10), 8),
)


def test_no_acknowledged_payment_is_lost_or_doubled(
    ground: tuple[Ground, Cast],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, cast = ground
    cast.person("+254700000099", "Payee", kind="merchant", till=TILL)
    people = [
        cast.person(f"+2547000010{number:02}", f"Payer {number}", funds=FUNDS)
        for number in range(PEOPLE)
    ]
    payers = Payers(people, made.urls(), made.provider.folder.settings(), TILL, tmp_path)
    began = time.monotonic()
    slow: dict[str, float] = {}
    try:
        for number, phase in enumerate(PHASES, start=1):
            goal = PAYMENTS * number // len(PHASES)
            silent, why = play(made, payers, phase, goal)
            record_property(phase.name, f"{silent:.1f} s")
            so_far = stand(made, payers.seen())
            with capsys.disabled():
                print(f"{time.monotonic() - began:5.0f} s  {so_far}  {phase.name}: "
                      f"{silent:.1f} s silent, {dict(why)}", flush=True)  # fmt: skip
            assert not payers.seen().refused, payers.seen().refused[:3]
            if silent > phase.at_most_s:
                slow[phase.name] = silent
            if phase is PHASES[0]:
                assert any(NO_ROOM in one for one in why), why
                faults.take_small_disk(made.layout, small_one(made))
    finally:
        payers.end()
    nodes.wait_whole(made.layout)
    seen = payers.seen()
    rate = len(seen.acknowledged) / (time.monotonic() - began)
    made.mend()
    made.end()
    lost = check(made, seen)
    for name, value in (
        ("acknowledged", len(seen.acknowledged)), ("refused", len(seen.refused)),
        ("void", len(seen.void)), ("asked_again", len(seen.again)), ("lost", len(lost)),
        ("payments_per_s", round(rate)),
    ):  # fmt: skip
        record_property(name, value)
    assert len(seen.acknowledged) >= PAYMENTS
    assert not slow


def play(ground: Ground, payers: Payers, phase: Phase, goal: int) -> tuple[float, Counter[str]]:
    """One fault under load, undone, until `goal` are acknowledged; the longest silence, and why."""
    nodes.wait_whole(ground.layout)
    ground.mend()
    calm = len(payers.seen().acknowledged)
    payers.wait_for(calm + max(100, (goal - calm) // 3), 300)
    struck = time.monotonic()
    before = len(payers.seen().acknowledged)
    phase.strike(ground)
    if phase is not PHASES[0]:
        payers.wait_for(before + 100, 120)
    faults.heal(ground.layout)
    payers.wait_for(max(goal, len(payers.seen().acknowledged) + 100), 600)
    ground.mend()
    return payers.seen().silence_s(struck, time.monotonic()), payers.seen().why_again(struck)


def small_one(ground: Ground) -> Node:
    return next(one for one in ground.layout.nodes if os.path.ismount(one.folder / "disk"))


def stand(ground: Ground, seen: Seen) -> str:
    """How many were acknowledged, refused, and acknowledged but not in the database until now."""
    missing = {one["order"] for one in seen.acknowledged} - settled(ground)
    acknowledged, refused = len(seen.acknowledged), len(seen.refused)
    return f"{acknowledged:6} acknowledged  {refused} refused  {len(missing)} lost"


def settled(ground: Ground) -> set[str]:
    with open_reader(ground.provider.folder.stored()) as reader:
        return {
            row[0] for row in reader.rows("SELECT id FROM payment_order WHERE stage = 'settled'")
        }


def check(ground: Ground, seen: Seen) -> set[str]:
    """Each receipt is in the tally, each order in the ledger, once; all of it fits together."""
    with open_reader(ground.provider.folder.stored()) as reader:
        events = {index: (name, bytes(digest).hex()) for index, name, digest in reader.stream(
            "SELECT idx, event_id, leaf_hash FROM event")}  # fmt: skip
        posted = Counter(row[0] for row in reader.stream(
            "SELECT posting_id FROM transfer WHERE leg = 0 AND amount = 100"))  # fmt: skip
        twice = reader.rows(
            "SELECT posting_id FROM transfer GROUP BY posting_id, leg, kind HAVING count(*) > 1"
        )
        ((debit, credit),) = reader.rows(
            "SELECT sum(posted_debit), sum(posted_credit) FROM account"
        )
    there = settled(ground)
    orders = {one["order"] for one in seen.acknowledged}
    lost = {
        one["order"]
        for one in seen.acknowledged
        if one["order"] not in there
        or posted[one["order"]] != 1
        or events.get(one["index"]) != (one["order"], one["leaf"])
    }
    assert len(orders) == len(seen.acknowledged), "one order was acknowledged to two"
    assert not lost, f"{len(lost)} acknowledged payments are not there as acknowledged: {lost}"
    assert len({one["index"] for one in seen.acknowledged}) == len(orders)
    assert not twice
    assert debit == credit
    assert not {one["order"] for one in seen.void} & there, "void for its payer, and yet settled"
    assert not audit_provider(ground.provider.folder).findings
    assert copies(ground) == 1, "the three copies of the record differ"
    return lost


def copies(ground: Ground) -> int:
    """How many different records the three nodes have, once the standbys have all of it."""
    schema = (
        "SELECT count(*), md5(string_agg(encode(leaf_hash, 'hex'), '' ORDER BY idx)) FROM event"
    )

    def told() -> set[str]:
        return {nodes.ask(one, schema, database="tallystick") for one in ground.layout.nodes}

    commands.wait_until(lambda: len(told()) == 1, "the copies are equal", timeout_s=60)
    return len(told())
