"""The act that puts a customer on another tier.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.1; 13.2
"""

from dataclasses import dataclass

from tallystick.application.book import LedgerBook
from tallystick.application.customers import Customers, CustomerStatus
from tallystick.application.notices import Notices, Template
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.policing import PolicyInForce
from tallystick.application.tiers.store import KEPT_OVER, KeptOver
from tallystick.application.turn import Turn
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import replace, row_of
from tallystick.protocol.recovery import ChangeTier

_change = Decoder(ChangeTier)


@dataclass(frozen=True, slots=True)
class TierActs:
    """Changes tiers of customers.

    Source: ISO/TS 12812-2:2017, 7.4.1; 13.2
    """

    customers: Customers
    book: LedgerBook
    notices: Notices
    policy: PolicyInForce

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {"change-tier": self._change_tier}

    def _change_tier(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("change a tier", jws, because="a tier says how much may be paid")
        asked = _change.decode(body)
        customer = self.customers.by_alias(asked.number)
        if customer.status is CustomerStatus.ERASED:
            raise Conflict(
                f"the customer is {customer.status}",
                remedy="look at the customer's page for what stops the account",
            )
        if customer.tier == asked.tier:
            raise Conflict(
                f"the customer is on tier {asked.tier} already", remedy="nothing is to be done"
            )
        ceiling = self.policy.compiled.ceiling_minor(asked.tier)
        over = self.book.set_ceiling(customer.account, ceiling)
        kept = KeptOver(account=customer.account, kept_minor=over)
        turn.changes.upsert(KEPT_OVER, kept.account, row_of(kept))
        self.customers.save(turn, replace(customer, tier=asked.tier))
        raised = asked.tier > customer.tier
        told = Template.TIER_RAISED if raised else Template.TIER_LOWERED
        self.notices.add(turn, customer.id, told, customer.id)
        index = turn.record_about(
            "customer.tier-changed",
            policy=self.policy.version,
            mac=self.customers.commit_mac(customer),
            committed={"customer": customer.id, "evidence": asked.evidence},
            public={"because": asked.because, "before": customer.tier, "tier": asked.tier},
        )
        left = "; what is kept over its ceiling may only go out" if over else ""
        return Acted(f"the customer is on tier {asked.tier}{left}", index, customer.id)
