"""Amounts of a derived policy: round, under the regimes' caps, and low enough for the appetite.

Source: ISO/TS 12812-2:2017, 7.3.3; A; B
"""

from collections.abc import Mapping
from decimal import Decimal

from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.process.derivation.rules import PROFILES, Rules
from tallystick.process.programme.model import Offer, Programme


class CapReason(Record, frozen=True, kw_only=True):
    """An amount (minor units) that bounds a loss, and the sum that gave it.

    Source: ISO/TS 12812-2:2017, A
    """

    amount: int
    because: str


def rounded(minor: int) -> int:
    """The largest 1, 2 or 5 times a power of ten that is not above `minor`; at least 1.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    power = int("1" + "0" * (len(str(max(1, minor))) - 1))
    return max(step * power for step in (1, 2, 5) if step * power <= max(1, minor))


def duration(ms: int) -> str:
    """`ms` in ISO 8601, in days where they fit and in seconds otherwise.

    Source: ISO 8601-1
    """
    if ms % DAY_MS == 0 and ms >= DAY_MS:
        return f"P{ms // DAY_MS}D"
    return f"PT{ms // 1000}S"


def multiples(rules: Rules, offer: Offer, profile: str) -> dict[str, int]:
    """The amounts of `rules` for `profile`, in minor units; single payments at most the largest.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    column = PROFILES.index(profile)
    average, largest = offer.average_payment.minor, offer.largest_payment.minor
    found: dict[str, int] = {}
    for name, factors in rules.amounts.items():
        amount = rounded(average * factors[column])
        single = not name.endswith(("_day", "_month", "_balance")) and name != "operators_payment"
        found[name] = min(amount, largest) if single else amount
    return found


def caps_for_appetite(
    rules: Rules, programme: Programme, successes: Mapping[str, Decimal]
) -> dict[str, CapReason]:
    """A cap for each rule of caps, by the yearly `successes` of the attacks that it answers.

    The appetite is divided evenly among the caps with successes; each cap is that part, divided by
    its successes, between one average payment and its largest.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    offer, appetite = programme.offer, programme.appetite.annual_loss_p95
    average, largest = offer.average_payment.minor, offer.largest_payment.minor
    weighed = {name: successes.get(name, Decimal(0)) for name in rules.caps}
    sharing = sum(1 for one in weighed.values() if one > 0)
    found: dict[str, CapReason] = {}
    for name, cap in rules.caps.items():
        top = min(rounded(average * cap.largest), largest)
        if weighed[name] <= 0:
            found[name] = CapReason(amount=top, because="no rated attack needs it lower")
            continue
        part = Decimal(appetite.minor) / sharing
        amount = min(top, max(average, rounded(int(part / weighed[name]))))
        found[name] = CapReason(
            amount=amount,
            because=(
                f"{weighed[name]:.1f} attacks a year may succeed; a {_part(sharing)} of the"
                f" yearly loss that is accepted"
            ),
        )
    return found


def _part(sharing: int) -> str:
    return "whole" if sharing == 1 else f"1/{sharing} part"
