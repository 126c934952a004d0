"""What a message may suffer on its way: lost, doubled, late, overtaken by later ones."""

import random
from collections.abc import Iterator

from tallystick.kernel.model import Record


class Faults(Record, frozen=True, kw_only=True):
    """Shares of messages that suffer each fault, of steps at which a writer dies, and outages.

    `outages` homes are down at once or one after the other, each from `outage_ms[0]` to
    `outage_ms[1]`; a writer that died is back after `restart_ms`.
    """

    lost: float = 0.03
    doubled: float = 0.05
    late: float = 0.02
    late_ms: int = 900_000
    usual_ms: int = 8
    crash: float = 0.004
    restart_ms: int = 3_200
    outages: int = 2
    outage_ms: tuple[int, int] = (120_000, 900_000)


NO_FAULTS = Faults(lost=0, doubled=0, late=0, crash=0, outages=0)


class Network:
    """Draws the fate of each message; counts what it did."""

    def __init__(self, faults: Faults, dice: random.Random) -> None:
        self._faults = faults
        self._dice = dice
        self.counted = {"sent": 0, "lost": 0, "doubled": 0, "late": 0}

    def delays(self) -> Iterator[int]:
        """When the copies of one message arrive, in ms from now; none if it is lost.

        Delays are drawn one by one, so that messages overtake each other.
        """
        faults, dice = self._faults, self._dice
        self.counted["sent"] += 1
        if dice.random() < faults.lost:
            self.counted["lost"] += 1
            return
        copies = 1
        if dice.random() < faults.doubled:
            self.counted["doubled"] += 1
            copies = 2
        for _ in range(copies):
            if dice.random() < faults.late:
                self.counted["late"] += 1
                yield dice.randrange(1_000, faults.late_ms)
            else:
                yield 1 + int(dice.expovariate(1 / faults.usual_ms))
