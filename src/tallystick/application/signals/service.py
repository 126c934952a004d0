"""The network's signals that the writer owns: kept, told of, and asked for by decisions.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6; 7.4.5
"""

from tallystick.application.customers import Customer, Customers
from tallystick.application.notices import Notices, Template
from tallystick.application.policing import PolicyInForce
from tallystick.application.signals.model import Answers, SignalKind, SignalRow, SimFacts
from tallystick.application.signals.rules import (
    NOT_CONNECTED,
    facts_of,
    is_fresh,
    news,
    row_of_answers,
)
from tallystick.application.signals.store import SIGNAL
from tallystick.application.sims import Sims
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.model import replace
from tallystick.process.policy import Denied, Facts, Operation, held_back
from tallystick.process.policy.facts import FOREVER, Channel, DeviceTrust, Factor
from tallystick.process.policy.failing import closed_by
from tallystick.protocol.payments import Empty

_TRUST = {Channel.APP: DeviceTrust.UNKNOWN, Channel.USSD: DeviceTrust.NONE}


class Signals:
    """Knows how old the SIM of a customer is, as far as a network was asked or reported.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(
        self,
        customers: Customers,
        notices: Notices,
        policy: PolicyInForce,
        sims: Sims,
        reader: Reader,
        *,
        connected: bool,
        capacity: int,
    ) -> None:
        """Keep what a network says; `connected` says that there is one to ask.

        What networks report of their own accord is in `sims`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self.connected = connected
        self._customers = customers
        self._notices = notices
        self._policy = policy
        self._sims = sims
        self._rows = RowCache(SIGNAL, SignalRow, reader, capacity=capacity)

    def fresh(self, customer: Customer, now: int) -> bool:
        """Whether nobody has to be asked about `customer` now.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return not self.connected or is_fresh(self._rows.get(customer.id), now)

    def facts(self, customer: Customer, now: int) -> SimFacts:
        """What a decision is told of the SIM of `customer`: of answers and reports, the younger.

        The signal is missing only where neither a network that is asked nor one that reports tells.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        asked = NOT_CONNECTED
        if self.connected:
            asked = facts_of(self._rows.get(customer.id), customer.opened_at, now)
        age_ms = min(asked.sim_age_ms, self._sims.age_ms(customer.id, now))
        return SimFacts(age_ms, () if self._sims.signalled else asked.degraded)

    def seen(self, turn: Turn, customer_id: str, answers: Answers) -> Outcome:
        """Keep `answers`; what is new in them is recorded and told to the customer.

        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
        """
        customer = self._customers.get(customer_id)
        before = self._rows.get(customer_id)
        after = row_of_answers(customer_id, answers, turn.now)
        self._rows.put(customer_id, after, turn.changes)
        happened = news(before, after, customer.opened_at)
        return Outcome(Empty(), self._record(turn, customer, after, happened) if happened else -1)

    def hold_back(
        self, customer: Customer, operation: Operation, channel: Channel, now: int
    ) -> None:
        """Pass unless the policy denies `operation` for the SIM of `customer` alone.

        For acts that are proven by a ceremony of their own, such as a code that was sent. Raises
        the policy's refusal, OutOfReach where the policy closes the act without a signal.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
        """
        sim, subject = self.facts(customer, now), customer.id
        if self.connected:
            rules = self._policy.compiled.policy.dependencies
            closed = closed_by(rules, operation.value, sim.degraded)
            if closed is not None:
                raise held_back(closed.row, closed.because)
        if sim.sim_age_ms == FOREVER:
            return
        before = Facts(
            operation=operation.value,
            channel=channel.value,
            tier=customer.tier,
            device_trust=_TRUST[channel].value,
            account_status=customer.status.value,
            factors=(Factor.POSSESSION.value,),
            account_age_ms=max(0, now - customer.opened_at),
            minute_of_day=self._policy.compiled.minute_of_day(now),
        )
        facts = replace(before, sim_age_ms=sim.sim_age_ms)
        verdict = self._policy.decide(facts, subject=subject)
        if isinstance(verdict, Denied) and not isinstance(
            self._policy.decide(before, subject=subject), Denied
        ):
            raise verdict.error()

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

    def _record(
        self, turn: Turn, customer: Customer, row: SignalRow, happened: tuple[SignalKind, ...]
    ) -> int:
        """The event says that something happened to somebody's SIM; to whom and when is sealed."""
        self._notices.add(turn, customer.id, Template.SIM_CHANGED, customer.id)
        return turn.record_about(
            "signal.seen",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={
                "customer": customer.id,
                "kinds": ",".join(happened),
                "sim_changed_at": str(row.sim_changed_at),
                "device_changed_at": str(row.device_changed_at),
            },
            public={"source": "mobile-network"},
        )
