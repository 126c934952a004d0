"""Programs that the cluster needs: run, started in a node, and looked for before anything begins.

Source: ip-netns(8); setpriv(1)
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from simulators.cluster.layout import POSTGRESQL, ROOT, Layout, Node
from tallystick.kernel.errors import NotPermitted, Unavailable

ACCOUNT = "postgres"
AS_ACCOUNT = ("setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--")
REQUIREMENTS = ROOT / "deploy" / "ha" / "requirements.txt"
PYTHON = Path("/usr/bin/python3")
SETSID = "/usr/bin/setsid"
NEEDED = {
    "ip": "apt-get install iproute2",
    "setpriv": "apt-get install util-linux",
    SETSID: "apt-get install util-linux",
    "etcd": "apt-get install etcd-server",
    "etcdctl": "apt-get install etcd-client",
    str(PYTHON): "apt-get install python3 python3-venv",
    str(POSTGRESQL / "postgres"): "apt-get install postgresql-15",
}


def missing() -> str | None:
    """Why the cluster cannot run on this machine and what to do about it; None if it can.

    Source: capabilities(7)
    """
    if os.geteuid() != 0:
        return "network namespaces and other accounts take root: run it as root"
    for program, remedy in NEEDED.items():
        if shutil.which(program) is None:
            return f"{program} is missing: {remedy}"
    return None


def demand() -> None:
    """NotPermitted with the reason and the remedy if the cluster cannot run here.

    Source: capabilities(7)
    """
    reason = missing()
    if reason is not None:
        raise NotPermitted(reason)


def run(*command: str | Path, check: bool = True, timeout_s: float = 60) -> str:
    """What `command` printed; Unavailable with what it complained of if it failed and `check`.

    Source: exec(3)
    """
    try:
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True, text=True, check=False, timeout=timeout_s,
            stdin=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end within {timeout_s:.0f} s") from error
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-800:]
        raise Unavailable(f"{' '.join(str(word) for word in command[:6])}: {said}")
    return done.stdout


def start_in(node: Node, log: Path, *command: str | Path, environment: dict[str, str]) -> None:
    """Start `command` in the node as the database's account, its output added to `log`.

    Source: ip-netns(8); setpriv(1)
    """
    inside = ("ip", "netns", "exec", node.namespace, *AS_ACCOUNT)
    start_apart(log, *inside, *command, environment=environment, folder=node.folder)


def start_apart(
    log: Path, *command: str | Path, environment: Mapping[str, str] = os.environ, folder: Path
) -> None:
    """Start `command` as nobody's child, so that it outlives this process and leaves no zombie.

    Source: setsid(1)
    """
    with log.open("ab") as output:
        subprocess.run(
            [SETSID, "--fork", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            check=True, env=dict(environment), cwd=folder,
        )  # fmt: skip


def wait_until(
    true: Callable[[], bool], what: str, *, timeout_s: float, every_s: float = 0.2
) -> float:
    """Ask until it is so; the seconds it took. Unavailable naming `what` when the time is over.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > timeout_s:
            raise Unavailable(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(every_s)
    return time.monotonic() - began


def prepare_environment(layout: Layout) -> None:
    """Patroni in an environment of its own, every package by its hash, once.

    Debian's interpreter makes it: the account postgres cannot run one below another's home.
    Source: PostgreSQL 15, 27
    """
    done = layout.environment / "complete"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(layout.environment, ignore_errors=True)
    run(PYTHON, "-m", "venv", layout.environment, timeout_s=120)
    run(
        layout.environment / "bin" / "pip", "install", "--quiet", "--require-hashes",
        "--requirement", REQUIREMENTS, timeout_s=600,
    )  # fmt: skip
    done.write_text(wanted, encoding="utf-8")


def demand_reachable(layout: Layout) -> None:
    """NotPermitted unless the database's account can reach the cluster's folder.

    Source: path_resolution(7)
    """
    for folder in (ROOT / "deploy" / "ha", layout.folder):
        reached = run(*AS_ACCOUNT, "sh", "-c", f"cd '{folder}' && echo here", check=False)
        if reached.strip() != "here":
            raise NotPermitted(
                f"the account {ACCOUNT} cannot enter {folder}: put it where it can, "
                "TALLYSTICK_HA_FOLDER names another folder"
            )
