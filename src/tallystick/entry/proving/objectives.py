"""How the objectives of a programme fare, by the metrics of the service.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import re
from decimal import Decimal
from typing import Final

from tallystick.entry.proving.looking import Seen, failed, passed, unknown
from tallystick.process.programme.model import Programme

LEAST_ANSWERS: Final = 100
"""Fewer answers of the service show nothing about its objectives."""

_ANSWER: Final = re.compile(
    r'^tallystick_answers_total\{operation="([^"]*)",status="([0-9]+)",refusal="[^"]*"\} ([0-9]+)$'
)
_BUCKET: Final = re.compile(
    r'^tallystick_answer_seconds_bucket\{operation="payment.order",le="([^"]+)"\} ([0-9]+)$'
)
_P95: Final = Decimal("0.95")
_BROKEN: Final = 500


def burn_of(programme: Programme, exposition: str) -> Seen:
    """How the objectives of `programme` fare by the metrics in `exposition`.

    A burn of 1000 permille is the whole budget of faults: of answers that break, and of orders that
    take longer than the p95 that was promised.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    promised = programme.offer.objectives
    total = broken = 0
    buckets: list[tuple[Decimal, int]] = []
    for line in exposition.splitlines():
        answer, bucket = _ANSWER.match(line), _BUCKET.match(line)
        if answer and not answer.group(1).startswith("health."):
            total += int(answer.group(3))
            broken += int(answer.group(3)) if int(answer.group(2)) >= _BROKEN else 0
        elif bucket:
            buckets.append((Decimal(bucket.group(1).replace("+Inf", "Infinity")),
                            int(bucket.group(2))))  # fmt: skip
    orders = max((count for _, count in buckets), default=0)
    if total < LEAST_ANSWERS or orders < LEAST_ANSWERS:
        return unknown(
            f"{total} answers and {orders} orders are too few", answers=total, orders=orders
        )
    bound = Decimal(promised.decision_p95_ms) / 1000
    within = max((count for le, count in buckets if le <= bound), default=0)
    slow = _permille(Decimal(orders - within) / orders, 1 - _P95)
    faulty = _permille(Decimal(broken) / total, 1 - promised.availability)
    numbers = {"answers": total, "orders": orders, "burn_broken": faulty, "burn_slow": slow}
    services = ", ".join(one.value for one in programme.services)
    says = (
        f"{services}: {faulty} permille of the faults, {slow} of the slow orders that are allowed"
    )
    whole = 1000
    return passed(says, **numbers) if max(slow, faulty) <= whole else failed(says, **numbers)


def _permille(share: Decimal, budget: Decimal) -> int:
    return int(share * 1000 / budget) if budget else (0 if not share else 10**6)
