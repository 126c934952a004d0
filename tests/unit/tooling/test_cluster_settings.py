"""The settings of the database cluster: what they promise, whom they let in, what is archived."""

import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from simulators.cluster import backup, commands
from simulators.cluster.drill import DRILLS
from simulators.cluster.faults import FAULTS, inflict
from simulators.cluster.layout import RUN, Layout
from simulators.cluster.nodes import Member, rendered

from tallystick.kernel.errors import Malformed, NotFound, NotPermitted

LAYOUT = Layout(Path("/srv/ha"))
ARCHIVE_WAL = commands.ROOT / "deploy" / "ha" / "archive-wal"


@pytest.fixture(params=LAYOUT.nodes, ids=lambda node: node.name)
def node(request):
    return request.param


def settings(node, name: str):
    return YAML(typ="safe").load(rendered(LAYOUT, node)[name])


def test_no_word_of_a_template_is_left_open(node) -> None:
    for text in rendered(LAYOUT, node).values():
        assert "${" not in text


def test_a_commit_waits_for_a_second_node_and_only_such_a_node_takes_over(node) -> None:
    shared = settings(node, "patroni.yaml")["bootstrap"]["dcs"]
    assert shared["synchronous_mode"] == "quorum"
    assert shared["synchronous_mode_strict"] is True
    assert shared["synchronous_node_count"] == 1
    parameters = settings(node, "patroni.yaml")["postgresql"]["parameters"]
    assert [parameters[name] for name in ("synchronous_commit", "fsync", "full_page_writes")] == [
        "on", "on", "on",
    ]  # fmt: skip


def test_a_primary_gives_up_before_another_takes_over(node) -> None:
    shared = settings(node, "patroni.yaml")["bootstrap"]["dcs"]
    assert shared["loop_wait"] + 2 * shared["retry_timeout"] <= shared["ttl"]
    assert shared["primary_start_timeout"] == 0


def test_only_certificates_and_the_own_account_come_in(node) -> None:
    lines = [line.split() for line in settings(node, "patroni.yaml")["postgresql"]["pg_hba"]]
    assert lines[0] == ["local", "all", "postgres", "peer"]
    assert all(line[0] == "hostssl" and line[-1] == "cert" for line in lines[1:])
    assert {line[2] for line in lines} == {"postgres", "replicator", "rewinder", "tallystick"}
    container = (commands.ROOT / "deploy" / "container" / "pg_hba.conf").read_text("utf-8")
    rules = [line.split() for line in container.splitlines() if not line.startswith("#")]
    assert {(rule[0], rule[-1]) for rule in rules} == {("local", "peer"), ("hostssl", "cert")}


def test_every_part_shows_and_demands_a_certificate(node) -> None:
    etcd = settings(node, "etcd.yaml")
    for side in ("client-transport-security", "peer-transport-security"):
        assert etcd[side]["client-cert-auth"] is True
    assert "http://" not in rendered(LAYOUT, node)["etcd.yaml"]
    assert etcd["enable-grpc-gateway"] is True
    patroni = settings(node, "patroni.yaml")
    assert patroni["restapi"]["verify_client"] == "required"
    assert patroni["etcd3"]["protocol"] == "https"
    for role in ("replication", "rewind"):
        assert patroni["postgresql"]["authentication"][role]["sslmode"] == "verify-full"
        assert "password" not in patroni["postgresql"]["authentication"][role]


def test_names_and_paths_fit(node) -> None:
    assert len(node.link) <= 15
    assert len(str(node.sockets / ".s.PGSQL.5432")) <= 107
    assert node.sockets.is_relative_to(RUN)


def test_the_address_names_all_nodes_and_verifies_them() -> None:
    url = LAYOUT.url()
    assert url.startswith(
        "postgresql://tallystick@10.77.0.11,10.77.0.12,10.77.0.13:5432/tallystick?"
    )
    assert "target_session_attrs=read-write" in url
    assert "sslmode=verify-full" in url
    assert "@10.77.0.12:5432/" in LAYOUT.url("10.77.0.12", writable=False)


