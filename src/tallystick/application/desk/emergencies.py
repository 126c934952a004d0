"""Break-glass: the emergency role, taken by one person, loud, short, and reviewed by another.

The role is sealed: nobody is enrolled in it, and its acts are fixed here. It stops things and lets
a customer in again; it never moves money, changes the policy, makes operators or erases a person.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
"""

from collections.abc import Callable
from typing import Final

from tallystick.application.desk.model import Emergency, OfficerNotice
from tallystick.application.desk.store import EMERGENCY, OFFICER_NOTICE, unreviewed
from tallystick.application.operators import Acted
from tallystick.application.operators.store import active_roles
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy.facts import OperatorAct
from tallystick.protocol.desk import BreakGlass, ReviewEmergency

EMERGENCY_ACTS: Final = frozenset(
    (
        OperatorAct.SUSPEND_DEVICE.value,
        OperatorAct.RESUME_DEVICE.value,
        OperatorAct.REVOKE_WORKLOAD.value,
        OperatorAct.ISSUE_ACTIVATION.value,
    )
)
"""What whoever took the emergency role may do alone."""

LONGEST_MINUTES = 60
EMERGENCY_KIND = "operator.emergency"
_breaks = Decoder(BreakGlass, limit=2048)
_reviews = Decoder(ReviewEmergency, limit=2048)


class Emergencies:
    """Keeps emergencies that run or were not reviewed yet.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(self, seals: StoreSeals, policy: PolicyInForce, reader: Reader) -> None:
        """Seal reasons with `seals`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._seals = seals
        self._policy = policy
        self._reader = reader
        self._open = {one.id: one for one in self._stored()}
        self.tell: Callable[[Emergency], None] = _nobody

    def running(self, operator: str, act: str, now: Instant) -> str:
        """The id of the emergency in which `operator` may do `act` alone now, or nothing.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        if act not in EMERGENCY_ACTS:
            return ""
        live = (one for one in self._open.values() if one.operator == operator)
        return next((one.id for one in live if one.since <= now < one.until), "")

    def open(self) -> list[Emergency]:
        """Every emergency that was not reviewed, oldest first.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return [self._open[name] for name in sorted(self._open)]

    def says(self, sealed: bytes) -> str:
        """A reason or finding, in clear.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        if not sealed:
            return ""
        return self._seals.open(sealed, b"emergency").decode()

    def break_glass(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        """Take the emergency role; every officer is told.

        Raises Conflict while an emergency of this operator was not reviewed, Malformed for a time
        that is none or too long.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        asked = _breaks.decode(body)
        operator = read_signature(jws[0]).act.operator
        if not 1 <= asked.minutes <= LONGEST_MINUTES:
            raise Malformed(f"an emergency lasts 1 to {LONGEST_MINUTES} minutes")
        if any(one.operator == operator for one in self._open.values()):
            raise Conflict(
                "your last emergency was not reviewed", remedy="let somebody else review it"
            )
        until = turn.now + asked.minutes * MINUTE_MS
        identifier = turn.new_id("emg")
        index = turn.record(
            EMERGENCY_KIND,
            policy=self._policy.version,
            public={"emergency": identifier, "operator": operator, "until": until},
        )
        emergency = Emergency(
            id=identifier,
            operator=operator,
            because=self._sealed(asked.because),
            since=turn.now,
            until=until,
            event=index,
            reviewer="",
            finding=b"",
            reviewed_at=0,
        )
        self._put(turn, emergency)
        self._notify(turn, operator, identifier)
        turn.on_durable(lambda: self.tell(emergency))
        return Acted(
            f"the emergency role is yours for {asked.minutes} minutes; every officer is told",
            index,
            identifier,
        )

    def review(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        """Enter what was found; the emergency ends with it if it still runs.

        Raises NotFound, NotPermitted for one's own.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        asked = _reviews.decode(body)
        emergency = self._open.get(asked.emergency)
        if emergency is None:
            raise NotFound(
                "there is no such emergency to review", remedy="look at the page of emergencies"
            )
        reviewer = read_signature(jws[0]).act.operator
        if reviewer == emergency.operator:
            raise NotPermitted(
                "nobody reviews their own emergency",
                because="two people",
                remedy="let another officer review it",
            )
        reviewed = replace(
            emergency,
            until=min(emergency.until, turn.now),
            reviewer=reviewer,
            finding=self._sealed(asked.found),
            reviewed_at=turn.now,
        )
        index = turn.record(
            "operator.emergency-reviewed",
            policy=self._policy.version,
            public={"emergency": emergency.id, "operator": reviewer},
        )
        self._put(turn, reviewed)
        return Acted("the emergency is reviewed", index, emergency.id)

    def seal_anew(self, turn: Turn, stored: Emergency) -> None:
        """Seal the texts of an emergency, as it was stored, under the newest store key.

        One that was reviewed in this very batch is left for the next time.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._open.get(stored.id) if not stored.reviewed_at else stored
        if found is not None:
            because = self._sealed(self.says(found.because))
            finding = self._sealed(self.says(found.finding)) if found.finding else b""
            self._put(turn, replace(found, because=because, finding=finding))

    def reset(self) -> None:
        """Read everything again that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._open = {one.id: one for one in self._stored()}

    def _stored(self) -> list[Emergency]:
        return unreviewed(self._reader)

    def _put(self, turn: Turn, emergency: Emergency) -> None:
        before = self._open.copy()
        if emergency.reviewed_at:
            self._open.pop(emergency.id, None)
        else:
            self._open[emergency.id] = emergency
        turn.on_undo(lambda: self._restore(before))
        turn.changes.upsert(EMERGENCY, emergency.id, row_of(emergency))

    def _restore(self, before: dict[str, Emergency]) -> None:
        self._open = before

    def _notify(self, turn: Turn, operator: str, emergency: str) -> None:
        """A notice to every operator whose role reviews emergencies, but for who took it."""
        granted = self._policy.compiled.policy.operators.roles
        for other, role in active_roles(self._reader).items():
            if other != operator and OperatorAct.REVIEW_EMERGENCY.value in granted.get(role, ()):
                notice = OfficerNotice(
                    id=turn.new_id("ntc"),
                    operator=other,
                    kind="emergency",
                    reference=emergency,
                    at=turn.now,
                    seen_at=0,
                )
                turn.changes.insert(OFFICER_NOTICE, row_of(notice))

    def _sealed(self, text: str) -> bytes:
        return self._seals.seal(text.encode(), b"emergency")


def _nobody(_: Emergency) -> None:
    """Tell nobody."""
