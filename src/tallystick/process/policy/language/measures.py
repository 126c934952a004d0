"""The section `tightening`: what the service may make stricter by itself, inside signed bounds.

    on: probe, of: audit.whole, dwell: PT0S, keep: PT6H, at_most_per_day: 4,
    then: {limit: unknown-payee, per_payment: 2_000_000}        a limit that exists, lower
    then: {row: {id: ..., when: {...}, outcome: deny, ...}}     a row before the others
    cohorts, caps                                    whom first, how much at most; see `cohorts`

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Collection, Iterable, Mapping

from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.policy.facts import FOREVER, Dependency, Outcome, Signal
from tallystick.process.policy.language.cohorts import (
    read_caps,
    read_cohorts,
    refuse_idle_caps,
)
from tallystick.process.policy.language.model import (
    Caps,
    Limit,
    Lowered,
    Row,
    Tightening,
    Window,
    Words,
)
from tallystick.process.policy.language.rows import ROW_WORDS, SLUG, read_row, read_windows
from tallystick.process.yamltext.section import Section, suggestion

MAX_DWELL_MS = 7 * DAY_MS
MIN_KEEP_MS = HOUR_MS
MAX_KEEP_MS = 30 * DAY_MS
MAX_A_DAY = 24
MIN_WIDENING_MS = MINUTE_MS
"""How long an entry with cohorts waits at least before it is widened to all."""

SHARES = (Signal.ATTESTED_SHARE, Signal.FRAUD_SHARE)
_WORDS = (
    "id", "on", "of", "below_permille", "above_permille", "after", "dwell", "keep",
    "at_most_per_day", "then", "because", "cohorts", "caps",
)  # fmt: skip
_CAPS = ("per_action", "per_day")
_THEN = ("limit", "per_payment", "windows", "row")
_BOUND = {Signal.ATTESTED_SHARE: "below_permille", Signal.FRAUD_SHARE: "above_permille"}
_OF = r"^[A-Za-z0-9][A-Za-z0-9 ._/:-]{0,79}$"


def read_tightening(
    root: Section, tiers: Collection[int], limits: Iterable[Limit], together: Caps | None = None
) -> tuple[Tightening, ...]:
    """The entries under `tightening`, in the order of the text; `together` caps all of them.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    known = {limit.id: limit for limit in limits}
    entries: dict[str, Tightening] = {}
    for section in root.sections("tightening", _WORDS):
        entry = _entry(section, tiers, known, entries)
        if entry.caps is not None and together is not None:
            refuse_idle_caps(section.section("caps"), entry.caps, together)
        _refuse_taken_names(section, entry, known)
        if entry.id in entries:
            section.defects.add(section.at, f"the tightening {entry.id!r} stands twice")
        _refuse_wider_first(section, entry, entries, known)
        entries[entry.id] = entry
    return tuple(entries.values())


