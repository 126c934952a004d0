"""etcd, Patroni and PostgreSQL of each node: configured, started, stopped and asked how they are.

Source: PostgreSQL 15, 27
"""

import contextlib
import http.client
import json
import os
import shutil
import ssl
from dataclasses import dataclass
from string import Template

from simulators.cluster import network, processes
from simulators.cluster.commands import ACCOUNT, run, start_in, wait_until
from simulators.cluster.layout import (
    ETCD_PORT,
    POSTGRESQL,
    REST_PORT,
    ROLE,
    ROOT,
    SUBNET,
    Layout,
    Node,
)
from tallystick.kernel.errors import Unavailable

TEMPLATES = ROOT / "deploy" / "ha"
CONNECTIONS = 60
SECONDS_TO_FORM = 120
SECONDS_TO_STOP = 20


@dataclass(frozen=True, slots=True)
class Member:
    """A node as the cluster's own members see it; `lag` is in bytes, -1 if it is not known.

    Source: PostgreSQL 15, 27.2
    """

    name: str
    role: str
    state: str
    timeline: int
    lag: int

    @property
    def leads(self) -> bool:
        """Is it the primary, and does it run as such?

        Source: PostgreSQL 15, 27
        """
        return self.role in {"leader", "primary"} and self.state == "running"

    @property
    def counts(self) -> bool:
        """Is it a standby whose copy of a commit counts, and is it receiving?

        Source: PostgreSQL 15, 27.2.8
        """
        return self.role in {"quorum_standby", "sync_standby"} and self.state == "streaming"


def configure(layout: Layout, node: Node) -> None:
    """Write the node's settings from the templates and make its folders.

    Source: PostgreSQL 15, 20
    """
    layout.archive.mkdir(parents=True, exist_ok=True)
    for folder in (node.folder, node.folder / "disk", node.sockets):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, ACCOUNT, ACCOUNT)
    shutil.chown(layout.archive, ACCOUNT, ACCOUNT)
    layout.archive.chmod(0o700)
    for name, text in rendered(layout, node).items():
        path = node.folder / name
        path.write_text(text, encoding="utf-8")
        shutil.chown(path, ACCOUNT, ACCOUNT)
        path.chmod(0o600)


def rendered(layout: Layout, node: Node) -> dict[str, str]:
    """The node's settings of etcd and of Patroni with PostgreSQL, by file name.

    Source: PostgreSQL 15, 20
    """
    values = {
        "NAME": node.name,
        "ADDRESS": node.address,
        "SUBNET": SUBNET,
        "CERTIFICATES": layout.certificates,
        "DATA": node.data,
        "ETCD_DATA": node.folder / "etcd",
        "ETCD_HOSTS": ",".join(f"{one.address}:{ETCD_PORT}" for one in layout.nodes),
        "ETCD_MEMBERS": ",".join(f"{one.name}=https://{one.address}:2380" for one in layout.nodes),
        "POSTGRESQL": POSTGRESQL,
        "SOCKETS": node.sockets,
        "ARCHIVE": layout.archive,
        "SCRIPTS": TEMPLATES,
        "CONNECTIONS": CONNECTIONS,
        "SHARED_BUFFERS": "128MB",
        "WAL_SIZE": "512MB",
        "WATCHDOG": "off",
    }
    return {
        name: Template((TEMPLATES / f"{name}.in").read_text(encoding="utf-8")).substitute(values)
        for name in ("etcd.yaml", "patroni.yaml")
    }


def start(layout: Layout, node: Node) -> None:
    """Start what does not run in the node: etcd, and Patroni, which starts PostgreSQL.

    Source: PostgreSQL 15, 27
    """
    environment = {
        "PATH": f"{POSTGRESQL}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(node.folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "ETCD_UNSUPPORTED_ARCH": os.uname().machine,
    }
    if not processes.of_kind(node, processes.ETCD):
        start_in(
            node, node.folder / "etcd.log",
            shutil.which("etcd") or "etcd", "--config-file", node.folder / "etcd.yaml",
            environment=environment,
        )  # fmt: skip
    if not processes.of_kind(node, processes.PATRONI):
        start_in(
            node, node.folder / "patroni.log",
            layout.environment / "bin" / "patroni", node.folder / "patroni.yaml",
            environment=environment,
        )  # fmt: skip


def stop(node: Node) -> None:
    """End Patroni and with it PostgreSQL, then etcd; what does not end is killed.

    Source: PostgreSQL 15, 19.5
    """
    for kind in (processes.PATRONI, processes.POSTGRES, processes.ETCD):
        processes.end(node, kind, timeout_s=SECONDS_TO_STOP)
    processes.kill_kinds(node)


def members(layout: Layout) -> list[Member]:
    """What the first node that answers says of all; empty if none does.

    Source: RFC 9110
    """
    for node in layout.nodes:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            told = json.loads(_get(layout, node, REST_PORT, "/cluster"))
            return [
                Member(
                    name=one["name"],
                    role=one["role"],
                    state=one["state"],
                    timeline=int(one.get("timeline", 0)),
                    lag=one["lag"] if isinstance(one.get("lag"), int) else -1,
                )
                for one in told["members"]
            ]
    return []


