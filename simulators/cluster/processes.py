"""What runs in a node, found by its network namespace alone, so that leftovers are found as well.

Source: ip-netns(8); proc(5)
"""

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from simulators.cluster.commands import run, wait_until
from simulators.cluster.layout import POSTGRESQL, Node
from simulators.cluster.network import exists

POSTGRES, PATRONI, ETCD, OTHER = "postgres", "patroni", "etcd", "other"


def found(node: Node) -> dict[int, str]:
    """Every live process of the node by pid: postgres, patroni, etcd or other.

    Source: proc(5)
    """
    if not exists(node):
        return {}
    pids = [int(word) for word in run("ip", "netns", "pids", node.namespace).split()]
    return {pid: kind for pid in pids if (kind := _kind(pid)) is not None}


def of_kind(node: Node, *kinds: str) -> list[int]:
    """The pids of the node's processes of these kinds.

    Source: proc(5)
    """
    return [pid for pid, kind in found(node).items() if kind in kinds]


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send the signal to each that is still there.

    Source: kill(2)
    """
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_kinds(node: Node, *kinds: str) -> int:
    """SIGKILL, again until none of these kinds (every kind if none is named) is left; how many.

    Source: signal(7)
    """
    wanted = kinds or (POSTGRES, PATRONI, ETCD, OTHER)
    killed: set[int] = set()

    def none_left() -> bool:
        pids = of_kind(node, *wanted)
        killed.update(pids)
        signal_all(pids, signal.SIGKILL)
        return not pids

    wait_until(none_left, f"the processes of {node.name} end", timeout_s=15, every_s=0.01)
    return len(killed)


def kill_once(node: Node, *kinds: str) -> int:
    """SIGKILL to those of these kinds that there are now; what supervises them may start others.

    Source: signal(7)
    """
    pids = of_kind(node, *kinds)
    signal_all(pids, signal.SIGKILL)
    return len(pids)


def end(node: Node, kind: str, *, timeout_s: float) -> None:
    """SIGTERM to the kind, SIGKILL to what is left of it when the time is over.

    Source: signal(7)
    """
    signal_all(of_kind(node, kind), signal.SIGCONT)
    signal_all(of_kind(node, kind), signal.SIGTERM)
    with contextlib.suppress(Exception):
        wait_until(lambda: not of_kind(node, kind), f"{kind} ends", timeout_s=timeout_s)
    kill_kinds(node, kind)


def _kind(pid: int) -> str | None:
    """None for a process that is gone or a zombie."""
    proc = Path("/proc", str(pid))
    try:
        state = (proc / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        words = (proc / "cmdline").read_bytes().decode(errors="replace").split("\0")
        program = str((proc / "exe").readlink())
    except OSError:
        return None
    if state in {"Z", "X"}:
        return None
    if program == str(POSTGRESQL / "postgres"):
        return POSTGRES
    if Path(program).name == "etcd":
        return ETCD
    return PATRONI if any(word.endswith("/bin/patroni") for word in words[:3]) else OTHER
