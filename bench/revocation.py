"""From a revocation to the last answer that it should have prevented: `python -m bench.revocation`.

Two fronts and the writer serve. A device is suspended or removed, or all sessions of a customer are
ended, by an operator's act; meanwhile sealed requests of the device go to each front over many
connections, and a menu that was dialled before is gone on with. The time runs from before the act
is sent to the last answer that still went well, on any channel and front; answers are watched for a
second beyond it. A device that was suspended or removed is given no new session either.
"""

import re
import socket
import statistics
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulators.aggregator import Aggregator, DialledSession
from simulators.cast import Cast, Person

from bench.approval import Sealed
from bench.population import Population, populate
from tallystick.entry.partner_settings import PartnerLink
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import NotPermitted
from tallystick.protocol.approvals import InboxAsked
from tallystick.protocol.authentication import EndSessions
from tallystick.protocol.devicelife import EndDevice
from tallystick.protocol.operators import SuspendDevice

MOST_S, WATCHED_S, LONGEST_S = 5.0, 1.0, 30.0
CONNECTIONS, ROUNDS = 12, 5
LINK = PartnerLink(name="bench-menus")
Rows = list[dict[str, Any]]
Probe = Callable[[], bool]
"""Whether a request of the person still goes well."""


class Front:
    """A connection that stays with the front which accepted it."""

    def __init__(self, url: str, person: Person) -> None:
        parts = urlsplit(url)
        self._sock = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
        self._person = person

    def port(self) -> int:
        """Our port of it."""
        return int(self._sock.getsockname()[1])

    def goes_well(self) -> bool:
        """Whether a sealed request is answered with 200."""
        body = Sealed(self._person, "approval.inbox", InboxAsked(after=0)).body
        head = (
            "POST /v1/approvals/inbox HTTP/1.1\r\nhost: bench\r\n"
            f"content-type: application/cose\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._sock.sendall(head.encode() + body)
        return _status(self._sock) == 200

    def close(self) -> None:
        """End it."""
        self._sock.close()


def _status(sock: socket.socket) -> int:
    octets = b""
    while b"\r\n\r\n" not in octets:
        octets += sock.recv(65536)
    head, _, rest = octets.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head)
    left = int(found.group(1)) - len(rest) if found else 0
    while left > 0:
        left -= len(sock.recv(65536))
    return int(head[9:12])


def owner_of(port: int, pids: list[int]) -> int:
    """Which of `pids` has the other end of the connection from our `port`."""
    inodes = {
        row[9]
        for row in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if int(row[2].rsplit(":", 1)[1], 16) == port
    }
    for pid in pids if inodes else ():
        for one in Path(f"/proc/{pid}/fd").iterdir():
            target = str(one.readlink()) if one.is_symlink() else ""
            if target.startswith("socket:[") and target[8:-1] in inodes:
                return pid
    raise AssertionError(f"none of the service's processes has the connection from {port}")


def _may_begin(person: Person) -> bool:
    """Whether the device is given a new session."""
    try:
        person.session.establish()
    except NotPermitted:
        return False
    return True


def _menu(aggregator: Aggregator, session: DialledSession) -> Probe:
    there_and_back = cycle(("8", "0"))

    def probe() -> bool:
        return not aggregator.type(session, next(there_and_back)).ends

    return probe


def watched(probes: dict[str, Probe], revoke: Callable[[], object]) -> dict[str, float]:
    """Seconds from before `revoke` to the last good answer of each probe; all are good before."""
    for name, probe in probes.items():
        if not probe():
            raise AssertionError(f"{name} is refused before anything was revoked")
    began = time.monotonic()
    revoke()
    last = dict.fromkeys(probes, time.monotonic() - began)
    while time.monotonic() < began + max(last.values()) + WATCHED_S:
        for name, probe in probes.items():
            if probe():
                last[name] = time.monotonic() - began
        if max(last.values()) > LONGEST_S:
            break
        time.sleep(0.02)
    return last


class Stage:
    """A served provider with two fronts, and what revokes."""

    def __init__(self, population: Population) -> None:
        assert population.cast
        self._population = population
        self._cast: Cast = population.cast
        secret = population.link_secrets[LINK.name]
        self._aggregator = Aggregator(LINK.name, secret, population.url, SystemClock())
        self.fronts: set[int] = set()

    def revoked(self, act: str, person: Person) -> dict[str, float]:
        """Last good answers by channel after `act`."""
        person.session.establish()
        care = self._cast.operators["care-desk"][0]
        device, because = person.keystore.identity().device, "measured"
        links = [Front(self._population.url, person) for _ in range(CONNECTIONS)]
        probes: dict[str, Probe] = {}
        for at, link in enumerate(links):
            link.goes_well()
            pid = owner_of(link.port(), self._population.pids())
            self.fronts.add(pid)
            probes[f"app, front {pid}, connection {at}"] = link.goes_well
        body: Any = SuspendDevice(device=device, suspend=True, because=because)
        if act == "remove-device":
            body = EndDevice(device=device, how="steal", because=because)
        elif act == "end-sessions":
            body = EndSessions(customer=person.customer, because=because)
            session = self._aggregator.session(person.number)
            self._aggregator.call(session)
            probes["dialled menu"] = _menu(self._aggregator, session)
        try:
            last = watched(probes, lambda: care.act(act, body))
        finally:
            for link in links:
                link.close()
        if act != "end-sessions" and _may_begin(person):
            raise AssertionError(f"a new session was given after {act}")
        return last


ACTS = ("suspend-device", "remove-device", "end-sessions")


def run(quick: bool = False) -> Rows:
    """The longest of all rounds, for each act."""
    rounds = 1 if quick else ROUNDS
    with populate(rounds * len(ACTS), "--workers", "2", aggregators=(LINK,)) as population:
        stage = Stage(population)
        people = iter(population.people)
        found = {act: [stage.revoked(act, next(people)) for _ in range(rounds)] for act in ACTS}
    return [_row(act, seen, len(stage.fronts)) for act, seen in found.items()]


def _row(act: str, rounds: list[dict[str, float]], fronts: int) -> dict[str, Any]:
    every = [max(one.values()) for one in rounds]
    channels = sorted({name.split(",")[0] for one in rounds for name in one})
    return {
        "name": f"refused after {act}", "value": round(max(every), 3), "unit": "s, the longest",
        "bound": MOST_S, "floor": "",
        "load": f"{', '.join(channels)}; {CONNECTIONS} connections over {fronts} fronts,"
        f" {len(rounds)} rounds, median {statistics.median(every):.3f} s, the act included",
        "met": max(every) <= MOST_S,
    }  # fmt: skip


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
