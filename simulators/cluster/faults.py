"""What goes wrong with machines and cables, done to one node, and the way back.

Source: ISO/TS 12812-2:2017, 7.3.3; signal(7)
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from simulators.cluster import network, nodes, processes
from simulators.cluster.commands import ACCOUNT, run
from simulators.cluster.layout import Layout, Node
from tallystick.kernel.errors import NotFound

SLOW_MS = 25
SMALL_DISK_MEGABYTES = 900
FILLER = "filler"


def kill_postgres(layout: Layout, node: Node) -> str:
    """SIGKILL to every process of the node's PostgreSQL; Patroni and etcd stay.

    Source: signal(7)
    """
    return f"killed {processes.kill_once(node, processes.POSTGRES)} processes of PostgreSQL"


def kill_host(layout: Layout, node: Node) -> str:
    """SIGKILL to everything in the node, until nothing is left: the machine has no power.

    Source: signal(7)
    """
    return f"killed all {processes.kill_kinds(node)} processes"


def stop_postgres(layout: Layout, node: Node) -> str:
    """SIGSTOP to every process of the node's PostgreSQL: it is there and does nothing.

    Source: signal(7)
    """
    pids = processes.of_kind(node, processes.POSTGRES)
    processes.signal_all(pids, signal.SIGSTOP)
    return f"stopped {len(pids)} processes of PostgreSQL"


def continue_postgres(layout: Layout, node: Node) -> str:
    """SIGCONT to every process of the node's PostgreSQL: it goes on as if no time had passed.

    Source: signal(7)
    """
    pids = processes.of_kind(node, processes.POSTGRES)
    processes.signal_all(pids, signal.SIGCONT)
    return f"continued {len(pids)} processes of PostgreSQL"


def cut_link(layout: Layout, node: Node) -> str:
    """Packets of the node vanish in both directions.

    Source: bridge(8)
    """
    network.cut(node)
    return "cut the link"


def slow_link(layout: Layout, node: Node) -> str:
    """Packets of the node take 25 ms longer in each direction.

    Source: packet(7)
    """
    network.slow(node, SLOW_MS)
    return f"every packet takes {SLOW_MS} ms longer"


def kill_etcd(layout: Layout, node: Node) -> str:
    """SIGKILL to the node's member of etcd.

    Source: signal(7)
    """
    return f"killed {processes.kill_kinds(node, processes.ETCD)} member of etcd"


def kill_patroni(layout: Layout, node: Node) -> str:
    """SIGKILL to the node's Patroni; PostgreSQL stays, and nobody watches it.

    Source: signal(7)
    """
    return f"killed {processes.kill_kinds(node, processes.PATRONI)} process of Patroni"


def kill_patroni_beside_a_blind_standby(layout: Layout, node: Node) -> str:
    """SIGKILL to the node's Patroni, while that of a standby does not reach etcd.

    The standby still answers who asks how far it is, and does not learn that another leads: it
    stays with the node and confirms its commits.
    Source: signal(7); ip-rule(8)
    """
    standby = nodes.replica(layout)
    network.blind(standby)
    killed = processes.kill_kinds(node, processes.PATRONI)
    return f"killed {killed} process of Patroni; {standby.name} does not reach etcd"


def fill_disk(layout: Layout, node: Node) -> str:
    """Fill the node's disk to the last byte, after it was given a small one.

    Source: PostgreSQL 15, 29.2
    """
    give_small_disk(layout, node)
    filler = node.folder / "disk" / FILLER
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) > 0:
                    pass
    return f"filled the disk with {filler.stat().st_size >> 20} MB"


def move_primary(layout: Layout, node: Node) -> str:
    """Hand the lead of the node over to another in order, as before maintenance.

    Source: PostgreSQL 15, 27.3
    """
    if nodes.primary(layout) != node:
        return "it did not lead"
    target = nodes.replica(layout)
    nodes.move_primary(layout, target)
    return f"handed the lead over to {target.name}"


FAULTS: dict[str, Callable[[Layout, Node], str]] = {
    "kill-postgres": kill_postgres,
    "kill-host": kill_host,
    "stop-postgres": stop_postgres,
    "continue-postgres": continue_postgres,
    "cut-link": cut_link,
    "slow-link": slow_link,
    "kill-etcd": kill_etcd,
    "kill-patroni": kill_patroni,
    "kill-patroni-blind-standby": kill_patroni_beside_a_blind_standby,
    "fill-disk": fill_disk,
    "move-primary": move_primary,
}


def inflict(layout: Layout, name: str, node: Node) -> str:
    """Do the fault to the node and say what was done; NotFound with the names there are.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    fault = FAULTS.get(name)
    if fault is None:
        raise NotFound(f"no fault {name}: there are {', '.join(FAULTS)}")
    return fault(layout, node)


def heal(layout: Layout, *, timeout_s: float = nodes.SECONDS_TO_FORM) -> float:
    """Undo every fault and start what is dead; the seconds until the cluster was whole.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for node in layout.nodes:
        (node.folder / "disk" / FILLER).unlink(missing_ok=True)
        processes.signal_all(processes.found(node), signal.SIGCONT)
        network.see(node)
        if network.condition(node) != "up":
            network.join(node)
        nodes.start(layout, node)
    return nodes.wait_whole(layout, timeout_s=timeout_s)


def give_small_disk(layout: Layout, node: Node) -> None:
    """Put the node's data on a small file system in memory; it is copied there from the primary.

    Nothing if it is there already. If the node leads, another takes over first and it leads again.
    Source: tmpfs(5)
    """
    disk = node.folder / "disk"
    if os.path.ismount(disk):
        return
    led = nodes.primary(layout) == node
    if led:
        nodes.move_primary(layout, nodes.replica(layout))
    nodes.stop(node)
    shutil.rmtree(node.data, ignore_errors=True)
    size = f"size={SMALL_DISK_MEGABYTES}m,mode=0755"
    run("mount", "-t", "tmpfs", "-o", size, "tmpfs", disk)
    shutil.chown(disk, ACCOUNT, ACCOUNT)
    nodes.start(layout, node)
    nodes.wait_whole(layout)
    if led:
        nodes.move_primary(layout, node)


def take_small_disk(layout: Layout, node: Node) -> None:
    """Put the node's data back on the disk of the machine; another takes over first if it leads.

    Source: tmpfs(5)
    """
    if nodes.primary(layout) == node:
        nodes.move_primary(layout, nodes.replica(layout))
    nodes.stop(node)
    run("umount", node.folder / "disk")
    nodes.start(layout, node)
    nodes.wait_whole(layout)


def take_small_disks(layout: Layout) -> None:
    """Unmount the small disks of nodes that do not run; their data is copied again at the start.

    Source: tmpfs(5)
    """
    for node in layout.nodes:
        disk: Path = node.folder / "disk"
        while os.path.ismount(disk):
            run("umount", disk)
