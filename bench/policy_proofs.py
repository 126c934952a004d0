"""What it costs to prove a large policy: a thousand rows, each with bounds of its own.

Run: `python -m bench.policy_proofs`. The policy is the demonstration's frame around rows for every
tier, kind and door: what is stopped, what waits, what takes more, what is allowed. It is provable,
so every proof runs to its end.
"""

import random
from time import perf_counter
from typing import Any

from bench.policy_decision import DEMO
from tallystick.kernel.codec import encode
from tallystick.process.policy import compile_policy, read_policy

ROWS = 1_000
BOUND_S = 2.0
TIERS = 4
KINDS = ["p2p", "merchant", "cash-out", "salary", "refund"]
DOORS: list[tuple[dict[str, Any], str]] = [
    ({"channel": "app", "grade": ["device-signed", "device-signed-attested"]}, "two-operators"),
    ({"channel": "web", "grade": ["passkey", "device-signed-attested"]}, "two-operators"),
    ({"channel": "ussd", "grade": ["pin-verified", "sim-signed"]}, "device-signed-attested"),
    ({"channel": "agent", "grade": "agent-assisted"}, "device-signed-attested"),
    ({"channel": "scheduled", "grade": "standing-mandate"}, "device-signed-attested"),
]


def large_policy(rows: int = ROWS, seed: int = 12812) -> str:
    """The demonstration policy with `rows` rows in the place of its own."""
    text = DEMO.read_text(encoding="utf-8")
    head, _, rest = text.partition("decisions:\n")
    tail = rest[rest.index("\ndefault:") :]
    listed = "".join(f"  - {encode(row).decode()}\n" for row in _rows(rows, random.Random(seed)))
    return f"{head}decisions:\n{listed}{tail}"


def _rows(count: int, source: random.Random) -> list[dict[str, Any]]:
    places = [({"kind": kind} | when, grade) for kind in KINDS for when, grade in DOORS]
    each = count // (len(places) * TIERS)
    found: list[dict[str, Any]] = []
    for when, grade in places:
        found += _place({"operation": "pay"} | when, grade, each, source)
    return [row | {"id": f"r{number}"} for number, row in enumerate(found)]


def _place(
    when: dict[str, Any], grade: str, count: int, source: random.Random
) -> list[dict[str, Any]]:
    """`count` rows for each tier of one kind and door; a higher tier is stopped a little later."""
    floors = sorted(source.sample(range(100_000, 20_000_000), count - 4), reverse=True)
    hours = sorted(source.sample(range(50, 400), count - 4))
    risk, changed = source.randrange(800, 900), source.randrange(40, 72)
    found: list[dict[str, Any]] = []
    for tier in range(TIERS):
        here = when | {"tier": tier}
        found += [
            _row(here, {"risk_score": {"at_least": risk + 20 * tier}}, outcome="deny"),
            _row(here, {"recent_failures": {"at_least": 3}}, outcome="step-up", grade=grade),
            _row(here, {"sim_age": {"below": f"PT{changed - 5 * tier}H"}}, outcome="deny"),
        ]
        for number, (floor, hour) in enumerate(zip(floors, hours, strict=True)):
            more: dict[str, Any] = {"payee_known": False} if number % 2 else {}
            more["amount_minor"] = {"above": floor * (tier + 1)}
            more["device_age"] = {"below": f"PT{hour - 5 * tier}H"}
            found.append(_row(here, more, outcome="delay", delay="PT1H"))
        found.append(_row(here, {}, outcome="allow"))
    return found


def _row(when: dict[str, Any], more: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"when": when | more, "because": "one"} | rest


def run() -> list[dict[str, Any]]:
    """Seconds to read and to prove a policy of a thousand rows."""
    text = large_policy()
    start = perf_counter()
    policy = read_policy(text)
    read = perf_counter()
    compile_policy(policy)
    proved = perf_counter()
    load = f"{len(policy.decisions)} rows, {len(policy.limits)} limits"
    return [
        {"name": name, "value": round(spent, 3), "bound": bound, "unit": "s", "load": load}
        for name, spent, bound in (
            ("policy of 1,000 rows, compiled with proofs", proved - read, BOUND_S),
            ("policy of 1,000 rows, read", read - start, 5 * BOUND_S),
        )
    ]


if __name__ == "__main__":
    for line in run():
        print(f"{line['name']:44} {line['value']:8} {line['unit']} (bound {line['bound']})")
