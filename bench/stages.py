"""Where each microsecond of a payment goes: `python -m bench.stages`.

The served process is the ordinary one with a stop-watch around the functions below; the stop-watch
itself costs about half a microsecond a call, so the shares matter more than the sum.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import get_ident
from typing import Any

from bench.payment import drive
from bench.population import populate, sealed_orders

CLIENTS = 64
STAGES: tuple[tuple[str, str, str], ...] = (
    (
        "tallystick.entry.http.lane:LaneProtocol.data_received",
        "HTTP in, session, decoding",
        "front",
    ),
    ("tallystick.entry.http.lane:LaneProtocol._respond", "HTTP out, with the system call", "front"),
    ("tallystick.entry.http.front:open_request", "open the sealed request", "front"),
    ("tallystick.entry.http.front:seal_reply", "seal the reply", "front"),
    ("tallystick.entry.http.sealed:verify_signed", "consent: form, quote hash, MAC", "front"),
    (
        "tallystick.infrastructure.crypto.ecdsa:Es256VerifyKey.verify",
        "consent: P-256 signature",
        "front",
    ),
    ("tallystick.entry.http.sealed:answer_of", "receipt and reply as JSON", "front"),
    ("tallystick.application.writer:prefetch", "bring rows into memory", "decide"),
    ("tallystick.application.desks:Desks.place", "session, device, order, answer", "decide"),
    (
        "tallystick.application.policing.service:PolicyInForce.decide",
        "decision of the policy",
        "decide",
    ),
    ("tallystick.application.payments.service:facts_of", "facts of the decision", "decide"),
    ("tallystick.application.book:LedgerBook.pay", "limits and double entry", "post"),
    ("tallystick.application.desks:Desks.collect", "balances and lines as rows", "post"),
    ("tallystick.application.payments.service:Payments._kept", "evidence sealed", "record"),
    (
        "tallystick.application.payments.proof:Proofs.commitments",
        "salted commitments of the fields",
        "record",
    ),
    (
        "tallystick.application.payments.service:Payments._record",
        "order row, disclosures",
        "record",
    ),
    ("tallystick.application.turn:Turn.record", "event as canonical JSON", "record"),
    ("tallystick.infrastructure.tally.archive:Archive.append", "leaf hashes and tree", "record"),
    ("tallystick.infrastructure.store.commit:GroupCommit.write", "SQL statements", "store"),
    (
        "tallystick.infrastructure.store.commit:GroupCommit.commit",
        "COMMIT (CPU, own thread)",
        "store",
    ),
    ("tallystick.infrastructure.tally.archive:Archive.sign", "checkpoint signed", "record"),
    ("tallystick.application.writer:Writer._recorded", "inclusion proof and receipt", "record"),
    ("tallystick.application.desks:Desks.trim", "forget what is over capacity", "store"),
)


class StopWatch:
    """CPU time of stages by thread, each without the stages inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, list[int]] = {}
        self._stacks: dict[int, list[int]] = {}

    def reset(self) -> None:
        """Begin anew."""
        for entry in self.spent.values():
            entry[:] = [0, 0]

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` with the stop-watch around it."""
        entry = self.spent[name] = [0, 0]
        stacks, now = self._stacks, time.thread_time_ns

        def timed(*arguments: Any, **named: Any) -> Any:
            stack = stacks.setdefault(get_ident(), [])
            stack.append(0)
            began = now()
            try:
                return function(*arguments, **named)
            finally:
                took = now() - began
                entry[0] += 1
                entry[1] += took - stack.pop()
                if stack:
                    stack[-1] += took

        return timed


def place_of(path: str) -> tuple[Any, str]:
    """The module or class that a stage's function hangs on, and the function's name there."""
    module, _, name = path.partition(":")
    owner: Any = import_module(module)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, last


def watch(folder: Path) -> None:
    """Put the stop-watch around all stages; SIGUSR1 resets it, SIGUSR2 writes stages.json."""
    clock = StopWatch()
    for path, _, _ in STAGES:
        owner, last = place_of(path)
        setattr(owner, last, clock.around(path, getattr(owner, last)))

    def write(*_: object) -> None:
        (folder / "stages.json").write_text(json.dumps(clock.spent), encoding="utf-8")

    signal.signal(signal.SIGUSR1, lambda *_: clock.reset())
    signal.signal(signal.SIGUSR2, write)


def run(count: int = 6_000) -> list[tuple[str, str, float]]:
    """Group, stage and CPU us a payment of each stage, and of what is in none of them."""
    with populate(128, "--stages") as population:
        orders, _ = sealed_orders(population, count)
        os.kill(population.process.pid, signal.SIGUSR1)
        time.sleep(0.1)
        before = population.server_cpu_s()
        drive(population.url, orders, CLIENTS)
        total = (population.server_cpu_s() - before) / count * 1e6
        os.kill(population.process.pid, signal.SIGUSR2)
        target = population.folder / "stages.json"
        while not target.exists():
            time.sleep(0.05)
        time.sleep(0.2)
        spent = json.loads(target.read_text(encoding="utf-8"))
    found = [(group, words, spent[path][1] / count / 1000) for path, words, group in STAGES]
    rest = total - sum(us for _, _, us in found)
    return [*found, ("loop", "event loop, kernel, log, metrics, the stop-watch", rest)]


def lines(found: list[tuple[str, str, float]]) -> list[str]:
    """The stages as a table, dearest group first."""
    groups: dict[str, float] = {}
    for group, _, us in found:
        groups[group] = groups.get(group, 0.0) + us
    total = sum(groups.values())
    shown = [f"{'':8} {'all':50} {total:6.1f} us"]
    for group in sorted(groups, key=lambda name: -groups[name]):
        shown.append(f"{group:8} {'':50} {groups[group]:6.1f} us")
        for _, words, us in sorted(
            (one for one in found if one[0] == group), key=lambda one: -one[2]
        ):
            shown.append(f"{'':8} {words:50} {us:6.1f} us {'#' * round(us / 2)}")
    return shown


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(run())) + "\n")