def read_tightening_caps(root: Section) -> Caps:
    """The caps of all entries together, under `tightening_caps`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if "tightening" not in root:
        root.defects.add(root.position("tightening_caps"), "there is no tightening to be capped")
    return read_caps(root.section("tightening_caps", _CAPS))


def _refuse_taken_names(section: Section, entry: Tightening, limits: Mapping[str, Limit]) -> None:
    """The limit of a cohort is named for both, which no limit of the text may be."""
    for cohort in entry.cohorts:
        if f"{entry.id}-{cohort.id}" in limits:
            text = f"the limit {entry.id}-{cohort.id} has the name of the cohort's own"
            section.defects.add(cohort.at, text)


def _entry(
    section: Section,
    tiers: Collection[int],
    limits: Mapping[str, Limit],
    before: Mapping[str, Tightening],
) -> Tightening:
    on = Signal(section.choice("on", tuple(Signal)) or Signal.PROBE)
    identifier = section.text("id", SLUG, "a slug such as attested-low")
    of = _of(section, on)
    then = section.section("then", _THEN)
    lowered, row = _then(then, tiers, limits)
    limit = None if lowered is None else limits.get(lowered.limit)
    cohorts = read_cohorts(section, tiers, row or limit) if "cohorts" in section else ()
    least = MIN_WIDENING_MS if cohorts else 0
    return Tightening(
        id=identifier,
        on=on,
        of=of,
        permille=_permille(section, on),
        after=_after(section, on, of, before),
        dwell_ms=section.duration(
            "dwell", least, MAX_DWELL_MS, why="a cohort comes before all" if cohorts else ""
        ),
        keep_ms=section.duration("keep", MIN_KEEP_MS, MAX_KEEP_MS, why="a measure does not flap"),
        at_most_per_day=section.integer("at_most_per_day", 1, MAX_A_DAY),
        lowered=lowered,
        row=row,
        because=section.text("because"),
        at=section.at,
        cohorts=cohorts,
        caps=read_caps(section.section("caps", _CAPS)) if "caps" in section else None,
    )


def _of(section: Section, on: Signal) -> str:
    if on in SHARES:
        if "of" in section:
            section.defects.add(section.position("of"), f"{on} is of all devices: leave out of")
        return ""
    if on is Signal.DEPENDENCY:
        return section.choice("of", tuple(Dependency))
    return section.text("of", _OF, "the name of a probe or certificate")


def _permille(section: Section, on: Signal) -> int:
    wanted = _BOUND.get(on, "")
    for word in _BOUND.values():
        if word in section and word != wanted:
            section.defects.add(section.position(word), f"{word} does not go with {on}")
    return section.integer(wanted, 1, 999) if wanted else 0


def _after(section: Section, on: Signal, of: str, before: Mapping[str, Tightening]) -> str:
    if "after" not in section:
        return ""
    named = section.text("after", SLUG, "the id of an entry that stands before")
    other = before.get(named)
    if other is None or (other.on, other.of) != (on, of):
        text = f"after names an earlier entry on the same signal, not {named!r}"
        section.defects.add(section.position("after"), text + suggestion(named, before))
        return ""
    return named


def _then(
    then: Section, tiers: Collection[int], limits: Mapping[str, Limit]
) -> tuple[Lowered | None, Row | None]:
    if ("row" in then) == ("limit" in then):
        then.defects.add(then.at, "then is either a lower limit or a row")
        return None, None
    if "row" in then:
        for word in ("per_payment", "windows"):
            if word in then:
                then.defects.add(then.position(word), f"{word} goes with a limit")
        row = read_row(then.section("row", ROW_WORDS), tiers)
        if row.outcome is Outcome.ALLOW:
            then.defects.add(
                row.at, "a tightening denies, asks for more or delays; it never allows"
            )
        return None, row
    return _lowered(then, limits), None


def _lowered(then: Section, limits: Mapping[str, Limit]) -> Lowered | None:
    named = then.choice("limit", tuple(limits))
    limit = limits.get(named)
    cap = then.integer("per_payment", 1) if "per_payment" in then else FOREVER
    windows = read_windows(then) if "windows" in then else ()
    if limit is None:
        return None
    if cap == FOREVER and not windows:
        then.defects.add(then.at, f"nothing of the limit {named!r} is lowered")
    if cap != FOREVER and cap >= limit.per_payment_minor:
        text = f"per_payment is below the {limit.per_payment_minor} of the limit {named!r}"
        then.defects.add(then.position("per_payment"), text)
    signed = {one.window_ms: one for one in limit.windows}
    for window in windows:
        if not _is_lower(window, signed.get(window.window_ms)):
            text = f"a window of {window.window_ms // 1000} s does not tighten {named!r}"
            then.defects.add(then.position("windows"), text)
    return Lowered(limit=named, per_payment_minor=cap, windows=windows)


def _is_lower(window: Window, signed: Window | None) -> bool:
    if signed is None:
        return True
    return window.max_amount < signed.max_amount or window.max_count < signed.max_count


def _refuse_wider_first(
    section: Section,
    entry: Tightening,
    before: Mapping[str, Tightening],
    limits: Mapping[str, Limit],
) -> None:
    """Note an entry that touches more payments than another on its signal and does not wait."""
    for other in before.values():
        if (other.on, other.of) != (entry.on, entry.of) or other.id == entry.id:
            continue
        mine, its = _touches(entry, limits), _touches(other, limits)
        if mine is None or its is None:
            continue
        if _inside(mine, its) and not _inside(its, mine):
            text = f"{entry.id!r} touches fewer payments than {other.id!r}: put it before that"
            section.defects.add(section.at, text)
        elif _inside(its, mine) and not _inside(mine, its) and not _waits(entry, other, before):
            text = f"{entry.id!r} touches more payments than {other.id!r}: add after: {other.id}"
            section.defects.add(section.at, text)


def _touches(entry: Tightening, limits: Mapping[str, Limit]) -> Row | Limit | None:
    if entry.row is not None:
        return entry.row
    return None if entry.lowered is None else limits.get(entry.lowered.limit)


def _inside(inner: Row | Limit, outer: Row | Limit) -> bool:
    """Whether every payment that `inner` is about is one that `outer` is about."""
    narrow = {one.field: frozenset(one.words) for one in inner.words}
    if any(not _within(one, narrow) for one in outer.words):
        return False
    if isinstance(outer, Limit):
        return True
    bounds = {one.field: one for one in inner.bounds} if isinstance(inner, Row) else {}
    return all(
        one.field in bounds
        and one.low <= bounds[one.field].low
        and bounds[one.field].high <= one.high
        for one in outer.bounds
    )


def _within(one: Words, narrow: Mapping[str, frozenset[str | int | bool]]) -> bool:
    if one.field == "operation":
        return True  # limits name none, and rows of payments name it
    return one.field in narrow and narrow[one.field] <= frozenset(one.words)


def _waits(entry: Tightening, other: Tightening, before: Mapping[str, Tightening]) -> bool:
    named = entry.after
    while named:
        if named == other.id:
            return True
        named = before[named].after
    return False
