"""What the record says of security, as events: policies, operators, devices, blocked PINs.

A cursor says how far the record was told. It is kept in a file, so that what a collector missed
while it was away, or while the service was, is told afterwards.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Iterable
from pathlib import Path

from tallystick.application.notices.store import blocked_pins, next_seq
from tallystick.application.operators.store import acts_by_event
from tallystick.application.payments.store import besides_payments
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import MfsError
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import EventLeaf, Scalar
from tallystick.protocol.security_events import SecurityEvent, Severity

_STEP = 4_000
"""How many events of the log are read at once; most are payments, which are passed over."""

_MOST_PINS = 200
_SHOWN = (
    "act", "activation", "attested", "before", "by", "certificate", "channel", "customer_kind",
    "day",
    "emergency", "found", "grade", "model", "page", "parts", "purpose", "scope", "signature",
    "until", "way", "workload",
    "device_act", "done_by",
    "call", "domain", "generation", "program", "values", "warrant",
    "approval", "failures", "reported", "set_back",
    "issue", "list", "members", "origin",
    "cohort", "customers", "of_customers", "of_value_minor", "proposal", "value_minor",
    "ended", "entry", "file", "measure", "name", "opened_by", "operator", "order", "payment",
    "kind", "suspension",
    "refused", "role", "tier", "trust", "use", "version", "webhook",
)  # fmt: skip
"""The fields of an event that leave: ids, versions and words of closed lists; no free text."""

_SEVERITIES = {
    "appraisal.changed": Severity.NOTICE,
    "vendor-list.imported": Severity.NOTICE,
    "device.suspended": Severity.WARNING,
    "device.lost": Severity.WARNING,
    "device.stolen": Severity.WARNING,
    "device.leaving": Severity.NOTICE,
    "device.removed": Severity.NOTICE,
    "device.dormant": Severity.NOTICE,
    "device.deleted": Severity.NOTICE,
    "device.wiped": Severity.NOTICE,
    "security.not-me": Severity.WARNING,
    "risk.cleared": Severity.NOTICE,
    "authentication.blocked": Severity.WARNING,
    "certificate.withdrawn": Severity.WARNING,
    "app.released": Severity.NOTICE,
    "app.withdrawn": Severity.WARNING,
    "app.denied": Severity.WARNING,
    "app.rolled-out": Severity.NOTICE,
    "tally.restored": Severity.ALERT,
    "account.funded": Severity.NOTICE,
    "activation.issued": Severity.NOTICE,
    "certificate.added": Severity.NOTICE,
    "service.suspended": Severity.ALERT,
    "service.resumed": Severity.WARNING,
    "customer.erased": Severity.NOTICE,
    "customer.resumed": Severity.NOTICE,
    "customer.suspended": Severity.WARNING,
    "customer.tier-changed": Severity.NOTICE,
    "device.resumed": Severity.NOTICE,
    "operator.enrolled": Severity.NOTICE,
    "operator.invited": Severity.NOTICE,
    "operator.declined": Severity.NOTICE,
    "operator.emergency": Severity.ALERT,
    "operator.emergency-reviewed": Severity.NOTICE,
    "operator.linked": Severity.NOTICE,
    "operator.passkey-added": Severity.NOTICE,
    "operator.passkey-copied": Severity.ALERT,
    "operator.passkey-removed": Severity.NOTICE,
    "operator.passkey-invited": Severity.NOTICE,
    "operator.suspended": Severity.ALERT,
    "operator.resumed": Severity.WARNING,
    "operator.removed": Severity.WARNING,
    "operator.signed": Severity.NOTICE,
    "operator.proposed": Severity.NOTICE,
    "payment": Severity.NOTICE,
    "policy.activated": Severity.NOTICE,
    "policy.shadowed": Severity.NOTICE,
    "policy.tightened": Severity.WARNING,
    "policy.eased": Severity.NOTICE,
    "incentive.risen": Severity.NOTICE,
    "incentive.fallen": Severity.WARNING,
    "incentive.set": Severity.WARNING,
    "policy.lifted": Severity.WARNING,
    "pin.unlocked": Severity.NOTICE,
    "workload.issued": Severity.NOTICE,
    "workload.revoked": Severity.NOTICE,
    "policy.tightening-proposed": Severity.ERROR,
    "policy.proposal-ended": Severity.NOTICE,
    "webhook.added": Severity.NOTICE,
    "keys.refused": Severity.WARNING,
    "module.returned": Severity.ERROR,
    "paycrypt.changed": Severity.NOTICE,
    "paycrypt.refused": Severity.WARNING,
    "surrogates.opened": Severity.WARNING,
    "surrogates.stepped": Severity.WARNING,
    "surrogates.allowed": Severity.WARNING,
    "surrogates.revealed": Severity.NOTICE,
    "surrogates.rotated": Severity.NOTICE,
}


class Cursor(Record, frozen=True, kw_only=True):
    """How far the record was told: the next event of the log, the last notice.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    event: int
    notice: int


class Told(Record, frozen=True, kw_only=True):
    """What is to be told next, and where to go on once it was.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    events: list[SecurityEvent]
    then: Cursor


def recall(reader: Reader, cursor: Cursor, size: int) -> Told:
    """The security events from `cursor` on, of a log of which `size` events are signed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    start = min(cursor.event, size)
    end = min(start + _STEP, size)
    leaves = list(besides_payments(TallyStore(reader), start, end))
    acts = acts_by_event(reader, start, end) if leaves else {}
    found = [_event(index, leaf, acts.get(index, ())) for index, leaf in leaves]
    notice = cursor.notice
    for seq, at in blocked_pins(reader, notice, _MOST_PINS):
        details: dict[str, Scalar] = {"notice": seq}
        found.append(
            SecurityEvent(at=at, kind="pin.blocked", severity=Severity.WARNING, details=details)
        )
        notice = seq
    found.sort(key=lambda one: one.at)
    return Told(events=found, then=Cursor(event=end, notice=notice))


def _event(index: int, leaf: EventLeaf, acts: Iterable[tuple[str, str]]) -> SecurityEvent:
    details: dict[str, Scalar] = {"event": leaf.id, "index": index, "policy": leaf.policy}
    details |= {name: leaf.p[name] for name in _SHOWN if name in leaf.p}
    for field, (name, operator) in zip(("operator", "second_operator"), acts, strict=False):
        details |= {"name": name, field: operator}
    if leaf.stage:
        details["stage"] = leaf.stage
    severity = _SEVERITIES.get(leaf.kind, Severity.INFORMATIONAL)
    return SecurityEvent(at=leaf.at, kind=leaf.kind, severity=severity, details=details)


def first_cursor(file: Path, reader: Reader, size: int, boot: int) -> Cursor:
    """Where to go on: what `file` says, the beginning for a new provider, else what comes now.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        return _cursors.decode(file.read_bytes())
    except (OSError, MfsError):
        if boot == 1:
            return Cursor(event=0, notice=0)
        return Cursor(event=size, notice=next_seq(reader) - 1)


def keep_cursor(file: Path, cursor: Cursor) -> None:
    """Remember `cursor` across restarts.

    Raises OSError.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    replace_file(file, encode(cursor))


_cursors = Decoder(Cursor, limit=256)
