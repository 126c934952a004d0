"""The platform on three nodes of a database that fail one after the other, under load."""

import shutil
import time
from pathlib import Path

import pytest
from simulators.cluster import backup, commands, faults, nodes, whole
from simulators.cluster.layout import ROOT, Layout
from tests.support.load import PENNY, Load, check
from tests.support.toured import toured

from tallystick.entry.auditing import audit_provider, believed, read_anchor
from tallystick.entry.moving import proof_of
from tallystick.entry.restoring import back_up, restore
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.store.address import parse_address
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.infrastructure.tally.findings import FindingKind
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Conflict
from tallystick.protocol.payments import PaymentKind

MISSING = commands.missing()
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(MISSING is not None, reason=f"no cluster here: {MISSING}"),
]
AT_MOST_S = {"kill-postgres": 5.0, "kill-host": 25.0, "stop-postgres": 28.0, "cut-link": 28.0}
"""Seconds without an acknowledged payment that a fault may cost."""


@pytest.fixture(scope="module")
def cluster():
    layout = Layout(ROOT / "var" / "ha-test")
    try:
        whole.up(layout)
    except Conflict as error:
        pytest.skip(f"no cluster here: {error}")
    yield layout
    whole.down(layout, wipe=True)
    shutil.rmtree(layout.folder / "certificates")


@pytest.fixture(scope="module")
def ground(cluster: Layout, tmp_path_factory: pytest.TempPathFactory):
    with toured(tmp_path_factory.mktemp("platform"), cluster.url()) as (provider, cast):
        yield cluster, provider, cast


@pytest.mark.requirement("MFS-7.3.3-06")
def test_no_acknowledged_payment_is_lost_whatever_node_fails(ground, record_property) -> None:
    layout, provider, cast = ground
    load = Load(cast, payers=6)
    load.wait_for(50)
    silent: dict[str, float] = {}
    for name in AT_MOST_S:
        nodes.wait_whole(layout)
        load.wait_for(200, 60)
        struck = time.monotonic()
        faults.inflict(layout, name, nodes.primary(layout))
        load.wait_for(100, 90)
        faults.heal(layout)
        load.wait_for(100, 60)
        silent[name] = round(load.silence_s(struck), 2)
        record_property(name, silent[name])
        print(f"{name}: {silent[name]} s without an acknowledgement")
    nodes.wait_whole(layout)
    record_property("acknowledged", len(load.receipts))
    print(f"{len(load.receipts)} payments acknowledged, none lost")
    check(provider, load)
    assert {name: s for name, s in silent.items() if s > AT_MOST_S[name]} == {}


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_database_brought_back_to_a_moment_is_whole_and_goes_on_under_a_new_name(
    ground, tmp_path: Path
) -> None:
    layout, provider, cast = ground
    nodes.wait_whole(layout)
    provider.stop()
    provider.serve(provider.port)
    ann = cast.person("+254700000201", "Ann", funds=100_000)
    cast.open_customer("+254700000202", "Ben")
    backup.take(layout)
    kept = [ann.wallet.pay(PaymentKind.P2P, "+254700000202", PENNY).receipt for _ in range(5)]
    time.sleep(2.5)  # the newest checkpoint is stored with the next second
    with open_snapshot(parse_address(layout.url())) as live:
        moment = live.rows("SELECT pg_current_wal_lsn()::text")[0][0]
    lost = [ann.wallet.pay(PaymentKind.P2P, "+254700000202", PENNY).receipt for _ in range(3)]
    provider.stop()
    backup.finish_segment(layout)
    target = layout.folder / "restored"  # where the database account may go
    url = backup.restore(layout, moment, target)
    try:
        copied = ProviderFolder(tmp_path / "copy")
        shutil.copytree(provider.folder.root, copied.root)
        copied.save_place(parse_address(url))
        with open_snapshot(copied.stored()) as restored:
            assert proof_of(restored).events > 0
        taken = back_up(copied, tmp_path / "backup", SystemClock().now())
        anchors = []
        for number, receipt in enumerate([*kept, *lost]):
            file = tmp_path / f"receipt-{number}.json"
            file.write_bytes(encode_canonical(receipt))
            anchors.append(read_anchor(file, believed(copied)))
        done = restore(
            tmp_path / "backup",
            ProviderFolder(tmp_path / "again"),
            SystemClock().now(),
            operating_system,
            anchors=anchors,
        )
        assert done.before.endswith("/tally/1")
        assert done.origin.endswith("/tally/2")
        assert 0 < done.lost <= 4
        assert taken.events == done.event
        whole_again = audit_provider(ProviderFolder(tmp_path / "again"), anchors[:5])
        # What the log itself says that it lost, and nothing else.
        kinds = {one.kind for one in whole_again.findings}
        assert kinds <= {FindingKind.ROLLED_BACK, FindingKind.CHECKPOINT_MISSING}, kinds
    finally:
        backup.stop(target)
        shutil.rmtree(target, ignore_errors=True)
