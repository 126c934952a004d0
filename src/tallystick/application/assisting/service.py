"""Where, when and how often an agent assists.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
"""

from tallystick.application.assisting.store import PLACE, AgentPlace
from tallystick.application.customers import Customer, CustomerKind, Customers
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import Conflict, LimitExceeded, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant

_ASSISTED = "agent-assisted"


class AgentBounds:
    """Keeps the places of agents, and counts whom they assist.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(
        self, customers: Customers, policy: PolicyInForce, reader: Reader, *, capacity: int
    ) -> None:
        self._customers = customers
        self._policy = policy
        self._rows = RowCache(PLACE, AgentPlace, reader, capacity=capacity)

    def place(self, turn: Turn, agent: Customer, zones: tuple[str, ...], trained_until: int) -> int:
        """Let `agent` assist in `zones` until the training ends; gives the event's index.

        Raises NotPermitted for whoever is no agent, Conflict without a zone.
        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
        """
        if agent.kind is not CustomerKind.AGENT:
            raise NotPermitted("only agents have a place", remedy="name an agent")
        if not zones or any("," in zone or not zone for zone in zones):
            raise Conflict(
                "an agent assists in at least one zone",
                remedy="name a zone, or end the agent's training to stop them",
            )
        before = self._rows.get(agent.id)
        row = AgentPlace(
            agent=agent.id,
            zones=",".join(zones),
            trained_until=trained_until,
            day=0 if before is None else before.day,
            assisted=0 if before is None else before.assisted,
        )
        self._rows.put(agent.id, row, turn.changes)
        return turn.record(
            "agent.placed",
            policy=self._policy.version,
            public={"agent": agent.id, "zones": row.zones, "trained_until": trained_until},
        )

    def check_enrolment(self, turn: Turn, agent: Customer, zone: str) -> None:
        """Pass if `agent` may open a customer in `zone` now, and count it.

        Agents without a place are bounded only where the policy says so. Raises what `check` does.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        bounded = self._policy.compiled.policy.recovery.agents.enrolment
        if bounded or self._rows.get(agent.id) is not None:
            self.check(turn, agent, zone)

    def check(self, turn: Turn, agent: Customer, zone: str) -> None:
        """Pass if `agent` may assist somebody in `zone` now, and count it.

        Raises NotPermitted for whoever is no agent, has no place, is elsewhere, outside of the
        hours, or without training in force; LimitExceeded above the day's number.
        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
        """
        self._customers.active(agent)
        place = self._rows.get(agent.id)
        if agent.kind is not CustomerKind.AGENT or place is None:
            raise NotPermitted(
                "only an agent with a place assists",
                because=_ASSISTED,
                remedy="ask the provider for a place",
            )
        if turn.now >= place.trained_until:
            raise NotPermitted(
                "the agent's training is over", because=_ASSISTED, remedy="train again"
            )
        if zone not in place.zones.split(","):
            raise NotPermitted(
                "this is not the agent's place",
                because=_ASSISTED,
                remedy="assist in a zone of your own, or send them to the provider",
            )
        rule = self._policy.compiled.policy.recovery.agents
        minute = self._policy.compiled.minute_of_day(turn.now)
        if not rule.from_minute <= minute < rule.until_minute:
            raise NotPermitted(
                "agents assist by day",
                because=_ASSISTED,
                remedy="come back in the hours of the policy",
            )
        today = self._today(turn.now)
        assisted = place.assisted if place.day == today else 0
        if assisted >= rule.per_day:
            raise LimitExceeded("the agent has assisted enough today", because=_ASSISTED)
        counted = replace(place, day=today, assisted=assisted + 1)
        self._rows.put(agent.id, counted, turn.changes)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()

    def _today(self, now: Instant) -> int:
        offset = self._policy.compiled.policy.header.utc_offset_min * MINUTE_MS
        return (now + offset) // DAY_MS * DAY_MS - offset
