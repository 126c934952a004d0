"""What one decision costs on the demonstration policy, over facts as a busy service sees them.

Run: `python -m bench.policy_decision`. Times one call after another on a warm index; the cost of
reading the clock is in the figures. `first` is a combination of words that was never met before.
`with its record` adds what makes the decision provable: the canonical facts, their commitment under
the payer's key, the leaf and its hash. Where cedarpy is installed, Cedar answers the same facts by
the export of the same policy, in the same run.
"""

import importlib
import random
import statistics
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import tallystick.process.policy
from tallystick.infrastructure.crypto.digest import hmac_sha256, sha256
from tallystick.infrastructure.tally.leaf import Commitments, encode_leaf
from tallystick.kernel.codec import encode_canonical
from tallystick.process.policy import CompiledPolicy, Facts, compile_policy, decide, read_policy
from tallystick.process.policy.cedar import cedar_policies, cedar_request
from tallystick.protocol.receipt import EventLeaf

DEMO = Path(tallystick.process.policy.__file__).parent / "defaults" / "demo.yaml"
CALLS = 50_000
DIFFERENT = 5_000
DAY_MS = 86_400_000
CEDAR_CALLS = 2_000
BOUND_P99_US = 50.0
BOUND_RECORD_P99_US = 300.0
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


def _timed(ask: Callable[[Facts], object], facts: list[Facts], calls: int) -> list[int]:
    spent: list[int] = []
    for number in range(calls):
        one = facts[number % len(facts)]
        start = perf_counter_ns()
        ask(one)
        spent.append(perf_counter_ns() - start)
    return sorted(spent)


def _with_record(policy: CompiledPolicy) -> Callable[[Facts], bytes]:
    """Decides and records: gives the hash of the leaf that commits to the facts."""

    def mac(message: bytes) -> bytes:
        return hmac_sha256(b"a payer's own key of 32 octets...", message)

    def ask(facts: Facts) -> bytes:
        decision = decide(policy, facts, subject="ord_x").decision
        commitments = Commitments("evt_x")
        commitments.commit(mac, {"facts": encode_canonical(facts).decode()})
        leaf = EventLeaf(
            id="evt_x",
            at=1_767_225_600_000,
            kind="payment",
            stage=decision.outcome.value,
            provider="bench",
            policy=decision.policy_version,
            p={"row": decision.row, "because": decision.because},
            c=commitments.texts(),
        )
        return sha256(encode_leaf(leaf))

    return ask


def _cedar(policy: CompiledPolicy, facts: list[Facts]) -> list[int]:
    """Times of Cedar on the same facts, its policies parsed once; nothing where it is missing."""
    if find_spec("cedarpy") is None:
        return []
    cedarpy: Any = importlib.import_module("cedarpy")
    prepared = cedarpy.PolicySet.from_str(cedar_policies(policy.policy))
    entities = cedarpy.Entities.from_json_str("[]")
    spent: list[int] = []
    for number in range(CEDAR_CALLS):
        request = cedar_request(facts[number % len(facts)])
        start = perf_counter_ns()
        answered = cedarpy.is_authorized(request, prepared, entities)
        spent.append(perf_counter_ns() - start)
        ours = policy.decide(facts[number % len(facts)]).outcome == "allow"
        if answered.allowed is not ours:
            raise ValueError("Cedar answers otherwise")
    return sorted(spent)


def run() -> list[dict[str, Any]]:
    """Median, p99 and first-met cost of a decision with its permit, in microseconds."""
    facts = some_facts()
    policy = compile_policy(read_policy(DEMO.read_text(encoding="utf-8")))
    words = {(f.channel, f.tier, f.account_status, f.kind, f.payee_known): f for f in facts}

    def ask(one: Facts) -> object:
        return decide(policy, one, subject="ord_x")

    first = _timed(ask, list(words.values()), len(words))
    spent = _timed(ask, facts, CALLS)
    recorded = _timed(_with_record(policy), facts, CALLS)
    figures: list[tuple[str, float, float | None]] = [
        ("median", statistics.median(spent), BOUND_MEDIAN_US),
        ("p99", _p99(spent), BOUND_P99_US),
        ("first, median", statistics.median(first), BOUND_P99_US),
        ("with its record, median", statistics.median(recorded), BOUND_RECORD_P99_US),
        ("with its record, p99", _p99(recorded), BOUND_RECORD_P99_US),
    ]
    cedar = _cedar(policy, facts)
    if cedar:
        figures.append(("by Cedar, median", statistics.median(cedar), None))
        figures.append(("by Cedar, p99", _p99(cedar), None))
    load = f"{CALLS} payments, {len(words)} combinations, {len(policy.policy.decisions)} rows"
    return [
        {
            "name": f"policy decision, {name}",
            "value": round(nanoseconds / 1000, 2),
            "bound": bound,
            "unit": "us",
            "load": load,
        }
        for name, nanoseconds, bound in figures
    ]


def _p99(spent: list[int]) -> int:
    return spent[int(len(spent) * 0.99)]


if __name__ == "__main__":
    for line in run():
        bound = "" if line["bound"] is None else f"(bound {line['bound']})"
        print(f"{line['name']:44} {line['value']:8} {line['unit']} {bound}")
