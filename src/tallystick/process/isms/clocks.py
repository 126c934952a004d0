"""Everything that becomes due: one function over all registers and certificates, soonest first.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4; 9.1
"""

from collections.abc import Iterable, Iterator

from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.breach import deadlines
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal
from tallystick.process.isms.custody import CustodyEntry
from tallystick.process.isms.model import ClockKind, ClockRule, Entry, Register, Registers

AHEAD_MS = 30 * DAY_MS
"""How long before it is due something is told."""


class Due(Record, frozen=True, kw_only=True):
    """One thing to do: in which register, at which entry, what, by when (ms), and if it is late.

    `entry` is empty for the register as a whole, `line` 0 for what stands in no text.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    at: int
    register: str
    entry: str
    what: str
    overdue: bool
    owner: str
    line: int


def due(
    registers: Registers,
    now: Instant,
    *,
    certificates: Iterable[EvaluationCertificate] = (),
    withdrawn: Iterable[Withdrawal] = (),
    devices: Iterable[CustodyEntry] = (),
    ahead_ms: int = AHEAD_MS,
) -> tuple[Due, ...]:
    """What is overdue at `now`, or falls due within `ahead_ms`, soonest first.

    A register that cannot be read is overdue since ever: nobody knows what stands in it. Of
    `devices`, how each of them stands, the next inspection falls due.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    found = [
        Due(
            at=0, register=one.name, entry="", what="cannot be read", overdue=True, owner="", line=0
        )
        for one in registers.unreadable
    ]
    for register in registers.kept.values():
        found += _of_register(register, now)
    gone = {one.certificate for one in withdrawn if one.at <= now}
    found += [
        Due(
            at=one.valid_to,
            register="certificates",
            entry=one.id,
            what=f"certificate of {one.component}",
            overdue=one.valid_to <= now,
            owner="",
            line=0,
        )
        for one in certificates
        if one.id not in gone
    ]
    found += [
        Due(
            at=at,
            register="custody",
            entry=one.device,
            what="inspection of the device",
            overdue=at <= now,
            owner=one.custodians,
            line=0,
        )
        for one in devices
        if (at := one.inspection_due())
    ]
    near = [one for one in found if one.overdue or one.at <= now + ahead_ms]
    return tuple(sorted(near, key=lambda one: (one.at, one.register, one.entry, one.what)))


def _of_register(register: Register, now: Instant) -> Iterator[Due]:
    reviewed = register.reviewed + register.review_ms
    yield Due(
        at=reviewed,
        register=register.name,
        entry="",
        what="review of the register",
        overdue=reviewed <= now,
        owner=register.owner,
        line=1,
    )
    for entry in register.entries.values():
        owner = entry.text("owner") or register.owner
        for rule in register.shape.clocks:
            at = falls_due(rule, entry)
            if at:
                yield _one(register.name, entry, rule.what, at, owner, overdue=at <= now)
        if register.name == "incidents":
            for deadline in deadlines(entry, now):
                if not deadline.done:
                    what = f"{deadline.regime}: {deadline.what}"
                    yield _one(
                        register.name, entry, what, deadline.due, owner, overdue=deadline.late
                    )


def _one(register: str, entry: Entry, what: str, at: int, owner: str, *, overdue: bool) -> Due:
    return Due(
        at=at,
        register=register,
        entry=entry.id,
        what=what,
        overdue=overdue,
        owner=owner,
        line=entry.at.line,
    )


def falls_due(rule: ClockRule, entry: Entry) -> int:
    """When a clock of an entry falls due (ms); 0 if it does not run.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if rule.unless and not entry.flag(rule.unless):
        return 0
    start = entry.number(rule.start)
    if not start:
        return 0
    if rule.kind is ClockKind.EXPIRES:
        return start
    if rule.kind is ClockKind.ANSWER and entry.number(rule.done):
        return 0
    length = entry.number(rule.length)
    return start + length if length else 0
