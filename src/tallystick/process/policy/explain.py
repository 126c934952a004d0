"""Why a decision fell as it did, and what changes from one version to the next, in words.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from tallystick.kernel.codec import to_plain
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.policy.compile import CompiledPolicy, Decision
from tallystick.process.policy.facts import ENUMERATED, FOREVER, Facts, Operation, Word
from tallystick.process.policy.incentives import (
    asked_in_words,
    step_of,
    told,
    touched,
)
from tallystick.process.policy.language.model import (
    Bounds,
    Caps,
    Commission,
    Ladder,
    Limit,
    Policy,
    Row,
    Step,
    Tightening,
    Window,
    Words,
)

_ENTRIES = ("row", "limit", "tightening", "incentive", "authenticators")
_DAY_S = 86_400
_HOUR_S = 3_600
_MINUTE_S = 60


class Tried(Record, frozen=True, kw_only=True):
    """A row that was tried: matched, or the first condition that kept it from matching.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    row: str
    matched: bool
    says: str


def explain(policy: CompiledPolicy, facts: Facts) -> tuple[Tried, ...]:
    """What was tried on `facts`, in order; the last one decided.

    Rows are compared one by one as they stand in the text. What decides before the rows (an
    unknown word, a failed dependency, an operator's role) stands alone; what decides after them
    (factors, the cap of one payment) follows the row that matched.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    decision = policy.decide(facts)
    deciding = Tried(row=decision.row, matched=True, says=decision.because)
    if _before_rows(decision):
        return (deciding,)
    tried: list[Tried] = []
    for row in policy.policy.decisions:
        missed = next(_misses(row, facts), "")
        tried.append(Tried(row=row.id, matched=not missed, says=missed or row.because))
        if not missed:
            break
    if not tried or tried[-1].row != decision.row:
        tried.append(deciding)
    return tuple(tried)


def explain_steps(policy: CompiledPolicy, facts: Facts) -> tuple[Tried, ...]:
    """What the incentives that touch a payment with these `facts` give it, one for each.

    `matched` says that its limit for one payment lets the amount pass.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    words = {name: getattr(facts, name) for name in ENUMERATED}
    currency = policy.policy.header.currency
    return tuple(
        Tried(
            row=ladder.id,
            matched=facts.amount_minor <= step.per_payment_minor,
            says=f"{told(number, step)}; {step_in_words(step, currency)}",
        )
        for ladder in touched(policy.policy.incentives, words)
        for number, step in (step_of(ladder, dict(facts.steps).get(ladder.id, 0)),)
    )


def diff(old: Policy, new: Policy) -> tuple[str, ...]:
    """What `new` changes in `old`: one sentence for each parameter; one for an entry that is gone.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    before, after = dict(_parameters(old)), dict(_parameters(new))
    gone = {_entry_of(name) for name in before} - {_entry_of(name) for name in after} - {""}
    changes = [
        f"{name}: {_change(before.get(name), after.get(name))}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and _entry_of(name) not in gone
    ]
    changes += [f"{entry}: removed{_was(entry, before)}" for entry in sorted(gone)]
    kept = {row.id for row in old.decisions} & {row.id for row in new.decisions}
    order = [[row.id for row in one.decisions if row.id in kept] for one in (old, new)]
    if order[0] != order[1]:
        first = next(a for a, b in zip(order[1], order[0], strict=True) if a != b)
        changes.append(f"rows: another order, first at {first}")
    return tuple(changes)


def is_reason(change: str) -> bool:
    """Whether a sentence of `diff` is about the wording of a reason, and of nothing that decides.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return change.partition(": ")[0].endswith(" because")


def _entry_of(name: str) -> str:
    """The entry that a parameter belongs to, such as `row login`; empty for one of no entry."""
    kind, _, rest = name.partition(" ")
    return f"{kind} {rest.partition(' ')[0]}" if kind in _ENTRIES else ""


def _was(entry: str, before: Mapping[str, str]) -> str:
    says = before.get(f"{entry} outcome") or before.get(f"{entry} per payment")
    return f", was {says}" if says else ""


