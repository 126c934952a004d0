"""What one step of a dialled menu costs behind an aggregator: `python -m bench.ussd`.

The served process is the ordinary one; its CPU time is divided by the callbacks that it answered.
In the figure are the connection (a new one for each callback), HTTP, proof, form, history, menu,
quote and page. No PIN is typed: checking one is slow on purpose (Argon2id on a thread of its own)
and is left out, and so is the payment behind it, which `bench.payment` measures.
"""

import statistics
import time
from typing import Any

from simulators.aggregator import Aggregator

from bench.population import Population, populate
from tallystick.entry.partner_settings import PartnerLink
from tallystick.infrastructure.modules.clock import SystemClock

LINK = PartnerLink(name="bench-menus")
INPUTS = ("1", "0700000001", "50")
SESSIONS, QUICK_SESSIONS, ROUNDS = 600, 60, 3
BOUND_MS = 2.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """CPU milliseconds of the server for one callback, the median of three rounds."""
    sessions = QUICK_SESSIONS if quick else SESSIONS
    with populate(2, aggregators=(LINK,)) as population:
        secret = population.link_secrets[LINK.name]
        aggregator = Aggregator(LINK.name, secret, population.url, SystemClock())
        _round(population, aggregator, sessions // 4)
        rounds = [_round(population, aggregator, sessions) for _ in range(ROUNDS)]
    cpu_ms, rate = statistics.median(one for one, _ in rounds), max(one for _, one in rounds)
    return [
        {
            "name": "dialled step, server CPU",
            "value": round(cpu_ms, 3),
            "bound": BOUND_MS,
            "unit": "ms",
            "load": f"{sessions} sessions of {len(INPUTS) + 1} callbacks, one at a time"
            f" ({rate:.0f}/s); no PIN",
        }
    ]


def _round(population: Population, aggregator: Aggregator, sessions: int) -> tuple[float, float]:
    """CPU milliseconds a callback, and callbacks a second."""
    number = population.people[0].number
    before, began, steps = population.server_cpu_s(), time.monotonic(), 0
    for _ in range(sessions):
        session = aggregator.session(number)
        page = aggregator.call(session)
        for typed in (*(("0",) if "1 Go on" in page.text else ()), *INPUTS):
            page = aggregator.type(session, typed)
            steps += 1
        steps += 1
        if "Enter PIN" not in page.text:
            raise ValueError("the terms were not shown")
    spent = population.server_cpu_s() - before
    return spent / steps * 1000, steps / (time.monotonic() - began)


if __name__ == "__main__":
    for row in run():
        print(row)
