"""Whether the time of an answer tells what was wrong: `python -m bench.guessing [SAMPLES]`.

A dialled PIN as its door checks it (counted, committed, hashed at a small cost, recorded,
committed), right, wrong, and of somebody who is blocked, in random order; wrong codes of
activations that exist and of such as do not, told without a bound. Two statistics of each pair:
Welch's t, and the probability that one takes longer than the other (0.5: no difference), which
large samples do not inflate.
"""

import math
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any

from tallystick.application.commands import Command, SetPin
from tallystick.application.own_commands import EquipProbe
from tallystick.application.pins import PinVerifier
from tallystick.application.proving import Equipped
from tallystick.application.tries import TryEnded, TryPin
from tallystick.application.typedcodes import KeyedCode
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.pin.wallet import PinCost
from tallystick.kernel.errors import MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer

SAMPLES = 10_000
COST = PinCost(memory_kib=256, passes=1)
MOST_LOPSIDED = 0.03
"""How far from even odds the order of two answers may be."""

_PIN, _WRONG = Secret("7391"), Secret("1357")
Rows = list[dict[str, Any]]
Times = dict[str, list[float]]


class Door:
    """Checks a PIN as the door of dialled menus does, without its network."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        inside, pepper = platform.module, platform.keys.newest(Purpose.PIN_PEPPER)
        assert isinstance(inside, SoftModule)
        self._verifier = PinVerifier(inside, inside, pepper, COST)

    def run(self, command: Command) -> MfsError | None:
        """Carry out and commit; gives the refusal."""
        (recorded,) = self._platform.writer.run((command,))
        reply = recorded.outcome.reply
        return reply if isinstance(reply, MfsError) else None

    def keyed(self, activation: str, code: Secret[str]) -> KeyedCode:
        """A code as the door hands it on."""
        return self._platform.desks.access.keyed(activation, code)

    def equip(self, number: int) -> Equipped:
        """A customer with an activation code."""
        told: list[Equipped] = []
        asked = OpenCustomer(
            name=f"Person {number}", msisdn=f"+2547{number:08d}", kind="person", tier=1
        )
        self.run(EquipProbe(asked, told.append))
        return told[0]

    def person(self, number: int) -> str:
        """A customer with the PIN."""
        one = self.equip(number)
        owner = one.customer
        kept = self._verifier.make(self._verifier.seal(_PIN, owner), owner, owner)
        code = self.keyed(one.activation, one.code)
        assert self.run(SetPin(one.customer, one.activation, code, kept)) is None
        return one.customer

    def try_pin(self, customer: str, pin: Secret[str]) -> bool:
        """One try; whether it was right."""
        held = isinstance(self.run(TryPin(customer)), NotAuthentic)
        kept = self._platform.desks.customers.get(customer).pin
        right = not held
        try:
            sealed = self._verifier.seal(pin, customer)
            if held:
                self._verifier.refuse(sealed, customer, customer)
            else:
                self._verifier.check(sealed, customer, customer, kept)
        except NotAuthentic:
            right = False
        self.run(TryEnded(customer, right=right, held=held))
        return right


def _timed(times: Times, name: str, act: Any) -> None:
    began = time.perf_counter_ns()
    act()
    times[name].append((time.perf_counter_ns() - began) / 1000)


def measure(door: Door, samples: int) -> Times:
    """Times in us by what was tried, in random order."""
    dice = random.Random(11)
    times: Times = {name: [] for name in ("right", "wrong", "blocked", "code", "no-code")}
    one, blocked = door.person(1), door.person(2)
    for _ in range(5):
        door.try_pin(blocked, _WRONG)
    in_a_row = 0
    for _ in range(samples):
        sort = dice.choice(("right", "wrong", "blocked"))
        if sort == "wrong" and in_a_row == 3:
            door.try_pin(one, _PIN)
            in_a_row = 0
        if sort == "blocked":
            _timed(times, sort, lambda: door.try_pin(blocked, _PIN))
            continue
        in_a_row = 0 if sort == "right" else in_a_row + 1
        pin = _PIN if sort == "right" else _WRONG
        _timed(times, sort, lambda pin=pin: door.try_pin(one, pin))
    _codes(door, times, samples // 10)
    return times


def _codes(door: Door, times: Times, samples: int) -> None:
    """Wrong codes of activations that exist, and of such as do not."""
    dice = random.Random(12)
    for number in range(samples):
        there = door.equip(1_000 + number)
        nowhere = "atv_" + there.activation[4:-4] + "zzzz"
        pair = [("code", there.activation), ("no-code", nowhere)]
        dice.shuffle(pair)
        for name, activation in pair:
            code = door.keyed(activation, Secret("0000-0000"))
            command = SetPin(there.customer, activation, code, bytes(48))
            _timed(times, name, lambda command=command: door.run(command))


def welch_t(one: list[float], other: list[float]) -> float:
    """Welch's t of two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)


def longer(one: list[float], other: list[float]) -> float:
    """How likely a random one of `one` is above a random one of `other`; ties count half."""
    ranked = sorted(other)
    below = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in one)
    return below / (2 * len(one) * len(other))


def run(quick: bool = False, samples: int = SAMPLES) -> Rows:
    """How far from even odds each pair is."""
    count = samples // 10 if quick else samples
    with tempfile.TemporaryDirectory() as root:
        folder, secret = ProviderFolder(Path(root) / "p"), Secret(os.urandom(32))
        text = demo_policy().replace("  backoff: PT1S", "  # backoff: PT1S")
        plan = Plan(
            provider="bench-wallet", currency="KES", country="254", profile="demo",
            policy_text=text, roles=("care-desk",),
        )  # fmt: skip
        set_up(folder, plan, secret, SystemClock())
        platform = open_platform(folder, secret)
        try:
            times = measure(Door(platform), count)
        finally:
            platform.close()
    return [
        _row(times, "right", "wrong", MOST_LOPSIDED),
        _row(times, "wrong", "blocked", MOST_LOPSIDED),
        # Who asks about an activation has its 128 random bits: that it exists is no secret of it.
        _row(times, "code", "no-code", None),
    ]


def _row(times: Times, one: str, other: str, bound: float | None) -> dict[str, Any]:
    first, second = times[one], times[other]
    odds = longer(first, second)
    off = abs(odds - 0.5)
    return {
        "name": f"time tells {one} from {other}", "value": round(off, 4), "unit": "off even odds",
        "bound": bound, "floor": "",
        "load": f"{len(first)} and {len(second)} samples, medians {statistics.median(first):.0f}"
        f" and {statistics.median(second):.0f} us, Welch t {welch_t(first, second):.1f},"
        f" longer with probability {odds:.3f}",
        "met": bound is None or off <= bound,
    }  # fmt: skip


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    for row in run(samples=wanted):
        print("+" if row["met"] else "x", row["name"], row["value"], row["unit"], "|", row["load"])
