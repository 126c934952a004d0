"""What one decision costs on the demonstration policy, over facts as a busy service sees them.

Run: `python -m bench.policy_decision`. Times one call after another on a warm index; the cost of
reading the clock is in the figures. `first` is a combination of words that was never met before.
"""

import random
import statistics
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import tallystick.process.policy
from tallystick.process.policy import CompiledPolicy, Facts, compile_policy, decide, read_policy

DEMO = Path(tallystick.process.policy.__file__).parent / "defaults" / "demo.yaml"
CALLS = 50_000
DIFFERENT = 5_000
DAY_MS = 86_400_000
BOUND_P99_US = 50.0
BOUND_MEDIAN_US = 3.0

DOORS = [
    ("app", "device-signed-attested", "attested-hardware", ("possession", "inherence")),
    ("app", "device-signed", "software", ("possession", "knowledge")),
    ("ussd", "pin-verified", "none", ("possession", "knowledge")),
    ("web", "passkey", "none", ("possession", "inherence")),
    ("agent", "agent-assisted", "software", ("possession", "knowledge")),
]


def some_facts(seed: int = 12812) -> list[Facts]:
    """Payments of every door, kind, tier and size; one in fifty meets a failed dependency."""
    source = random.Random(seed)
    found: list[Facts] = []
    for _ in range(DIFFERENT):
        channel, grade, trust, factors = source.choices(DOORS, [40, 25, 25, 5, 5])[0]
        found.append(
            Facts(
                operation="pay",
                channel=channel,
                tier=source.choice([0, 1, 1, 1, 2, 2, 3]),
                device_trust=trust,
                account_status=source.choices(["active", "suspended"], [98, 2])[0],
                kind=source.choices(["p2p", "merchant", "cash-out"], [50, 40, 10])[0],
                grade=grade,
                factors=factors,
                amount_minor=int(source.lognormvariate(11, 2)) + 1,
                currency="KES",
                payee_known=source.random() < 0.7,
                device_age_ms=source.randrange(400 * DAY_MS),
                account_age_ms=source.randrange(900 * DAY_MS),
                minute_of_day=source.randrange(1440),
                recent_failures=source.choices([0, 1, 2, 3], [90, 6, 3, 1])[0],
                risk_score=min(1000, int(source.expovariate(1 / 120))),
                degraded=(("fraud-score", 1000),) if source.random() < 0.02 else (),
            )
        )
    return found


def _timed(policy: CompiledPolicy, facts: list[Facts], calls: int) -> list[int]:
    spent: list[int] = []
    for number in range(calls):
        one = facts[number % len(facts)]
        start = perf_counter_ns()
        decide(policy, one, subject="ord_x")
        spent.append(perf_counter_ns() - start)
    return sorted(spent)


def run() -> list[dict[str, Any]]:
    """Median, p99 and first-met cost of a decision with its permit, in microseconds."""
    facts = some_facts()
    policy = compile_policy(read_policy(DEMO.read_text(encoding="utf-8")))
    words = {(f.channel, f.tier, f.account_status, f.kind, f.payee_known): f for f in facts}
    first = _timed(policy, list(words.values()), len(words))
    spent = _timed(policy, facts, CALLS)
    load = f"{CALLS} payments, {len(words)} combinations, {len(policy.policy.decisions)} rows"
    return [
        {
            "name": f"policy decision, {name}",
            "value": round(nanoseconds / 1000, 2),
            "bound": bound,
            "unit": "us",
            "load": load,
        }
        for name, nanoseconds, bound in (
            ("median", statistics.median(spent), BOUND_MEDIAN_US),
            ("p99", spent[int(len(spent) * 0.99)], BOUND_P99_US),
            ("first, median", statistics.median(first), BOUND_P99_US),
        )
    ]


if __name__ == "__main__":
    for line in run():
        print(f"{line['name']:28} {line['value']:8} {line['unit']} (bound {line['bound']})")
