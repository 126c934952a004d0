"""Records what was looked at before it is shown: nothing is seen that the record does not know.

Views of a batch share its commit and its checkpoint; each is an event of its own, so none is lost.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 14.2.2
"""

from tallystick.application.customers import Customers
from tallystick.application.desk.model import SubjectLink, View
from tallystick.application.desk.store import SUBJECT_LINK, mark_seen
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.tally.leaf import Commitments
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotAuthentic
from tallystick.protocol.payments import Empty
from tallystick.protocol.receipt import Scalar


class Views:
    """Records views, and whom a subject of the identity provider stands for.

    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        customers: Customers,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int = 1024,
    ) -> None:
        """Commit to persons under their own keys; hash subjects under `codes`.

        Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.2
        """
        self._module = module
        self._codes = codes
        self._customers = customers
        self._policy = policy
        self._links = RowCache(SUBJECT_LINK, SubjectLink, reader, capacity=capacity)

    def record(self, turn: Turn, view: View) -> Outcome:
        """Put `view` into the tally: who, why and which page in clear, about whom as a commitment.

        Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.2
        """
        event = turn.new_id("evt")
        commitments = Commitments(event)
        if view.customer:
            customer = self._customers.get(view.customer)
            fields: dict[str, Scalar] = {"customer": view.customer}
            if view.subject:
                fields["subject"] = view.subject
            if customer.subject:
                commitments.commit(self._customers.commit_mac(customer), fields)
        public: dict[str, Scalar] = {
            "operator": view.operator,
            "grade": view.grade,
            "page": view.page,
            "purpose": view.purpose,
            "found": "yes" if view.found else "nothing",
        }
        if view.parts:
            public["parts"] = " ".join(sorted(view.parts))
        index = turn.record(
            "operator.viewed",
            policy=self._policy.version,
            public=public,
            commitments=commitments,
            event_id=event,
        )
        return Outcome(Empty(), index)

    def link(self, turn: Turn, issuer: str, subject: str, operator: str) -> Outcome:
        """Let `subject` of the identity provider stand for `operator` from now on.

        Raises Conflict if it stands for somebody else.
        Source: OpenID Connect Core 1.0, 5.7
        """
        hashed = self._hashed(issuer, subject)
        known = self._links.get(hashed)
        if known is not None and known.operator != operator:
            raise Conflict(
                "this account of the identity provider is another operator's",
                remedy="sign in there as yourself, and link again",
            )
        link = SubjectLink(subject=hashed, operator=operator, linked_at=turn.now)
        self._links.put(hashed, link, turn.changes)
        index = turn.record(
            "operator.linked", policy=self._policy.version, public={"operator": operator}
        )
        return Outcome(Empty(), index)

    def linked(self, issuer: str, subject: str) -> str:
        """The operator for whom `subject` stands.

        Raises NotAuthentic where it stands for nobody.
        Source: OpenID Connect Core 1.0, 5.7
        """
        known = self._links.get(self._hashed(issuer, subject))
        if known is None:
            raise NotAuthentic(
                "this account of the identity provider is no operator's",
                remedy="sign in with your passkey and link it once",
            )
        return known.operator

    def saw(self, turn: Turn, notice: str, operator: str) -> Outcome:
        """Note that `operator` has seen the notice of this id, if it is theirs.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        mark_seen(turn.changes, notice, operator, turn.now)
        return Outcome(Empty())

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._links.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._links.reset()

    def _hashed(self, issuer: str, subject: str) -> str:
        message = b"subject\x00" + issuer.encode() + b"\x00" + subject.encode()
        return b64url(self._module.mac(self._codes, message))
