"""What a regime asks of a policy, as data: every rule with its article and its days.

Source: ISO/TS 12812-2:2017, 6.1; B; Delegated Regulation (EU) 2018/389
"""

from decimal import Decimal

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import FOREVER


class Rule(Record, frozen=True, kw_only=True):
    """The part that every rule has: its article, in force from `start` until `end` (ms, exclusive).

    Source: ISO/TS 12812-2:2017, 6.1
    """

    article: str
    start: int = 0
    end: int = FOREVER

    def in_force(self, at: int) -> bool:
        """Whether the rule holds at `at` (ms).

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.start <= at < self.end


class FactorFloor(Rule, frozen=True, kw_only=True):
    """At least `categories` of factors stand behind these operations.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    operations: tuple[str, ...]
    categories: int


class IdleCap(Rule, frozen=True, kw_only=True):
    """No session lives longer than `idle_ms` without a request.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    idle_ms: int


class AttemptCap(Rule, frozen=True, kw_only=True):
    """At most `limit` failed authentications in a row.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    limit: int


class TierCap(Rule, frozen=True, kw_only=True):
    """What an account of this tier may pay and keep, in minor units; `FOREVER` caps nothing.

    Source: ISO/TS 12812-2:2017, B
    """

    tier: int
    label: str
    kinds: tuple[str, ...]
    per_payment_minor: int = FOREVER
    day_minor: int = FOREVER
    month_minor: int = FOREVER
    balance_minor: int = FOREVER


class Pause(Rule, frozen=True, kw_only=True):
    """Nothing of `operations` over `channels` until `sim_age_ms` after the SIM changed.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    operations: tuple[str, ...]
    channels: tuple[str, ...]
    sim_age_ms: int


class Exemption(Rule, frozen=True, kw_only=True):
    """Where a law lets fewer factors be enough, and within what.

    `per_payment_minor` bounds one payment; `cumulative_minor` and `count` those since two factors
    were last given; `life_ms` the time since then; `fraud_share` the provider's share of fraud;
    `relation` is `trusted` (a payee that the payer listed) or `series` (the same amount again).
    Source: Delegated Regulation (EU) 2018/389, 10 to 18
    """

    id: str
    per_payment_minor: int = FOREVER
    cumulative_minor: int = FOREVER
    count: int = FOREVER
    life_ms: int = FOREVER
    fraud_share: Decimal | None = None
    relation: str = ""


class Regime(Record, frozen=True, kw_only=True):
    """A pack: what one law or supervisor asks, since when, from which text; never legal advice.

    `currency` is empty where the regime states no amounts.
    Source: ISO/TS 12812-2:2017, 6.1; B
    """

    id: str
    title: str
    effective_from: int
    currency: str
    source: str
    notice: str
    factors: tuple[FactorFloor, ...]
    sessions: tuple[IdleCap, ...]
    attempts: tuple[AttemptCap, ...]
    tiers: tuple[TierCap, ...]
    pauses: tuple[Pause, ...]
    exemptions: tuple[Exemption, ...]