def primary(layout: Layout) -> Node:
    """The node that leads now; Unavailable if none does.

    Source: PostgreSQL 15, 27
    """
    for member in members(layout):
        if member.leads:
            return layout.node(member.name)
    raise Unavailable("no node leads at this moment")


def replica(layout: Layout) -> Node:
    """The first node that does not lead but counts; Unavailable if there is none.

    Source: PostgreSQL 15, 27
    """
    for member in members(layout):
        if member.counts:
            return layout.node(member.name)
    raise Unavailable("no standby counts at this moment")


def whole(layout: Layout) -> bool:
    """One primary, two standbys that count, all on one timeline, and three members of etcd.

    The primary itself says who streams from it at this moment; what the members have noted of each
    other may be as old as the lease.
    Source: PostgreSQL 15, 27.2.8
    """
    told = members(layout)
    return (
        sum(one.leads for one in told) == 1
        and sum(one.counts for one in told) == len(layout.nodes) - 1
        and len({one.timeline for one in told}) == 1
        and _streaming(layout, primary(layout)) == len(layout.nodes) - 1
        and all(etcd_healthy(layout, node) for node in layout.nodes)
    )


def _streaming(layout: Layout, node: Node) -> int:
    """How many standbys that count stream from the node, as it says itself; 0 if it does not lead.

    Source: PostgreSQL 15, 27.2.5.2
    """
    try:
        told = json.loads(_get(layout, node, REST_PORT, "/patroni"))
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    if told.get("role") not in {"primary", "master"} or told.get("state") != "running":
        return 0
    standbys = told.get("replication") or []
    return sum(
        one.get("state") == "streaming" and one.get("sync_state") in {"quorum", "sync"}
        for one in standbys
    )


def wait_whole(layout: Layout, *, timeout_s: float = SECONDS_TO_FORM) -> float:
    """The seconds until all of it was whole again; Unavailable, with what was not, if it is not.

    Source: PostgreSQL 15, 27.2.8
    """
    try:
        return wait_until(lambda: whole(layout), "the cluster", timeout_s=timeout_s)
    except Unavailable as error:
        told = ", ".join(f"{one.name} {one.role} {one.state}" for one in members(layout))
        raise Unavailable(
            f"the cluster is not whole after {timeout_s:.0f} s ({told or 'no node answers'}); "
            f"look at {layout.folder}/node*/patroni.log, or begin anew with `down --wipe` and `up`"
        ) from error


def etcd_healthy(layout: Layout, node: Node) -> bool:
    """Does the node's member of etcd answer, and has it a leader?

    Source: RFC 9110
    """
    try:
        told = json.loads(_get(layout, node, ETCD_PORT, "/health"))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return bool(told.get("health") == "true")


def etcd_leader(layout: Layout) -> Node:
    """The node whose member leads etcd; Unavailable if none says so.

    Source: PostgreSQL 15, 27
    """
    for node in layout.nodes:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            text = _get(layout, node, ETCD_PORT, "/metrics")
            if "\netcd_server_is_leader 1" in text:
                return node
    raise Unavailable("no member leads etcd at this moment")


def ask(node: Node, statement: str, *, database: str = "postgres") -> str:
    """What the node's PostgreSQL answers to its own superuser, over the Unix socket.

    Source: PostgreSQL 15, 34
    """
    return run(
        "setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--",
        POSTGRESQL / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
        "--set", "ON_ERROR_STOP=1", "--host", node.sockets, "--username", "postgres",
        "--dbname", database, "--command", statement,
    ).strip()  # fmt: skip


def move_primary(layout: Layout, target: Node) -> None:
    """Hand the lead over to `target`, in order and without loss; nothing if it leads already.

    Source: PostgreSQL 15, 27.3
    """
    if primary(layout) == target:
        return
    run(
        layout.environment / "bin" / "patronictl", "--config-file",
        layout.nodes[0].folder / "patroni.yaml",
        "switchover", "tallystick", "--candidate", target.name, "--force", timeout_s=90,
    )  # fmt: skip
    wait_until(lambda: primary(layout) == target, f"{target.name} leads", timeout_s=60)
    wait_whole(layout)


def client_context(layout: Layout) -> ssl.SSLContext:
    """TLS towards the nodes: their authority only, and the platform's certificate.

    Source: RFC 8446
    """
    context = ssl.create_default_context(cafile=str(layout.certificates / "ca.crt"))
    context.load_cert_chain(
        layout.certificates / f"{ROLE}.crt", layout.certificates / f"{ROLE}.key"
    )
    return context


def _get(layout: Layout, node: Node, port: int, path: str) -> str:
    if network.condition(node) in {"cut", "absent"}:
        raise OSError(f"{node.name} has no link")
    connection = http.client.HTTPSConnection(
        node.address, port, timeout=2, context=client_context(layout)
    )
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        text = reply.read().decode()
    finally:
        connection.close()
    if reply.status != http.HTTPStatus.OK:
        raise OSError(f"{node.name} answered {reply.status}")
    return text
