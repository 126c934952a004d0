"""What the service counts and notes, as security events: refusals, fronts, witnesses, keys, stops.

Refusals are not one event each: what was refused alike within a second is one event with a count,
so that a flood of requests makes no flood of events.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2
"""

from collections import Counter
from collections.abc import Callable, Mapping

from tallystick.entry.accounting import Accounting
from tallystick.entry.notes import Note
from tallystick.kernel.errors import (
    Broken,
    InsufficientFunds,
    NotAuthentic,
    NotFound,
    OutOfReach,
    Replayed,
    ServiceSuspended,
    StepUpRequired,
    Unavailable,
)
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.receipt import Scalar
from tallystick.protocol.security_events import SecurityEvent, Severity

_MOST_KINDS = 1_000
_LEAST_DAYS = (7, 3, 2, 1, 0)
"""How many days before its end the key list is told of."""

_REFUSALS = {
    NotAuthentic.code: Severity.WARNING,
    Replayed.code: Severity.WARNING,
    Unavailable.code: Severity.ERROR,
    OutOfReach.code: Severity.WARNING,
    ServiceSuspended.code: Severity.NOTICE,
    Broken.code: Severity.CRITICAL,
    InsufficientFunds.code: Severity.INFORMATIONAL,
    NotFound.code: Severity.INFORMATIONAL,
    StepUpRequired.code: Severity.INFORMATIONAL,
}
_NOTES = {
    Note.SERVING: ("service.started", Severity.NOTICE),
    Note.FRONT_GONE: ("front.gone", Severity.WARNING),
    Note.FRONT_NOT_STARTED: ("front.not-started", Severity.ERROR),
    Note.OVERTAKEN: ("service.overtaken", Severity.ALERT),
    Note.DUTY_ENDED: ("service.duty-ended", Severity.ERROR),
    Note.UPKEEP_FAILED: ("store.upkeep-failed", Severity.WARNING),
    Note.NOT_WITNESSED: ("witness.silent", Severity.WARNING),
    Note.WITNESS_DISAGREES: ("witness.disagrees", Severity.ALERT),
    Note.APPRAISAL_CHANGED: ("appraisal.taken", Severity.NOTICE),
    Note.APPRAISAL_NOT_CHANGED: ("appraisal.refused", Severity.ERROR),
    Note.VENDOR_LIST_TAKEN: ("vendor-list.taken", Severity.NOTICE),
    Note.VENDOR_LIST_REFUSED: ("vendor-list.refused", Severity.ERROR),
    Note.VENDOR_NOT_REACHED: ("vendor-list.not-fetched", Severity.WARNING),
    Note.VENDOR_ROOTS_DIFFER: ("vendor-list.roots-differ", Severity.WARNING),
    Note.PARTNER_LIST_TAKEN: ("partner-list.taken", Severity.NOTICE),
    Note.PARTNER_LIST_REFUSED: ("partner-list.refused", Severity.ERROR),
    Note.PARTNER_LIST_NOT_REACHED: ("partner-list.not-fetched", Severity.WARNING),
    Note.QUOTE_KEY_REPLACED: ("keys.quote-replaced", Severity.INFORMATIONAL),
    Note.QUOTE_KEY_NOT_REPLACED: ("keys.quote-not-replaced", Severity.ERROR),
    Note.KEY_LIST_SERVED: ("keys.list-served", Severity.NOTICE),
    Note.KEY_LIST_REFUSED: ("keys.list-refused", Severity.ERROR),
    Note.KEYS_IN_USE: ("keys.in-use", Severity.NOTICE),
    Note.SUITES_AWAITED: ("keys.suites-awaited", Severity.WARNING),
    Note.SUITES_REACHED: ("keys.suites-reached", Severity.NOTICE),
    Note.OFFICER_WIDENED: ("keys.officer-widened", Severity.NOTICE),
    Note.NOTICE_NOT_DELIVERED: ("notice.not-delivered", Severity.WARNING),
    Note.NOTICE_NOT_ALLOWED: ("notice.no-sender", Severity.ERROR),
    Note.NOTICE_REJECTED: ("notice.rejected", Severity.NOTICE),
    Note.SIM_REFUSED: ("sim.packet-refused", Severity.WARNING),
    Note.NETWORK_GONE: ("network.not-bound", Severity.NOTICE),
    Note.DIALOGUE_BROKEN: ("dialled.history-broken", Severity.WARNING),
    Note.EVENT_NOT_DELIVERED: ("webhook.not-delivered", Severity.WARNING),
    Note.NETWORK_DID_NOT_SAY: ("network.did-not-say", Severity.WARNING),
    Note.ORDER_NEEDS_PEOPLE: ("order.needs-people", Severity.WARNING),
    Note.CORE_ANSWERED_WRONGLY: ("core.answered-wrongly", Severity.ALERT),
    Note.MODULE_RETURNED: ("module.started-again", Severity.ERROR),
    Note.MODULE_KEPT_AGAIN: ("module.kept-again", Severity.ERROR),
    Note.DEPENDENCY_FAILS: ("dependency.fails", Severity.ERROR),
    Note.DEPENDENCY_ANSWERS: ("dependency.answers", Severity.NOTICE),
    Note.SHADOW_DIFFERS: ("policy.shadow-differs", Severity.NOTICE),
    Note.POLICY_TIGHTENED: ("policy.tightening-began", Severity.WARNING),
    Note.POLICY_EASED: ("policy.tightening-ended", Severity.NOTICE),
    Note.NOT_TIGHTENED: ("policy.not-tightened", Severity.ERROR),
    Note.SERVICE_SUSPENDED: ("service.suspended-for-all", Severity.ALERT),
    Note.SERVICE_RESUMED: ("service.resumed-for-all", Severity.NOTICE),
    Note.OPERATOR_SUSPENDED: ("operator.suspended-now", Severity.ALERT),
    Note.OPERATOR_RESUMED: ("operator.resumed-now", Severity.WARNING),
    Note.OPERATOR_REMOVED: ("operator.removed-now", Severity.WARNING),
    Note.EMERGENCY: ("operator.emergency-began", Severity.ALERT),
    Note.INCENTIVE_RISEN: ("incentive.rose", Severity.NOTICE),
    Note.INCENTIVE_FALLEN: ("incentive.fell", Severity.WARNING),
    Note.INCENTIVE_STAYS: ("incentive.not-moved", Severity.ERROR),
    Note.TIGHTENING_CAPPED: ("policy.tightening-capped", Severity.ERROR),
    Note.PROPOSAL_WAITS: ("policy.proposal-waits", Severity.WARNING),
    Note.PROPOSAL_ENDED: ("policy.proposal-waits-no-more", Severity.NOTICE),
    Note.CEREMONY_NOT_STAMPED: ("ceremony.not-stamped", Severity.WARNING),
    Note.STAMP_DAMAGED: ("tally.stamp-damaged", Severity.ERROR),
    Note.NOT_STAMPED: ("tally.not-stamped", Severity.WARNING),
    Note.SIEM_LOST: ("siem.silent", Severity.WARNING),
    Note.SIEM_FOUND: ("siem.answers", Severity.NOTICE),
}
_SHOWN = frozenset(
    ("workers", "terminator", "front", "witness", "why", "webhook", "order", "template", "error",
     "to", "refused", "dependency", "does", "operations", "tell", "seconds",
     "aggregator", "network", "emergency", "operator", "until", "was", "would_be", "row",
     "shadow_row", "entry", "measure", "proposal", "cohort", "kind", "starts", "ended",
     "channel", "suspension", "process", "duty",
     "list", "members", "lacks", "beyond", "by", "role")
)  # fmt: skip
"""The fields of a note that leave."""


