"""What operators do about authenticators, blocked customers, sessions and fraud, one line each.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; 7.4.5
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.application.attempts import Attempts
from tallystick.application.authentication import Sessions
from tallystick.application.authenticators import Authenticators
from tallystick.application.customers import Customer, Customers
from tallystick.application.exemptions import Exemptions
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.policing import PolicyInForce
from tallystick.application.selfcare import SelfCare
from tallystick.application.turn import Turn
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.protocol.authentication import (
    EndSessions,
    EnrolAuthenticator,
    LiveSessions,
    ReportFraud,
    UnlockCustomer,
    ViewSessions,
)

_BECAUSE = "it lets somebody in"

_enrol = Decoder(EnrolAuthenticator, limit=16 * 1024)
_unlock = Decoder(UnlockCustomer)
_view = Decoder(ViewSessions)
_end = Decoder(EndSessions)
_fraud = Decoder(ReportFraud)


@dataclass(frozen=True, slots=True)
class Guarding:
    """Executes the acts that guard how customers prove who they are.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
    """

    attempts: Attempts
    authenticators: Authenticators
    customers: Customers
    exemptions: Exemptions
    policy: PolicyInForce
    selfcare: SelfCare
    sessions: Sessions

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "enrol-authenticator": self._enrol_authenticator,
            "unlock-customer": self._unlock_customer,
            "view-sessions": self._view_sessions,
            "end-sessions": self._end_sessions,
            "report-fraud": self._report_fraud,
        }

    def _enrol_authenticator(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("enter an authenticator", jws, because=_BECAUSE)
        asked = _enrol.decode(body)
        customer = self.customers.active(self.customers.by_alias(asked.number))
        row = self.authenticators.enrol(turn, customer, asked)
        told = {"kind": row.kind, "mechanism": asked.mechanism}
        index = self._record(turn, "authenticator.enrolled", customer, told)
        return Acted(f"{customer.id} has a {row.kind} authenticator from now on", index)

    def _unlock_customer(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("unlock a customer", jws, because=_BECAUSE)
        asked = _unlock.decode(body)
        customer = self.customers.active(self.customers.by_alias(asked.number))
        self.attempts.unlock(turn, customer)
        told = {"because": asked.because}
        index = self._record(turn, "authentication.unlocked", customer, told)
        return Acted("every count of failed tries begins anew", index)

    def _view_sessions(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _view.decode(body)
        customer = self.customers.get(asked.customer)
        found = LiveSessions(sessions=self.selfcare.listed(customer.id, turn.now))
        index = self._record(turn, "sessions.viewed", customer, {"count": len(found.sessions)})
        return Acted(encode_canonical(found).decode(), index)

    def _end_sessions(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _end.decode(body)
        customer = self.customers.get(asked.customer)
        live = len(self.sessions.of(customer.id, turn.now))
        turn.on_durable(lambda: self.sessions.end_customer(customer.id, turn.now))
        told: dict[str, str | int] = {"because": asked.because, "count": live}
        index = self._record(turn, "sessions.ended", customer, told)
        return Acted(f"{live} sessions are over", index)

    def _report_fraud(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _fraud.decode(body)
        row = self.exemptions.report_fraud(turn, asked.order)
        index = turn.record(
            "fraud.reported",
            policy=self.policy.version,
            public={"because": asked.because, "exemption": row.exemption, "order": row.id},
        )
        return Acted(f"order {row.id} counts as fraud", index)

    def _record(
        self, turn: Turn, kind: str, customer: Customer, public: Mapping[str, str | int]
    ) -> int:
        return turn.record_about(
            kind,
            policy=self.policy.version,
            mac=self.customers.commit_mac(customer),
            committed={"customer": customer.id},
            public=public,
        )
