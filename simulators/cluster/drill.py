"""Faults under load: how long nothing was acknowledged, and whether anything acknowledged was lost.

Source: ISO/TS 12812-2:2017, 7.3.3; PostgreSQL 15, 27
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from simulators.cluster import faults, nodes
from simulators.cluster.commands import run, wait_until
from simulators.cluster.layout import Layout, Node
from tallystick.kernel.errors import NotFound

SCRIPT = Path(__file__).with_name("acknowledged.py")
INSISTING = 9
WARM_ACKNOWLEDGEMENTS = 200
PATIENCE_S = 90
OUTLASTS_A_LEASE_S = 25.0
BILLION = 1_000_000_000
PAUSE_S = 0.004
OFTEN_QUIET_S = 0.3


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of a journal; times are of the monotonic clock, in ns.

    Source: RFC 8259
    """

    writer: int
    id: int
    began: int
    done: int
    end: str
    server: str


class Load:
    """Four writers beside this process, as long as it is entered.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self, layout: Layout, log: Path, *, stubborn: Node | None = None, pause_s: float = PAUSE_S
    ) -> None:
        """Say where to note, which node one more writer insists on, and how long each pauses.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._layout = layout
        self.log = log
        self._stubborn = stubborn
        self._pause_s = pause_s

    def __enter__(self) -> Self:
        self._script("prepare", self._layout.url())
        words = [str(self._python), str(SCRIPT), "write", self._layout.url()]
        words += [str(self.log), str(self._pause_s)]
        if self._stubborn is not None:
            words.append(self._layout.url(self._stubborn.address, writable=False))
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, cwd="/")
        wait_until(
            lambda: len(self.acknowledged()) >= WARM_ACKNOWLEDGEMENTS,
            "the writers are under way",
            timeout_s=PATIENCE_S,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    @property
    def _python(self) -> Path:
        return self._layout.environment / "bin" / "python3"

    def attempts(self) -> list[Attempt]:
        """All whole lines so far.

        Source: RFC 8259
        """
        if not self.log.is_file():
            return []
        text = self.log.read_text(encoding="utf-8")
        return [Attempt(**json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]

    def acknowledged(self, after: int = 0) -> list[Attempt]:
        """What the four writers began after that moment and got acknowledged, as it was done.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        found = [
            one
            for one in self.attempts()
            if one.began > after and one.end in {"acknowledged", "applied"}
            if one.writer != INSISTING
        ]
        return sorted(found, key=lambda one: one.done)

    def finish(self) -> None:
        """Let each writer end what it began.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def compare(self) -> dict[str, int]:
        """Acknowledged, lost, in doubt, as the primary has it now.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return dict(json.loads(self._script("compare", self._layout.url(), str(self.log))))

    def _script(self, *words: str) -> str:
        return run(self._python, SCRIPT, *words, timeout_s=120)


def _primary(layout: Layout) -> Node:
    return nodes.primary(layout)


def _primary_without_etcd_leader(layout: Layout) -> Node:
    """The primary, on a node whose etcd does not lead; the lead is moved if need be."""
    leading = nodes.etcd_leader(layout)
    if nodes.primary(layout) == leading:
        nodes.move_primary(layout, nodes.replica(layout))
    return nodes.primary(layout)


def _primary_with_etcd_leader(layout: Layout) -> Node:
    """The primary, on the node whose etcd leads too: two elections before a new one."""
    nodes.move_primary(layout, nodes.etcd_leader(layout))
    return nodes.primary(layout)


def _first_asked(layout: Layout) -> Node:
    """The node that clients ask first, as the primary: the worst one to go on without a Patroni."""
    nodes.move_primary(layout, layout.nodes[0])
    return nodes.primary(layout)


def _primary_on_small_disk(layout: Layout) -> Node:
    node = nodes.primary(layout)
    faults.give_small_disk(layout, node)
    return node


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault, its node, whether a stubborn writer stays with that node, and how long it lasts.

    A fault that interrupts lasts until something is acknowledged again, and `lasts_s` longer. Each
    writer pauses for `pause_s` after a row.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    fault: str
    target: Callable[[Layout], Node]
    insists: bool = False
    lasts_s: float = 4.0
    pause_s: float = PAUSE_S


DRILLS: dict[str, Drill] = {
    "postgres-killed": Drill("kill-postgres", _primary),
    "host-dead": Drill("kill-host", _primary_without_etcd_leader),
    "host-dead-with-etcd-leader": Drill("kill-host", _primary_with_etcd_leader),
    "primary-stopped": Drill("stop-postgres", _primary, insists=True),
    "link-cut": Drill("cut-link", _primary, insists=True),
    "patroni-killed": Drill("kill-patroni", _first_asked, insists=True, lasts_s=40),
    "patroni-killed-standby-late": Drill(
        "kill-patroni-blind-standby",
        _first_asked,
        insists=True,
        lasts_s=50,
        pause_s=OFTEN_QUIET_S,
    ),
    "etcd-member-killed": Drill("kill-etcd", nodes.etcd_leader, lasts_s=OUTLASTS_A_LEASE_S),
    "replica-dead": Drill("kill-host", nodes.replica, lasts_s=OUTLASTS_A_LEASE_S),
    "link-slow": Drill("slow-link", _primary),
    "primary-moved": Drill("move-primary", _primary),
    "disk-full": Drill("fill-disk", _primary_on_small_disk, lasts_s=OUTLASTS_A_LEASE_S),
}


def drill(layout: Layout, name: str) -> dict[str, Any]:
    """Do one drill on a whole cluster under load, heal it, and say in figures what was seen.

    Seconds: `first_acknowledged_s` from the fault to the end of the first statement that was begun
    after it; `longest_silence_s` without any acknowledgement; `whole_again_s` from healing on.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if name not in DRILLS:
        raise NotFound(f"no drill {name}: there are {', '.join(DRILLS)}")
    plan = DRILLS[name]
    nodes.wait_whole(layout)
    target = plan.target(layout)
    log = layout.folder / f"{name}.journal"
    log.unlink(missing_ok=True)
    before = nodes.primary(layout)
    stubborn = target if plan.insists else None
    with Load(layout, log, stubborn=stubborn, pause_s=plan.pause_s) as load:
        began = time.monotonic_ns()
        done = faults.inflict(layout, plan.fault, target)
        struck = time.monotonic_ns()
        _wait_for_acknowledgement(load, struck)
        time.sleep(plan.lasts_s)
        healing = time.monotonic_ns()
        whole_again = faults.heal(layout)
        time.sleep(1)
        load.finish()
        return {
            "drill": name, "fault": plan.fault, "node": target.name, "done": done,
            "primary_before": before.name, "primary_after": nodes.primary(layout).name,
            **_timings(load, began, struck, healing),
            "whole_again_s": round(whole_again, 2),
            **load.compare(),
            **_old_primary(load, struck, target),
            "copies_equal": _copies_equal(layout),
        }  # fmt: skip


def _wait_for_acknowledgement(load: Load, struck: int) -> None:
    wait_until(
        lambda: bool(load.acknowledged(struck)), "an acknowledgement after the fault",
        timeout_s=PATIENCE_S, every_s=0.25,
    )  # fmt: skip


def _timings(load: Load, began: int, struck: int, healing: int) -> dict[str, Any]:
    first = load.acknowledged(struck)[0]
    done = [one.done for one in load.acknowledged()]
    around = [moment for moment in done if moment > began - BILLION]
    calm = [one for one in load.acknowledged() if one.done < began]
    during = [one for one in load.acknowledged(struck) if first.done < one.done < healing]
    return {
        "first_acknowledged_s": _seconds(first.done - struck),
        "longest_silence_s": _seconds(max(after - earlier for earlier, after in pairwise(around))),
        "median_ms_before": _median_ms(calm),
        "median_ms_during": _median_ms(during),
    }


def _old_primary(load: Load, struck: int, target: Node) -> dict[str, int]:
    """What the struck node acknowledged after another had, the insisting writer included.

    `old_primary_late` was also begun after that and must be 0. `old_primary_settled` was begun
    before: its copy was with a standby already, or it counts as lost.
    """
    others = [one for one in load.acknowledged(struck) if one.server != target.address]
    if not others:
        return {"old_primary_late": 0, "old_primary_settled": 0}
    taken = others[0].done
    late = [
        one
        for one in load.attempts()
        if one.end == "acknowledged" and one.server == target.address and one.done > taken
    ]
    begun_late = sum(one.began > taken for one in late)
    return {"old_primary_late": begun_late, "old_primary_settled": len(late) - begun_late}


def _copies_equal(layout: Layout) -> bool:
    """Have all three nodes the same rows, once the standbys have caught up?"""
    statement = "SELECT count(*), md5(string_agg(id::text, ',' ORDER BY id)) FROM drill_row"

    def equal() -> bool:
        told = {nodes.ask(node, statement, database="tallystick") for node in layout.nodes}
        return len(told) == 1

    wait_until(equal, "the three copies are equal", timeout_s=30)
    return True


def _median_ms(attempts: list[Attempt]) -> float:
    lengths = sorted(one.done - one.began for one in attempts)
    return round(lengths[len(lengths) // 2] / 1_000_000, 1) if lengths else 0.0


def _seconds(nanoseconds: int) -> float:
    return round(nanoseconds / BILLION, 2)