def in_words(milliseconds: int) -> str:
    """A duration for people: `2 d`, `24 h`, `90 s`.

    Source: ISO 8601-1, 5.5.2
    """
    seconds = milliseconds // 1000
    for unit, name in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _before_rows(decision: Decision) -> bool:
    return (
        decision.closed
        or decision.row in {"unknown-word", "currency", "amount"}
        or decision.facts.operation == Operation.OPERATE
    )


def _misses(row: Row, facts: Facts) -> Iterator[str]:
    for words in row.words:
        value: Word = getattr(facts, words.field)
        if value not in words.words:
            yield f"{words.field} is {value}, not {_either(words.words)}"
    for bounds in row.bounds:
        measured: int = getattr(facts, bounds.field)
        if not bounds.low <= measured <= bounds.high:
            yield f"{bounds.field} is {measured}, not {_between(bounds)}"


def _either(words: Iterable[Word]) -> str:
    return " or ".join(str(word) for word in words)


def _between(bounds: Bounds) -> str:
    parts: list[str] = []
    if bounds.low > -FOREVER:
        parts.append(f"at least {bounds.low}")
    if bounds.high < FOREVER:
        parts.append(f"at most {bounds.high}")
    return " and ".join(parts)


def _change(old: str | None, new: str | None) -> str:
    if old is None:
        return f"new, {new}"
    return f"removed, was {old}" if new is None else f"{old} -> {new}"


def _parameters(policy: Policy) -> Iterator[tuple[str, str]]:
    currency = policy.header.currency
    for row in (*policy.decisions, policy.default):
        yield from _row_parameters(row)
    for limit in policy.limits:
        yield from _limit_parameters(limit, currency)
    for entry in policy.tightening:
        yield from _tightening_parameters(entry, currency)
    for ladder in policy.incentives:
        yield from _ladder_parameters(ladder, currency)
    if policy.tightening_caps is not None:
        yield from _caps_parameters("all tightenings", policy.tightening_caps)
    plain = to_plain(policy)
    told = ("decisions", "default", "limits", "tightening", "tightening_caps", "incentives")
    for section in (*told, "regimes_at"):
        plain.pop(section)
    for rule in plain["authenticators"].values():
        rule.pop("at")
    yield from _flat("", plain, currency)


def _row_parameters(row: Row) -> Iterator[tuple[str, str]]:
    name = f"row {row.id}"
    yield f"{name} outcome", " ".join(filter(None, (row.outcome.value, row.grade)))
    yield f"{name} because", row.because
    if row.non_monotone:
        yield f"{name} non_monotone", row.non_monotone
    if row.delay_ms:
        yield f"{name} delay", in_words(row.delay_ms)
    yield from _conditions(name, row.words)
    for bounds in row.bounds:
        yield f"{name} when {bounds.field}", _between(bounds)


def _limit_parameters(limit: Limit, currency: str) -> Iterator[tuple[str, str]]:
    name = f"limit {limit.id}"
    yield f"{name} per payment", money(limit.per_payment_minor, currency)
    yield f"{name} because", limit.because
    yield from _conditions(name, limit.words)
    for window in limit.windows:
        yield f"{name} within {in_words(window.window_ms)}", window_in_words(window, currency)


def _tightening_parameters(entry: Tightening, currency: str) -> Iterator[tuple[str, str]]:
    name = f"tightening {entry.id}"
    yield f"{name} on", " ".join(filter(None, (entry.on.value, entry.of)))
    if entry.permille:
        yield f"{name} share", f"{entry.permille} of 1000"
    if entry.after:
        yield f"{name} after", entry.after
    yield f"{name} dwell", in_words(entry.dwell_ms)
    yield f"{name} keep", in_words(entry.keep_ms)
    yield f"{name} at most per day", str(entry.at_most_per_day)
    yield f"{name} because", entry.because
    for cohort in entry.cohorts:
        yield from _conditions(f"{name} cohort {cohort.id}", cohort.words)
    if entry.caps is not None:
        yield from _caps_parameters(name, entry.caps)
    if entry.row is not None:
        for what, value in _row_parameters(entry.row):
            yield f"{name} {what}", value
    if entry.lowered is not None:
        yield f"{name} limit", entry.lowered.limit
        yield f"{name} per payment", money(entry.lowered.per_payment_minor, currency)
        for window in entry.lowered.windows:
            yield f"{name} within {in_words(window.window_ms)}", window_in_words(window, currency)


