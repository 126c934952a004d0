"""Everything that is kept of approvals, in memory and in the rows of a turn.

Every change is an event of the tally, and its index the cursor by which devices go on. Whoever
waits for news, or has to be woken, is told once a change is durable; a cursor finds everything.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from tallystick.application.approvals.model import (
    ApprovalRow,
    Content,
    InboxRow,
    MandateRow,
    PaceRow,
    RiskRow,
    SignatureRow,
    WakeRow,
    read_content,
)
from tallystick.application.approvals.rules import risk_score
from tallystick.application.approvals.store import (
    APPROVAL,
    INBOX,
    MANDATE,
    PACE,
    RISK,
    SIGNATURE,
    WAKE,
    risks_of,
    waiting_of,
    wakes_of,
)
from tallystick.application.customers import Customers
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import NotFound, RateLimited
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import Instant
from tallystick.protocol.approvals import ApprovalStage, ApprovalState

MOST_WAITING = 4
"""So many long polls and streams of one customer at a time."""

_MOST_WAKES = 4096


class Watching:
    """Tells whoever waits, once, that something changed for a customer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: dict[str, dict[int, Callable[[], None]]] = {}
        self._next = 0
        self.wakes: deque[str] = deque(maxlen=_MOST_WAKES)

    def wait(self, customer: str, action: Callable[[], None]) -> Callable[[], None]:
        """Call `action` at the next change for `customer`; gives what stops the waiting.

        Raises RateLimited for too many that wait.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        waiting = self._waiting.setdefault(customer, {})
        if len(waiting) >= MOST_WAITING:
            raise RateLimited(
                "too many of your devices wait already", remedy="ask again later", retry_after_s=5
            )
        self._next += 1
        place = self._next
        waiting[place] = action

        def stop() -> None:
            left = self._waiting.get(customer)
            if left is not None:
                left.pop(place, None)
                if not left:
                    self._waiting.pop(customer, None)

        return stop

    def changed(self, customers: Iterable[str]) -> None:
        """Tell all who wait for one of `customers`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for customer in customers:
            for action in list(self._waiting.pop(customer, {}).values()):
                action()

    def wake(self, customers: Iterable[str]) -> None:
        """Have the devices of `customers` woken; what does not fit is left to their polling.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        for customer in customers:
            self.wakes.extend(wakes_of(self._reader, customer))


class Kept:
    """The rows of approvals, and who has something waiting.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self, customers: Customers, policy: PolicyInForce, reader: Reader, *, capacity: int
    ) -> None:
        """Keep up to `capacity` rows of each sort in memory.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.reader = reader
        self.watching = Watching(reader)
        self._customers = customers
        self._policy = policy
        self._rows = RowCache(APPROVAL, ApprovalRow, reader, capacity=capacity)
        self._signatures = RowCache(SIGNATURE, SignatureRow, reader, capacity=capacity)
        self._paces = RowCache(PACE, PaceRow, reader, capacity=capacity)
        self._risks: dict[str, RiskRow] = {}
        self._mandates = RowCache(MANDATE, MandateRow, reader, capacity=capacity)
        self._pending: dict[str, set[str]] = {}
        self._load()

    def get(self, approval: str) -> ApprovalRow:
        """The request with this id.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        row = self._rows.get(approval)
        if row is None:
            raise NotFound(
                "there is no such request for you", remedy="load the list of requests again"
            )
        return row

    def content(self, row: ApprovalRow) -> Content:
        """What only the parties may read.

        Raises NotFound once the payer was erased.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        payer = self._customers.get(row.payer)
        return read_content(self._customers.open_sealed(payer, row.sealed))

    def pending(self, customer: str) -> list[ApprovalRow]:
        """The requests that wait and that `customer` pays or may approve, oldest first.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return [self.get(one) for one in sorted(self._pending.get(customer, ()))]

    def waiting(self, most: int) -> list[ApprovalRow]:
        """At most `most` of the requests that wait, oldest first, read in one statement.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        oldest = sorted(set[str]().union(*self._pending.values()))[:most]
        self._rows.prefetch(oldest)
        return [self.get(one) for one in oldest]

    def at_risk(self, now: Instant) -> list[RiskRow]:
        """Whoever said that it was somebody else, as long as it counts.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return [row for one, row in sorted(self._risks.items()) if self.score(one, now)]

    def signed(self, row: ApprovalRow) -> dict[str, SignatureRow]:
        """The signatures under `row` of those who may still sign, by customer.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        if row.needed == 1 and row.stage is ApprovalStage.PENDING:
            return {}  # the first signature ends such a request
        pairs = [f"{row.id}/{name}" for name in row.names()]
        self._signatures.prefetch(pairs)
        found = (self._signatures.get(pair) for pair in pairs)
        return {one.customer: one for one in found if one is not None}

    def sign(self, turn: Turn, signature: SignatureRow) -> None:
        """Keep one signature.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        self._signatures.put(signature.pair, signature, turn.changes)

    def drop(self, turn: Turn, row: ApprovalRow, customer: str) -> None:
        """Let a revoked person's part in `row` leave their inbox; a signature counts no more.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        waiting = self._pending.get(customer)
        if waiting is not None:
            waiting.discard(row.id)
        place = InboxRow(pair=f"{customer}/{row.id}", customer=customer, approval=row.id, event=-1)
        turn.changes.upsert(INBOX, place.pair, row_of(place))

    def record(
        self, turn: Turn, row: ApprovalRow, what: str, public: Mapping[str, str | int] | None = None
    ) -> ApprovalRow:
        """Keep `row` with its event, and let its people know once it is durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        told: dict[str, str | int] = {
            "approval": row.id,
            "channel": row.channel,
            "needed": row.needed,
            "order": row.order_id,
            **(public or {}),
        }
        if row.reason:
            told["reason"] = row.reason
        committed = {"digest": b64url(row.digest), "payer": row.payer}
        index = self.event(turn, f"approval.{what}", row.payer, told, committed, stage=row.stage)
        kept = replace(row, event=index)
        self._rows.put(kept.id, kept, turn.changes)
        people = {row.payer, *row.names(), row.initiator} - {""}
        for one in people:
            place = InboxRow(pair=f"{one}/{row.id}", customer=one, approval=row.id, event=index)
            turn.changes.upsert(INBOX, place.pair, row_of(place))
            waiting = self._pending.setdefault(one, set())
            if row.stage is ApprovalStage.PENDING:
                waiting.add(row.id)
            else:
                waiting.discard(row.id)
                if not waiting:
                    self._pending.pop(one)
        turn.on_durable(lambda: self.watching.changed(people))
        return kept

    def event(
        self,
        turn: Turn,
        kind: str,
        customer: str,
        public: Mapping[str, str | int],
        committed: Mapping[str, str],
        *,
        stage: str = "",
    ) -> int:
        """Record an event about `customer`; gives its index.

        Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.2
        """
        return turn.record_about(
            kind,
            policy=self._policy.version,
            mac=self._customers.commit_mac(self._customers.get(customer)),
            committed={"customer": customer, **committed},
            public=public,
            stage=stage,
        )

    def state(self, row: ApprovalRow, signed: int) -> ApprovalState:
        """Where `row` stands.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return ApprovalState(
            approval=row.id,
            order=row.order_id,
            stage=row.stage,
            reason=row.reason,
            outcome=row.outcome,
            needed=row.needed,
            signed=signed,
            paused_until=row.paused_until,
            expires_at=row.expires_at,
        )

    def pace(self, subject: str) -> PaceRow:
        """How often `subject` was asked.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        found = self._paces.get(subject)
        return found or PaceRow(subject=subject, unanswered=0, next_at=0, at=0)

    def set_pace(self, turn: Turn, row: PaceRow) -> None:
        """Keep a count.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._paces.put(row.subject, row, turn.changes)

    def risk(self, customer: str) -> RiskRow | None:
        """What a customer said of strangers.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return self._risks.get(customer)

    def raise_risk(self, turn: Turn, customer: str, denials: int) -> None:
        """Keep that a customer said `denials` times that it was somebody else; 0 clears it.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = RiskRow(customer=customer, denials=denials, since=turn.now)
        self._risks[customer] = row
        turn.changes.upsert(RISK, customer, row_of(row))

    def score(self, customer: str, now: Instant) -> int:
        """The risk score of `customer`, a fact of every order.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return risk_score(self._risks.get(customer), now)

    def mandate(self, account: str) -> MandateRow | None:
        """Who approves orders of `account`, if that was set.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self._mandates.get(account)

    def set_mandate(self, turn: Turn, row: MandateRow) -> None:
        """Keep who approves.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._mandates.put(row.account, row, turn.changes)

    def wake_by(self, turn: Turn, device: str, customer: str, name: str) -> None:
        """Keep under which name a push service wakes `device`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        row = WakeRow(device=device, customer=customer, name=name)
        turn.changes.upsert(WAKE, device, row_of(row))

    def sealed(self, payer: str, content: Content) -> bytes:
        """`content` under the payer's subject key.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._customers.seal(self._customers.get(payer), encode_canonical(content))

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for one in (self._rows, self._signatures, self._paces, self._mandates):
            one.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for one in (self._rows, self._signatures, self._paces, self._mandates):
            one.reset()
        self._load()

    def _load(self) -> None:
        self._risks = {row.customer: row for row in risks_of(self.reader)}
        self._pending = {}
        for approval, payer, approvers in waiting_of(self.reader):
            for one in {payer, *approvers.split(",")} - {""}:
                self._pending.setdefault(one, set()).add(approval)