def test_after_a_doubt_the_silent_host_is_asked_last() -> None:
    acknowledged = pytest.importorskip(
        "simulators.cluster.acknowledged", reason="psycopg is not installed"
    )
    hosts = [url.partition("@")[2].partition(":")[0] for url in acknowledged.orders(LAYOUT.url())]
    first, second, third = (node.address for node in LAYOUT.nodes)
    assert hosts == [
        f"{first},{second},{third}", f"{second},{third},{first}", f"{third},{first},{second}",
    ]  # fmt: skip
    assert all(
        "/tallystick?target_session_attrs=" in url for url in acknowledged.orders(LAYOUT.url())
    )


def test_every_drill_has_a_fault() -> None:
    assert {plan.fault for plan in DRILLS.values()} <= FAULTS.keys()
    with pytest.raises(NotFound, match="kill-host"):
        inflict(LAYOUT, "earthquake", LAYOUT.nodes[0])
    with pytest.raises(NotFound, match="node1, node2, node3"):
        LAYOUT.node("node4")


def test_who_leads_and_who_counts() -> None:
    def member(role: str, state: str) -> Member:
        return Member("node1", role, state, 1, 0)

    assert member("leader", "running").leads
    assert not member("leader", "starting").leads
    assert member("quorum_standby", "streaming").counts
    assert not member("replica", "streaming").counts
    assert not member("quorum_standby", "in archive recovery").counts


def test_what_is_missing_is_named_with_its_remedy(monkeypatch) -> None:
    monkeypatch.setattr(commands.os, "geteuid", lambda: 1000)
    with pytest.raises(NotPermitted, match="run it as root"):
        commands.demand()
    monkeypatch.setattr(commands.os, "geteuid", lambda: 0)
    monkeypatch.setattr(commands.shutil, "which", lambda name: None if name == "etcd" else name)
    with pytest.raises(NotPermitted, match="etcd is missing: apt-get install etcd-server"):
        commands.demand()


@pytest.mark.parametrize("moment", ["yesterday", "2026-01-31T10:00:00", "0/", "12", "0/G"])
def test_a_moment_that_says_too_little_is_refused(moment: str, tmp_path) -> None:
    with pytest.raises(Malformed):
        backup.restore(Layout(tmp_path), moment, tmp_path / "restored")


def test_the_newest_copy_before_the_moment_is_taken(tmp_path, monkeypatch) -> None:
    taken = [
        backup.Backup(f"b{hour}", "node2", f"2026-01-31T{hour}:00:00+00:00", f"{hour}/FF")
        for hour in (10, 11, 12)
    ]
    monkeypatch.setattr(backup, "backups", lambda layout: taken)
    monkeypatch.setattr(backup, "_folder", lambda layout: tmp_path)
    chosen = backup._newest_before
    assert chosen(LAYOUT, "2026-01-31T11:59:59+00:00").name == "b11"
    assert chosen(LAYOUT, "2026-01-31T13:00:00+02:00").name == "b11"
    assert chosen(LAYOUT, "12/100").name == "b12"
    assert chosen(LAYOUT, "12/FE").name == "b11"
    for early in ("2026-01-31T09:00:00+00:00", "1/0"):
        with pytest.raises(NotFound):
            chosen(LAYOUT, early)


def archive(segment: Path, target: Path) -> int:
    return subprocess.run([ARCHIVE_WAL, segment, target], check=False).returncode


def test_a_segment_is_archived_once_and_never_replaced(tmp_path) -> None:
    segment, shelf = tmp_path / "segment", tmp_path / "archive"
    shelf.mkdir()
    segment.write_bytes(b"wal" * 1000)
    assert archive(segment, shelf / "000000010000000000000001") == 0
    assert archive(segment, shelf / "000000010000000000000001") == 0
    segment.write_bytes(b"other")
    assert archive(segment, shelf / "000000010000000000000001") != 0
    assert (shelf / "000000010000000000000001").read_bytes() == b"wal" * 1000
    assert [one.name for one in shelf.iterdir()] == ["000000010000000000000001"]


def test_a_segment_that_cannot_be_archived_leaves_nothing(tmp_path) -> None:
    assert archive(tmp_path / "absent", tmp_path / "target") != 0
    segment = tmp_path / "segment"
    segment.write_bytes(b"wal")
    assert archive(segment, tmp_path / "no-folder" / "target") != 0
    assert [one.name for one in tmp_path.iterdir()] == ["segment"]
