"""Whether a law would let a payment pass with fewer factors, and by which article.

The platform asks two categories of factors of every payment all the same: this tells a provider
what two factors cost where the law would have let them be left out, and never loosens a decision.

    since = Since()                     nothing since two factors were last given
    exempted(regime, asked, since)      -> the exemptions that would hold
    since.after(asked)                  counts a payment that went without

Source: Delegated Regulation (EU) 2018/389, 10 to 18
"""

from decimal import Decimal

from tallystick.kernel.model import Record, replace
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.regimes.model import Exemption, Regime

BY_AMOUNT, BY_COUNT = "amount", "count"


class Since(Record, frozen=True, kw_only=True):
    """What happened since two factors were last given: payments, their sum, and the time (ms).

    Source: Delegated Regulation (EU) 2018/389, 11; 16
    """

    count: int = 0
    amount_minor: int = 0
    elapsed_ms: int = 0

    def after(self, asked: "Asked") -> "Since":
        """The counters once `asked` went without a second factor.

        Source: Delegated Regulation (EU) 2018/389, 11; 16
        """
        total = self.amount_minor + asked.amount_minor
        return replace(self, count=self.count + 1, amount_minor=total)


class Asked(Record, frozen=True, kw_only=True):
    """A payment or a look at an account that might go with fewer factors.

    `relation` is `trusted`, `series` or empty; `fraud_share` is the provider's own, None where it
    was not computed.
    Source: Delegated Regulation (EU) 2018/389, 10 to 18
    """

    amount_minor: int = 0
    relation: str = ""
    fraud_share: Decimal | None = None


def exempted(
    regime: Regime, asked: Asked, since: Since, *, at: int, counter: str = BY_COUNT
) -> tuple[Exemption, ...]:
    """The exemptions of `regime` that would let `asked` go with fewer factors at `at` (ms).

    `counter` says whether the provider counts amounts or payments; this payment counts as well.
    Source: Delegated Regulation (EU) 2018/389, 10 to 18
    """
    later = since.after(asked)
    return tuple(
        one for one in regime.exemptions if one.in_force(at) and _holds(one, asked, later, counter)
    )


def _holds(one: Exemption, asked: Asked, later: Since, counter: str) -> bool:
    if one.relation and one.relation != asked.relation:
        return False
    if one.fraud_share is not None and (
        asked.fraud_share is None or asked.fraud_share > one.fraud_share
    ):
        return False
    looks_only = one.life_ms < FOREVER
    if looks_only != (asked.amount_minor == 0) or later.elapsed_ms >= one.life_ms:
        return False
    within = later.amount_minor <= one.cumulative_minor
    if counter == BY_COUNT:
        within = later.count <= one.count
    return asked.amount_minor <= one.per_payment_minor and within
