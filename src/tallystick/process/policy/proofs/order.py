"""What counts as better in each dimension of security: steps between words, directions of measures.

Only what a person could have brought better is ordered. A grade is compared within its own door (a
PIN with a signing SIM, a signature with one of a proven device); `none` in device trust or grade is
another situation, not a weaker one; kinds, channels, operations and times of day have no order.

Factors are not among the fields of rows: they are counted after them, and more are never worse.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from tallystick.process.policy.facts import AccountStatus, DeviceTrust, Grade, Word


class Step(NamedTuple):
    """From a worse word of a field to the next better one, where `given` (a field, a word) holds.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    field: str
    worse: Word
    better: Word
    given: tuple[str, Word] | None = None


_PROVEN = ("device_trust", DeviceTrust.ATTESTED_HARDWARE.value)
_ATTESTED = Grade.DEVICE_SIGNED_ATTESTED.value
_STEPS: Final = (
    Step("device_trust", DeviceTrust.UNKNOWN.value, DeviceTrust.SOFTWARE.value),
    Step("device_trust", DeviceTrust.SOFTWARE.value, DeviceTrust.ATTESTED_HARDWARE.value),
    Step("grade", Grade.PIN_VERIFIED.value, Grade.SIM_SIGNED.value),
    Step("grade", Grade.DEVICE_SIGNED.value, _ATTESTED, _PROVEN),
    Step("grade", Grade.PASSKEY.value, _ATTESTED, _PROVEN),
    Step("account_status", AccountStatus.ERASED.value, AccountStatus.SUSPENDED.value),
    Step("account_status", AccountStatus.ERASED.value, AccountStatus.DORMANT.value),
    Step("account_status", AccountStatus.SUSPENDED.value, AccountStatus.ACTIVE.value),
    Step("account_status", AccountStatus.DORMANT.value, AccountStatus.ACTIVE.value),
    Step("payee_known", worse=False, better=True),
)

MORE_IS_BETTER: Final = {
    "amount_minor": False,
    "device_age_ms": True,
    "account_age_ms": True,
    "sim_age_ms": True,
    "session_age_ms": False,
    "recent_failures": False,
    "risk_score": False,
}
"""Measured fields that have an order, and its direction."""


def steps(tiers: Iterable[int]) -> Iterator[Step]:
    """Every step between words; a higher tier is a better known customer.

    Source: ISO/TS 12812-2:2017, 7.3.2; B
    """
    yield from _STEPS
    known = sorted(tiers)
    for worse, better in pairwise(known):
        yield Step("tier", worse, better)