class Collector:
    """Turns what was counted and noted since the last look into events.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(
        self, accounting: Accounting, stopped: Callable[[], str], key_list_ends: Instant
    ) -> None:
        """Look at `accounting`; `stopped` says why writes stopped, or nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._accounting = accounting
        self._stopped = stopped
        self._ends = key_list_ends
        self._answers = accounting.answers()
        self._noted: Counter[tuple[Note, tuple[tuple[str, Scalar], ...]]] = Counter()
        self._told_stop = False
        self._told_days = _LEAST_DAYS[0] + 1
        accounting.listeners.append(self._hear)

    def collect(self, now: Instant) -> list[SecurityEvent]:
        """The events since the last call.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return [*self._heard(now), *self._refusals(now), *self._states(now)]

    def _hear(self, note: Note, fields: Mapping[str, Scalar]) -> None:
        shown = tuple((name, value) for name, value in fields.items() if name in _SHOWN)
        if len(self._noted) < _MOST_KINDS or (note, shown) in self._noted:
            self._noted[note, shown] += 1

    def _heard(self, now: Instant) -> list[SecurityEvent]:
        noted, self._noted = self._noted, Counter()
        found: list[SecurityEvent] = []
        for (note, fields), count in noted.items():
            kind, severity = _NOTES[note]
            found.append(_event(now, kind, severity, {**dict(fields), "count": count}))
        return found

    def _refusals(self, now: Instant) -> list[SecurityEvent]:
        before, self._answers = self._answers, self._accounting.answers()
        found: list[SecurityEvent] = []
        for (operation, status, code), count in self._answers.items():
            more = count - before.get((operation, status, code), 0)
            if not code or not more:
                continue
            details: dict[str, Scalar] = {
                "operation": operation,
                "status": status,
                "refusal": code,
                "count": more,
            }
            severity = _REFUSALS.get(code, Severity.NOTICE)
            found.append(_event(now, "request.refused", severity, details))
        return found

    def _states(self, now: Instant) -> list[SecurityEvent]:
        found: list[SecurityEvent] = []
        why = self._stopped()
        if why and not self._told_stop:
            self._told_stop = True
            found.append(_event(now, "writes.stopped", Severity.ALERT, {"why": why}))
        days = max(0, self._ends - now) // DAY_MS
        due = [least for least in _LEAST_DAYS if days <= least < self._told_days]
        if due:
            self._told_days = due[-1]
            severity = Severity.ERROR if due[-1] <= 1 else Severity.WARNING
            left: dict[str, Scalar] = {"seconds": max(0, self._ends - now) // 1000}
            found.append(_event(now, "keys.list-ends", severity, left))
        return found


def _event(
    now: Instant, kind: str, severity: Severity, details: dict[str, Scalar]
) -> SecurityEvent:
    return SecurityEvent(at=now, kind=kind, severity=severity, details=details)
