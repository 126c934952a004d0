"""Records runs of probes, and equips the customers whom the provider keeps to try itself.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.3; 7.4.1
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.acts import Acts
from tallystick.application.attempts import Attempts
from tallystick.application.authentication import Access, Activation
from tallystick.application.customers import Customer, Customers
from tallystick.application.policing import PolicyInForce
from tallystick.application.proving.store import EVIDENCE_RUN, is_recorded, row_of_run
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.conformance.basis import RECORDED, Run
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import Empty

PROVING = "proving"
"""Who opens probe customers, as their events say."""


@dataclass(frozen=True, slots=True)
class Equipped:
    """A probe customer, and a code that lets a device of it in; exists in memory only.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    customer: str
    activation: str
    code: Secret[str]


class Proving:
    """What the writer does for evidence.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    def __init__(
        self,
        access: Access,
        attempts: Attempts,
        acts: Acts,
        customers: Customers,
        policy: PolicyInForce,
        reader: Reader,
    ) -> None:
        self._access = access
        self._attempts = attempts
        self._acts = acts
        self._customers = customers
        self._policy = policy
        self._reader = reader

    def record(self, turn: Turn, run: Run, by: str) -> Outcome:
        """Keep `run`, and record its digest; `by` says who ran it.

        Raises Conflict for a run that is kept already, Malformed for one that saw nothing or that
        claims to have been made later than now.
        Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
        """
        if not run.observations or run.at > turn.now:
            raise Malformed("a run saw something, and not later than now")
        if any(one.observed_at > run.at for one in run.observations):
            raise Malformed("a run has an observation that is later than itself")
        if is_recorded(self._reader, run.id):
            raise Conflict("this run is recorded already", remedy="nothing is to be done")
        verdicts = [one.verdict for one in run.observations]
        index = turn.record(
            RECORDED,
            policy=self._policy.version,
            public={
                "run": run.id,
                "digest": run.digest(),
                "build": run.build,
                "dossier": run.dossier,
                "by": by,
                "checks": len(verdicts),
                "passed": verdicts.count(Verdict.PASS),
                "failed": verdicts.count(Verdict.FAIL),
            },
        )
        turn.changes.insert(EVIDENCE_RUN, row_of_run(replace(run, event=index)))
        return Outcome(Empty(), index)

    def equip(self, turn: Turn, asked: OpenCustomer, tell: Callable[[Equipped], None]) -> Outcome:
        """A new code for the probe customer `asked` for, who is opened if there is none.

        `tell` gets the code once it is durable; nobody else does. Its failed
        tries are forgotten. Raises NotPermitted for a number
        that belongs to a customer of another origin, so that no customer's code can be had here.
        Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
        """
        told: list[Equipped] = []

        def issue(turn: Turn, customer: Customer, issued_by: str) -> Activation:
            activation, code = self._access.issue_by_hand(turn, customer, issued_by)
            told.append(Equipped(customer=customer.id, activation=activation.id, code=code))
            return activation

        try:
            known = self._customers.by_alias(asked.msisdn)
        except NotFound:
            index = self._acts.open_customer(turn, asked, PROVING, issue).event
        else:
            if known.opened_by != PROVING:
                raise NotPermitted(
                    "this number belongs to a customer, not to a probe",
                    remedy="choose a number that is nobody's",
                )
            self._attempts.unlock(turn, known)
            issue(turn, known, PROVING)
            index = turn.record(
                "activation.issued",
                policy=self._policy.version,
                public={"activation": told[0].activation, "by": PROVING},
            )
        turn.on_durable(lambda: tell(told[0]))
        return Outcome(Empty(), index)
