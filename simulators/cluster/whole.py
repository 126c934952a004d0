"""The cluster as one thing: brought up, looked at, taken down; what a killed run left is no matter.

Source: PostgreSQL 15, 27
"""

import contextlib
import fcntl
import shutil
import signal
from collections.abc import Callable, Iterator

from simulators.cluster import backup, faults, network, nodes, processes
from simulators.cluster.certificates import prepare_certificates
from simulators.cluster.commands import demand, demand_reachable, prepare_environment
from simulators.cluster.layout import RUN, Layout
from tallystick.kernel.errors import Conflict

Tell = Callable[[str], None]
OWNER = RUN / "folder"
LOCK = RUN.with_suffix(".lock")
MADE = ("archive", "backups", "node1", "node2", "node3")


def up(layout: Layout, tell: Tell = print) -> float:
    """Make what is missing, start what is dead, undo every fault; seconds until it was whole.

    Raises NotPermitted with the remedy if this machine cannot, Conflict if another folder's
    cluster has the addresses.
    Source: PostgreSQL 15, 27
    """
    demand()
    with _alone(layout):
        layout.folder.mkdir(parents=True, exist_ok=True)
        demand_reachable(layout)
        tell("network: three namespaces and a bridge")
        network.build(layout)
        tell("certificates: an authority, nodes, roles")
        if prepare_certificates(layout):
            for node in layout.nodes:
                nodes.stop(node)
        tell("Patroni in an environment of its own")
        prepare_environment(layout)
        tell("etcd, Patroni and PostgreSQL on three nodes")
        for node in layout.nodes:
            nodes.configure(layout, node)
        return faults.heal(layout)


def down(layout: Layout, *, wipe: bool = False, tell: Tell = print) -> None:
    """End every process of the cluster, then its network; with `wipe` its data go as well.

    Source: PostgreSQL 15, 19.5
    """
    demand()
    with _alone(layout):
        backup.stop_all()
        for kind in (processes.PATRONI, processes.POSTGRES, processes.ETCD):
            for node in layout.nodes:
                processes.signal_all(processes.found(node), signal.SIGCONT)
                processes.signal_all(processes.of_kind(node, kind), signal.SIGTERM)
            for node in layout.nodes:
                processes.end(node, kind, timeout_s=nodes.SECONDS_TO_STOP)
        for node in layout.nodes:
            processes.kill_kinds(node)
        tell("every process ended")
        network.remove(layout)
        faults.take_small_disks(layout)
        tell("namespaces and bridge removed")
        if wipe:
            for name in MADE:
                shutil.rmtree(layout.folder / name, ignore_errors=True)
            tell("data, archive and backups wiped")
        shutil.rmtree(RUN, ignore_errors=True)


def running(layout: Layout) -> bool:
    """Does anything of it run?

    Source: proc(5)
    """
    return any(processes.found(node) for node in layout.nodes)


def status(layout: Layout) -> list[dict[str, str]]:
    """A line for each node: processes, what its members say of it, etcd, link.

    Source: PostgreSQL 15, 27
    """
    told = {one.name: one for one in nodes.members(layout)} if _has_certificates(layout) else {}
    lines = []
    for node in layout.nodes:
        kinds = list(processes.found(node).values())
        member = told.get(node.name)
        lines.append({
            "node": node.name,
            "address": node.address,
            "role": member.role if member else "unknown",
            "state": member.state if member else "unknown",
            "timeline": str(member.timeline) if member else "",
            "lag": str(member.lag) if member and member.lag >= 0 else "",
            "etcd": "healthy" if told and nodes.etcd_healthy(layout, node) else "silent",
            "link": network.condition(node),
            "processes": " ".join(f"{kind}:{kinds.count(kind)}" for kind in sorted(set(kinds))),
        })  # fmt: skip
    return lines


def _has_certificates(layout: Layout) -> bool:
    return (layout.certificates / "ca.crt").is_file()


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One at a time on the machine, and one folder as long as the cluster is there."""
    with LOCK.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("the cluster is being brought up or down right now") from error
        RUN.mkdir(exist_ok=True)
        owner = OWNER.read_text(encoding="utf-8") if OWNER.is_file() else str(layout.folder)
        if owner != str(layout.folder):
            raise Conflict(
                f"the addresses are those of the cluster in {owner}: end it with "
                f"TALLYSTICK_HA_FOLDER={owner} python -m simulators.cluster down"
            )
        OWNER.write_text(str(layout.folder), encoding="utf-8")
        yield
