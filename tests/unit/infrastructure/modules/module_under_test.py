"""A software module for tests: fixed master key, simulated clock, seeded secrets."""

import random
from collections.abc import Iterable

from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.time import SimulatedClock

MASTER = bytes(range(32))


def build(
    purposes: Iterable[Purpose] = tuple(Purpose),
    *,
    master: bytes = MASTER,
    profile: str = "test",
    seed: int = 1,
    **more,
) -> SoftModule:
    return SoftModule(
        MasterKey(master).roots(purposes),
        SimulatedClock(),
        profile=profile,
        entropy=more.pop("entropy", random.Random(seed).randbytes),
        rules=more.pop("rules", EVERYTHING),
        **more,
    )