def _caps_parameters(name: str, caps: Caps) -> Iterator[tuple[str, str]]:
    yield f"{name} caps", in_shares(caps.customers_bp, caps.value_bp)
    yield f"{name} caps a day", in_shares(caps.day_customers_bp, caps.day_value_bp)


def in_shares(customers_bp: int, value_bp: int) -> str:
    """Shares in basis points for people: `10.00 % of customers, 15.00 % of value`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return (
        f"{customers_bp // 100}.{customers_bp % 100:02} % of customers,"
        f" {value_bp // 100}.{value_bp % 100:02} % of value"
    )


def _conditions(name: str, words: Iterable[Words]) -> Iterator[tuple[str, str]]:
    for one in words:
        yield f"{name} when {one.field}", _either(one.words)


def step_in_words(step: Step, currency: str) -> str:
    """What a step gives, for people: its limits and its commission.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    parts = [f"{money(step.per_payment_minor, currency)} a payment"]
    parts += [
        f"{window_in_words(one, currency)} within {in_words(one.window_ms)}" for one in step.windows
    ]
    if step.commission is not None:
        parts.append(f"commission {_commission(step.commission, currency)}")
    return ", ".join(parts)


def _commission(commission: Commission, currency: str) -> str:
    parts: list[str] = []
    if commission.flat_minor:
        parts.append(money(commission.flat_minor, currency))
    if commission.basis_points:
        whole, part = divmod(commission.basis_points, 100)
        parts.append(f"{whole}.{part:02d} %")
    return f"{' and '.join(parts)}, at most {money(commission.cap_minor, currency)}"


def _ladder_parameters(ladder: Ladder, currency: str) -> Iterator[tuple[str, str]]:
    name = f"incentive {ladder.id}"
    yield f"{name} of", " ".join(filter(None, (ladder.subject.value, ladder.of)))
    yield f"{name} because", ladder.because
    yield f"{name} least", money(ladder.least_minor, currency)
    yield f"{name} within", in_words(ladder.within_ms)
    yield f"{name} each at most", str(ladder.each_at_most)
    yield from _conditions(name, ladder.words)
    for number, step in enumerate(ladder.steps):
        yield f"{name} step {number}", step_in_words(step, currency)
        yield f"{name} step {number} because", step.because
        if number:
            yield f"{name} step {number} dwell", in_words(step.dwell_ms)
            yield f"{name} step {number} evidence", asked_in_words(step.evidence)
    for finding in ladder.findings:
        says = f"{asked_in_words((finding.on,))}: {finding.drops} down, {finding.because}"
        yield f"{name} finding {finding.id}", says


def window_in_words(window: Window, currency: str) -> str:
    """What fits into a window, for people.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    parts: list[str] = []
    if window.max_amount < FOREVER:
        parts.append(money(window.max_amount, currency))
    if window.max_count < FOREVER:
        parts.append(f"{window.max_count} payments")
    return ", ".join(parts)


def money(minor: int, currency: str) -> str:
    """An amount for people; `FOREVER` is no ceiling.

    Source: ISO 4217
    """
    return "no ceiling" if minor >= FOREVER else str(Money(minor, currency))


def _flat(name: str, value: object, currency: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for word, inner in cast("dict[object, object]", value).items():
            yield from _flat(f"{name} {word}".strip(), inner, currency)
    elif isinstance(value, list | tuple):
        items = cast("Iterable[object]", value)
        yield name, ", ".join(str(item) for item in items) or "nothing"
    elif name.endswith("_ms") and isinstance(value, int):
        yield name.removesuffix("_ms"), in_words(value)
    elif name.endswith("_until") and isinstance(value, int):
        yield name, iso_utc(value)[:19] + "Z" if value else "never"
    elif name.endswith("_minor") and isinstance(value, int):
        yield name.removesuffix("_minor"), money(value, currency)
    else:
        yield name, str(value) or "nothing"
