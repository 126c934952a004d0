"""Three nodes of a database, their faults under load, and a database brought back to a moment."""

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from simulators.cluster import backup, commands, faults, network, nodes, processes, whole
from simulators.cluster.drill import Load, drill
from simulators.cluster.layout import BRIDGE, POSTGRESQL, ROOT, RUN, Layout

from tallystick.kernel.errors import Conflict, MfsError, NotFound, Unavailable

MISSING = commands.missing()
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(MISSING is not None, reason=f"no cluster here: {MISSING}"),
]

# Seconds without an acknowledgement that a fault may cost.
AT_MOST = {
    "postgres-killed": 5,
    "host-dead": 25,
    "host-dead-with-etcd-leader": 28,
    "primary-stopped": 28,
    "link-cut": 28,
    "patroni-killed": 12,
    "patroni-killed-standby-late": 12,
    "etcd-member-killed": 2,
    "replica-dead": 2,
    "link-slow": 5,
    "primary-moved": 10,
}
FAILS_OVER = {"postgres-killed", "host-dead", "host-dead-with-etcd-leader", "primary-stopped",
              "link-cut", "patroni-killed", "primary-moved"}  # fmt: skip
EITHER = {"patroni-killed-standby-late"}
"""Nobody takes over while the fault lasts; whoever is first afterwards leads."""


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this test alone, gone afterwards; skipped if another one has the addresses."""
    layout = Layout(ROOT / "var" / "ha-test")
    try:
        whole.up(layout)
    except Conflict as error:
        pytest.skip(f"no cluster here: {error}")
    yield layout
    whole.down(layout, wipe=True)
    shutil.rmtree(layout.folder / "certificates")


def psql(url: str, statement: str, *, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [POSTGRESQL / "psql", "--no-psqlrc", "--tuples-only", "--no-align", url, "--command",
         statement], capture_output=True, text=True, check=False, timeout=timeout_s,
    )  # fmt: skip


def value(url: str, statement: str) -> str:
    done = psql(url, statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", AT_MOST)
def test_nothing_acknowledged_is_lost(cluster, name: str) -> None:
    seen = drill(cluster, name)
    print(json.dumps(seen))
    assert seen["lost"] == 0
    assert seen["absent_but_there"] == 0, "what was answered as absent came later"
    assert seen["old_primary_late"] == 0, "an old primary acknowledged beside the new one"
    assert seen["copies_equal"]
    assert seen["acknowledged"] >= 500
    assert seen["longest_silence_s"] <= AT_MOST[name]
    if name not in EITHER:
        assert (seen["primary_after"] != seen["primary_before"]) == (name in FAILS_OVER)


def test_a_full_disk_loses_nothing(cluster) -> None:
    seen = drill(cluster, "disk-full")
    print(json.dumps(seen))
    assert seen["lost"] == 0
    assert seen["absent_but_there"] == 0
    assert seen["copies_equal"]


def test_a_lost_row_would_be_seen(cluster) -> None:
    with Load(cluster, cluster.folder / "control.journal") as load:
        load.finish()
        assert load.compare()["lost"] == 0
        value(cluster.url(), "DELETE FROM drill_row WHERE id IN (SELECT min(id) FROM drill_row)")
        assert load.compare()["lost"] == 1


def test_one_node_alone_acknowledges_nothing(cluster) -> None:
    value(cluster.url(), "DROP TABLE IF EXISTS told; CREATE TABLE told (what text)")
    alone = nodes.primary(cluster)
    for node in cluster.nodes:
        if node != alone:
            faults.kill_host(cluster, node)
    began = time.monotonic()
    while time.monotonic() - began < 20:
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = psql(cluster.url(), "INSERT INTO told VALUES ('on one disk')", timeout_s=5)
            assert done.returncode != 0, "acknowledged with one copy"
    faults.heal(cluster)
    value(cluster.url(), "INSERT INTO told VALUES ('on two disks')")
    assert value(cluster.url(), "SELECT count(*) FROM told WHERE what = 'on two disks'") == "1"


def test_it_is_brought_back_to_a_moment(cluster) -> None:
    url = cluster.url()
    value(url, "DROP TABLE IF EXISTS told; CREATE TABLE told (what text)")
    value(url, "INSERT INTO told VALUES ('before the copy')")
    taken = backup.take(cluster)
    assert taken in backup.backups(cluster)
    value(url, "INSERT INTO told VALUES ('after the copy')")
    place = value(url, "SELECT pg_current_wal_lsn()")
    time.sleep(0.2)
    moment = value(url, "SELECT clock_timestamp() AT TIME ZONE 'UTC'").replace(" ", "T") + "+00:00"
    time.sleep(0.2)
    value(url, "DELETE FROM told")
    for number, to in enumerate((moment, place)):
        folder = cluster.folder / f"restored{number}"
        shutil.rmtree(folder, ignore_errors=True)
        restored = backup.restore(cluster, to, folder)
        assert value(restored, "SELECT string_agg(what, ', ' ORDER BY what) FROM told") == (
            "after the copy, before the copy"
        )
        value(restored, "INSERT INTO told VALUES ('it takes writes')")
        backup.stop(folder)
        assert psql(restored, "SELECT 1").returncode != 0
        shutil.rmtree(folder)
    assert value(url, "SELECT count(*) FROM told") == "0"


def test_a_restore_says_what_it_lacks(cluster, tmp_path) -> None:
    with pytest.raises(NotFound, match="ended before"):
        backup.restore(cluster, "2020-01-01T00:00:00+00:00", tmp_path / "early")
    backup.take(cluster)
    late = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    folder = cluster.folder / "late"
    shutil.rmtree(folder, ignore_errors=True)
    with pytest.raises(Unavailable, match="recovery ended before"):
        backup.restore(cluster, late.isoformat(), folder)
    shutil.rmtree(folder)


def test_nobody_else_comes_in(cluster) -> None:
    url = cluster.url()
    assert value(url, "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "TLSv1.3"
    own = value(url, "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles "
                     "WHERE rolname = current_user")  # fmt: skip
    assert own == "f|f|f|f"
    assert value(url, "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database "
                      "WHERE datname = current_database()") == "UTF8|C"  # fmt: skip
    assert value(url, "SHOW data_checksums") == "on"
    assert psql(url.replace("sslmode=verify-full", "sslmode=disable"), "SELECT 1").returncode != 0
    without = re.sub(r"&sslcert=[^&]*&sslkey=[^&]*", "", url)
    assert psql(without, "SELECT 1").returncode != 0
    assert psql(url.replace("//tallystick@", "//postgres@"), "SELECT 1").returncode != 0
    assert psql(url.replace("/tallystick?", "/postgres?"), "SELECT 1").returncode != 0


def test_up_again_after_a_killed_run(cluster) -> None:
    before = {node.name: set(processes.of_kind(node, "patroni")) for node in cluster.nodes}
    whole.up(cluster)
    after = {node.name: set(processes.of_kind(node, "patroni")) for node in cluster.nodes}
    assert after == before, "what runs is left alone"
    first, second, third = cluster.nodes
    faults.slow_link(cluster, first)
    faults.cut_link(cluster, second)
    processes.kill_kinds(third)
    whole.up(cluster)
    assert nodes.whole(cluster)
    assert {network.condition(node) for node in cluster.nodes} == {"up"}


def test_another_folder_is_told_whose_the_addresses_are(cluster, tmp_path) -> None:
    with pytest.raises(Conflict, match=str(cluster.folder)):
        whole.up(Layout(tmp_path / "other"))


def test_the_command_tells_and_refuses(cluster) -> None:
    environment = os.environ | {"TALLYSTICK_HA_FOLDER": str(cluster.folder)}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "simulators.cluster", *words], cwd=ROOT, env=environment,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    told = command("status", "--json")
    assert told.returncode == 0, told.stderr
    assert {one["link"] for one in json.loads(told.stdout)} == {"up"}
    assert command("url").stdout.strip() == cluster.url()
    refused = command("fault", "cut-link", "node4")
    assert (refused.returncode, refused.stderr) == (
        2, "fault: no node node4: there are node1, node2, node3\n",
    )  # fmt: skip
    assert command("fault", "cut-link", "replica").returncode == 0
    assert command("status").returncode == 1
    assert command("heal").returncode == 0
    assert command("status").returncode == 0


def test_down_leaves_nothing(cluster) -> None:
    whole.down(cluster)
    assert not RUN.exists()
    for node in cluster.nodes:
        assert not network.exists(node)
        assert not processes.found(node)
    interfaces = commands.run("ip", "-oneline", "link", "show")
    assert "tally-" not in interfaces
    assert BRIDGE not in interfaces
    assert str(cluster.folder) not in commands.run("ps", "-eo", "args")
    assert str(cluster.folder) not in commands.run("mount")
    with pytest.raises(MfsError, match="no node leads"):
        nodes.primary(cluster)
    whole.up(cluster)
    assert nodes.whole(cluster), "its data are there again"
