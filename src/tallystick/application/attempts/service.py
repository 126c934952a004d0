"""The counts that the writer owns: one order of tries for all channels and all processes.

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.application.attempts.model import AttemptRow, Subjects, not_right, reported_by
from tallystick.application.attempts.rules import is_blocked, limit_of, next_try_at, tried
from tallystick.application.attempts.store import ATTEMPT, DEVICE, blocked_devices, devices_of
from tallystick.application.customers import Customer, Customers
from tallystick.application.notices import Notices, Template
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.policy.facts import FOREVER

_PREFIX = "cus_"


class Attempts:
    """Counts a try before it is checked; the customer's own count is also told to the policy.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(
        self,
        customers: Customers,
        notices: Notices,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int,
    ) -> None:
        """Count by the words of `policy`; keep up to `capacity` rows in memory.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._customers = customers
        self._notices = notices
        self._policy = policy
        self._reader = reader
        self._rows = RowCache(ATTEMPT, AttemptRow, reader, capacity=capacity)
        self._blocked = blocked_devices(reader)

    def count(self, turn: Turn, who: Subjects) -> None:
        """Count one try of everybody in `who`, or none if one of them may not try now.

        Raises NotAuthentic, the same as for what is wrong, and writes as much as if it counted.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rule = self._policy.compiled.policy.attempts
        rows = [self._row(name) for name in who.names()]
        if any(turn.now < next_try_at(row, rule) for row in rows):
            for row in rows:
                self._keep(turn, replace(row, held=row.held + 1))
            raise not_right()
        for row in rows:
            self._keep(turn, tried(row, turn.now, rule))

    def right(self, turn: Turn, who: Subjects) -> None:
        """Begin the counts of customer and device anew; take the try off its source.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        for name in who.names():
            row = self._row(name)
            if name.startswith("source:"):
                self._keep(turn, replace(row, failures=max(0, row.failures - 1)))
            elif row.failures or row.blocks or row.blocked_until:
                self._keep(turn, _begun_anew(row))

    def wrong(self, turn: Turn, who: Subjects, *, held: bool = False) -> int:
        """Record a try that was wrong or `held` back, and tell the customer if it blocks them.

        Gives the event's index. A source that is blocked is nobody's business but the record's.

        What ends in a block that only operators lift says so in the record: `stopped`.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rule = self._policy.compiled.policy.attempts
        names = list(who.names())
        rows = [self._row(name) for name in names]
        blocked = [row for row in rows if row.failures >= limit_of(row, rule)]
        for row in rows:
            self._keep(turn, row)  # as much is written as after a right one
        if not held:
            self._tell(turn, who, {row.subject for row in blocked})
        told = {
            "failures": max((row.failures for row in rows), default=0),
            "held": int(held),
            "stopped": max((row.stopped for row in rows), default=0),
        }
        kind = "authentication.blocked" if blocked and not held else "authentication.failed"
        return self._record(turn, kind, who, told)

    def reported(self, turn: Turn, who: Subjects, failed: int, in_row: int) -> int:
        """Count what the phone says of user verifications that failed; gives the event's index.

        `failed` are all since the phone was enrolled, `in_row` those since one was right: fewer
        than there would be say that one was. Only what is new counts. A total that falls was set
        back: it counts as one failure, and the highest that was reported stays. While the device
        is blocked nothing is counted and nothing lifted. The customer is told once it is blocked.
        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        rule = self._policy.compiled.policy.attempts
        told, row = self._row(reported_by(who.device)), self._row(who.device)
        new, set_back = failed - told.failures, failed < told.failures
        was_right = not set_back and in_row < told.blocks + new
        if not new and not was_right:
            return -1
        total = max(failed, told.failures)
        told = replace(
            told, failures=total, tried_at=turn.now, blocks=in_row, held=told.held + set_back
        )
        self._keep(turn, told)
        held = is_blocked(row, turn.now)
        if held:
            row = replace(row, held=row.held + 1)
        else:
            row = _begun_anew(row) if was_right else row
            for _ in range(1 if set_back else min(new, in_row, limit_of(row, rule))):
                row = row if is_blocked(row, turn.now) else tried(row, turn.now, rule)
        self._keep(turn, row)
        blocks = not held and is_blocked(row, turn.now)
        if blocks:
            self._tell(turn, who, {row.subject})
        said = {
            "failures": row.failures,
            "held": int(held),
            "reported": total,
            "set_back": int(set_back),
            "stopped": row.stopped,
        }
        kind = "authentication.blocked" if blocks else "authentication.failed"
        return self._record(turn, kind if new else "authentication.passed", who, said)

    def blocked_until(self, name: str) -> int:
        """Until when (ms) the customer or device `name` is blocked; `FOREVER` for operators to end.

        0 for who was not blocked.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6
        """
        row = self._row(name)
        return FOREVER if row.stopped else row.blocked_until

    def check_device(self, device: str, now: Instant) -> None:
        """Pass unless `device` is blocked by failures that were counted or reported.

        Raises NotAuthentic, the same as for what is wrong.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        row = self._blocked.get(device)
        if row is not None and is_blocked(row, now):
            raise not_right()

    def passed(self, turn: Turn, who: Subjects) -> int:
        """Record a try that was right; gives the event's index.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._record(turn, "authentication.passed", who, {})

    def unlock(self, turn: Turn, customer: Customer) -> None:
        """Begin every count of `customer` and of the customer's devices anew.

        Source: ISO/TS 12812-2:2017, 7.3.2; 6.2.1
        """
        names = [*Subjects(customer.id).names(), *Subjects(customer.id, receipt=True).names()]
        for name in (*names, *devices_of(self._reader, customer.id)):
            self._keep(turn, _begun_anew(self._row(name)))

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
        self._blocked = blocked_devices(self._reader)

    def _tell(self, turn: Turn, who: Subjects, blocked: set[str]) -> None:
        """Tell the customer of `who` what is blocked: their PIN, or the device alone."""
        if not who.customer or who.receipt:
            return
        if who.customer in blocked:
            self._notices.add(turn, who.customer, Template.PIN_BLOCKED, who.customer)
        elif who.device in blocked:
            self._notices.add(turn, who.customer, Template.VERIFICATION_BLOCKED, who.device)

    def _record(self, turn: Turn, kind: str, who: Subjects, public: dict[str, int]) -> int:
        mac = self._customers.commit_mac_of_nobody()
        if who.customer:
            mac = self._customers.commit_mac(self._customers.get(who.customer))
        return turn.record_about(
            kind,
            policy=self._policy.version,
            mac=mac,
            committed={"customer": who.customer, "device": who.device},
            public=public,
        )

    def _row(self, name: str) -> AttemptRow:
        row = self._rows.get(name)
        if row is not None:
            return row
        failures = blocked_until = 0
        if name.startswith(_PREFIX):
            # A version before this one counted in the customer's own row.
            customer = self._customers.get(name)
            failures, blocked_until = customer.pin_failures, customer.pin_blocked_until
        return AttemptRow(
            subject=name,
            failures=failures,
            tried_at=0,
            blocked_until=blocked_until,
            blocks=0,
            stopped=0,
        )

    def _keep(self, turn: Turn, row: AttemptRow) -> None:
        self._rows.put(row.subject, row, turn.changes)
        self._blocked.pop(row.subject, None)
        if row.subject.startswith(DEVICE) and (row.blocked_until or row.stopped):
            self._blocked[row.subject] = row
        if not row.subject.startswith(_PREFIX):
            return
        try:
            customer = self._customers.get(row.subject)
        except NotFound:
            return
        told = replace(customer, pin_failures=row.failures, pin_blocked_until=row.blocked_until)
        self._customers.save(turn, told)


def _begun_anew(row: AttemptRow) -> AttemptRow:
    return replace(row, failures=0, blocked_until=0, blocks=0, stopped=0, held=0)
