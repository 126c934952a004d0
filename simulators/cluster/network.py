"""The nodes' network: a namespace for each, a cable from it to a bridge, the host as client.

Source: ip-netns(8); veth(4)
"""

import ipaddress
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from simulators.cluster.commands import run, start_apart, wait_until
from simulators.cluster.layout import (
    BRIDGE,
    CLIENT_ADDRESS,
    ETCD_PORT,
    ROOT,
    RUN,
    SUBNET,
    Layout,
    Node,
)
from tallystick.kernel.errors import Conflict


def build(layout: Layout) -> None:
    """Namespaces, cables and bridge, as far as they are not there; what was cut or slow is whole.

    Raises Conflict if another interface has an address of the subnet.
    Source: ip-netns(8)
    """
    _demand_free_subnet()
    if BRIDGE not in _interfaces():
        run("ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
    run("ip", "address", "replace", f"{CLIENT_ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    for node in layout.nodes:
        _plug(node)


def remove(layout: Layout) -> None:
    """No namespace, no cable and no bridge of the cluster is left; its processes end before.

    Source: ip-netns(8)
    """
    for node in layout.nodes:
        speed_up(node)
        if exists(node):
            run("ip", "netns", "delete", node.namespace)
        if node.link in _interfaces():
            run("ip", "link", "delete", node.link, check=False)
    if BRIDGE in _interfaces():
        run("ip", "link", "delete", BRIDGE)


def exists(node: Node) -> bool:
    """Is there a namespace for the node?

    Source: ip-netns(8)
    """
    return Path("/run/netns", node.namespace).exists()


def cut(node: Node) -> None:
    """Take the cable out of the bridge: packets vanish both ways, and nobody is told.

    Source: bridge(8)
    """
    speed_up(node)
    run("ip", "link", "set", node.link, "nomaster")


def join(node: Node) -> None:
    """Put the cable back into the bridge, without delay.

    Source: bridge(8)
    """
    speed_up(node)
    run("ip", "link", "set", node.link, "master", BRIDGE)
    run("ip", "link", "set", node.link, "up")


def slow(node: Node, milliseconds: int) -> None:
    """Every packet to and from the node takes so much longer, in each direction.

    A relay between cable and bridge does it, so that the kernel needs no delaying queue.
    Source: packet(7)
    """
    cut(node)
    near, far = _slow_ends(node)
    run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
    run("ip", "link", "set", near, "master", BRIDGE, "up")
    run("ip", "link", "set", far, "up")
    start_apart(
        RUN / f"{node.name}.relay.log",
        sys.executable, "-m", "simulators.cluster.relay",
        node.link, far, str(milliseconds), _pid_file(node), folder=ROOT,
    )  # fmt: skip
    wait_until(_pid_file(node).is_file, "the relay is under way", timeout_s=10)


def speed_up(node: Node) -> None:
    """End the node's relay if there is one; its cable stays out of the bridge.

    Source: packet(7)
    """
    path = _pid_file(node)
    if path.is_file():
        pid = int(path.read_text(encoding="ascii"))
        if _is_relay(pid):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not _is_relay(pid), "the relay ends", timeout_s=5)
        path.unlink()
    near, _ = _slow_ends(node)
    if near in _interfaces():
        run("ip", "link", "delete", near)


def blind(node: Node) -> None:
    """What runs in the node reaches no member of etcd any more, not even its own; all else goes on.

    Source: ip-rule(8)
    """
    if _is_blind(node):
        return
    # The rule for local addresses is the first of all; it gets a later place.
    _rule(node, "add", "pref", "10", "lookup", "local")
    _rule(node, "del", "pref", "0")
    _rule(node, "add", "pref", "5", "ipproto", "tcp", "dport", str(ETCD_PORT), "blackhole")


def see(node: Node) -> None:
    """What runs in the node reaches etcd again.

    Source: ip-rule(8)
    """
    if exists(node) and _is_blind(node):
        _rule(node, "add", "pref", "0", "lookup", "local")
        _rule(node, "del", "pref", "10")
        _rule(node, "del", "pref", "5")


def condition(node: Node) -> str:
    """Of the node's cable: `up`, `cut`, `slow` or `absent`.

    Source: bridge(8)
    """
    interface = _interfaces().get(node.link)
    if interface is None:
        return "absent"
    if _slow_ends(node)[0] in _interfaces():
        return "slow"
    return "up" if interface.get("master") == BRIDGE else "cut"


def _rule(node: Node, *words: str) -> str:
    return run("ip", "netns", "exec", node.namespace, "ip", "rule", *words)


def _is_blind(node: Node) -> bool:
    return f"dport {ETCD_PORT} blackhole" in _rule(node, "show")


def _plug(node: Node) -> None:
    """A namespace with one cable; each is made anew if half of it is missing."""
    if not exists(node):
        run("ip", "netns", "add", node.namespace)
    inside = ("ip", "netns", "exec", node.namespace)
    if node.link not in _interfaces():
        run("ip", "link", "add", node.link, "type", "veth",
            "peer", "name", "eth0", "netns", node.namespace)  # fmt: skip
    run(*inside, "ip", "link", "set", "lo", "up")
    run(*inside, "ip", "address", "replace", f"{node.address}/24", "dev", "eth0")
    run(*inside, "ip", "link", "set", "eth0", "up")
    join(node)


def _demand_free_subnet() -> None:
    subnet = ipaddress.ip_network(SUBNET)
    for name, interface in _interfaces().items():
        for address in interface.get("addr_info", []):
            inside = address["family"] == "inet" and (
                ipaddress.ip_address(address["local"]) in subnet
            )
            if inside and name != BRIDGE:
                raise Conflict(f"{name} already has {address['local']}, which is of {SUBNET}")


def _interfaces() -> dict[str, dict[str, Any]]:
    found = json.loads(run("ip", "-json", "address", "show"))
    return {one["ifname"]: one for one in found if "ifname" in one}


def _slow_ends(node: Node) -> tuple[str, str]:
    return f"{node.link}-s", f"{node.link}-f"


def _pid_file(node: Node) -> Path:
    return RUN / f"{node.name}.relay"


def _is_relay(pid: int) -> bool:
    try:
        words = Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"simulators.cluster.relay" in words
