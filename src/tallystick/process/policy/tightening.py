"""A policy with measures in force: never looser than what officers signed, and when each may begin.

    effective(base, steps)         the base with limits lowered and rows put before the others
    proven_tighter(base, now)      nowhere looser, over all facts, or the counter-example
    why_not_tighten, why_not_ease  dwell, keep, at most so often, one after the other

A step is an entry for all (`attestation-low`), or held to one of its cohorts
(`attestation-low/unproven`). How much a step may touch is the business of `caps`.

Time comes from outside, and what happened before as rows: the rules are the same for whoever asks
again later.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 7.3.3
"""

from collections.abc import Iterable, Sequence

from tallystick.kernel.errors import MfsError, NotPermitted
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.policy.facts import FOREVER, Outcome
from tallystick.process.policy.language.cohorts import narrow
from tallystick.process.policy.language.model import (
    Cohort,
    Limit,
    Lowered,
    Policy,
    Row,
    Tightening,
    Window,
)
from tallystick.process.policy.proofs.tighter import looser
from tallystick.process.yamltext.section import Defects

_ORDER = (Outcome.DENY, Outcome.STEP_UP, Outcome.DELAY)
LIFTED = "lifted"
EASED = "eased"
SUPERSEDED = "superseded"
"""How a measure ended."""


class Seen(Record, frozen=True, kw_only=True):
    """What the service saw of a signal: whether it fails, since when (ms), and on what that rests.

    `cohorts` are those of the entry in which it fails, each taken by itself.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    failing: bool
    since: int
    evidence: str
    cohorts: tuple[str, ...] = ()


class Measure(Record, frozen=True, kw_only=True):
    """A tightening that began; `until` (ms) and `end_event` are 0 and -1 while it is in force.

    `version` is of the policy that it tightens, `file` the measure as the service signed it (a
    compact JWS), `event` and `end_event` the records of its beginning and end. A lifted one keeps
    its entry from beginning again before `blocked_until`. `cohort` is whom it is held to, empty for
    all; `touched` the counts of whom it touches and `approval` what two officers signed, both as
    texts that are empty where there are none.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    id: str
    version: int
    entry: str
    since: int
    until: int
    ended: str
    blocked_until: int
    evidence: str
    file: str
    event: int
    end_event: int
    cohort: str = ""
    touched: str = ""
    approval: str = ""

    @property
    def step(self) -> str:
        """The entry, with the cohort that it is held to.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return step_of(self.entry, self.cohort)


def step_of(entry: str, cohort: str) -> str:
    """The name of `entry` held to `cohort`, which is empty for all.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return f"{entry}/{cohort}" if cohort else entry


def entry_of(policy: Policy, name: str) -> Tightening | None:
    """The entry of `policy` with this id, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return next((one for one in policy.tightening if one.id == name), None)


def effective(base: Policy, steps: Iterable[str]) -> Policy:
    """`base` with the `steps` of its tightening entries in force, in the order of its text.

    Every changed limit and added row says which entry it comes from. Rows that deny stand before
    those that ask for more, and these before those that delay. A limit that is lowered for a cohort
    stays, and one for the cohort stands beside it; where an entry is in force for all, its cohorts
    add nothing.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    wanted: dict[str, set[str]] = {}
    for step in steps:
        name, _, cohort = step.partition("/")
        wanted.setdefault(name, set()).add(cohort)
    whole = [one for one in base.tightening if "" in wanted.get(one.id, ())]
    parts = [
        (one, cohort)
        for one in base.tightening
        if one not in whole
        for cohort in one.cohorts
        if cohort.id in wanted.get(one.id, ())
    ]
    limits = [_limit(limit, whole) for limit in base.limits]
    limits += [_beside(base, one, cohort) for one, cohort in parts if one.lowered is not None]
    rows = [
        *(_row(one.row, one, None) for one in whole if one.row is not None),
        *(_row(one.row, one, cohort) for one, cohort in parts if one.row is not None),
    ]
    rows.sort(key=lambda row: _ORDER.index(row.outcome))
    return replace(base, limits=tuple(limits), decisions=(*rows, *base.decisions))


def _row(row: Row, entry: Tightening, cohort: Cohort | None) -> Row:
    words = row.words if cohort is None else narrow(row.words, cohort.words) or row.words
    return replace(row, words=words, because=_because(row.because, entry, cohort))


def _beside(base: Policy, entry: Tightening, cohort: Cohort) -> Limit:
    """The lower limit of `entry`, for the payments of `cohort` alone."""
    lowered = entry.lowered
    limit = next(one for one in base.limits if lowered is not None and one.id == lowered.limit)
    lower = _limit(limit, [entry])
    return replace(
        lower,
        id=f"{entry.id}-{cohort.id}",
        words=narrow(limit.words, cohort.words) or limit.words,
        because=_because(entry.because, entry, cohort),
    )


def proven_tighter(base: Policy, now: Policy) -> None:
    """Pass if `now` is nowhere looser than `base`.

    Raises NotPermitted with the counter-example, TooLarge if it cannot be said.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    found = looser(base, now)
    if found:
        raise NotPermitted(
            "this would loosen the policy that officers signed",
            because=found,
            remedy="loosening takes a new version and its signatures",
        )


def check_tightening(policy: Policy) -> None:
    """Pass if each entry of `policy`, and all of them together, only tighten.

    Raises Malformed with the counter-example and the position of the entry.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    defects = Defects()
    cases: list[tuple[tuple[str, ...], Tightening]] = [
        ((step,), one)
        for one in policy.tightening
        for step in (one.id, *(step_of(one.id, cohort.id) for cohort in one.cohorts))
    ]
    if len(policy.tightening) > 1:
        cases.append((tuple(one.id for one in policy.tightening), policy.tightening[0]))
    for names, entry in cases:
        try:
            found = looser(policy, effective(policy, names))
        except MfsError as error:
            found = error.detail
        if found:
            defects.add(entry.at, f"the tightening {' and '.join(names)} loosens: {found}")
    defects.refuse()


def why_not_tighten(
    policy: Policy, entry: Tightening, seen: Seen, known: Sequence[Measure], now: int
) -> str:
    """Why `entry` may not begin at `now`, in words; empty if it may.

    `known` are all measures of the last 24 hours at least, and all of this version.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    version = policy.header.version
    mine = [one for one in known if one.entry == entry.id]
    current = [one for one in mine if one.version == version]
    if not seen.failing:
        return "the signal does not fail"
    if any(not one.until and not one.cohort for one in current):
        return "it is in force already"
    blocked = max((one.blocked_until for one in current), default=0)
    if now < blocked:
        return f"two people lifted it until {_told(blocked)}"
    held = [one for one in current if not one.until]
    if held:
        return _why_not_wider(entry, held, now)
    return _why_too_early(entry, seen, _in_force(known, version), now) or _why_too_often(
        entry, mine, now
    )


def is_widening(entry: Tightening, known: Iterable[Measure], version: int) -> bool:
    """Whether what comes next for `entry` is to be in force for all, after one of its cohorts.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return any(one.entry == entry.id for one in _in_force(known, version))


def _why_not_wider(entry: Tightening, held: Iterable[Measure], now: int) -> str:
    if now - max(one.since for one in held) >= entry.dwell_ms:
        return ""
    return "it is in force for a cohort, and has not failed there for long enough"


def _why_too_early(entry: Tightening, seen: Seen, others: Iterable[Measure], now: int) -> str:
    since = seen.since
    if entry.after:
        first = [one.since for one in others if one.entry == entry.after and not one.cohort]
        if not first:
            return f"it waits for {entry.after}"
        since = max(since, *first)
    return "" if now - since >= entry.dwell_ms else "it has not failed for long enough"


def _why_too_often(entry: Tightening, mine: Sequence[Measure], now: int) -> str:
    """A measure for all that took the place of one for a cohort is no beginning of its own."""
    began = [one for one in mine if one.since > now - DAY_MS and not _widened(one, mine)]
    if len(began) >= entry.at_most_per_day:
        return f"it began {entry.at_most_per_day} times within 24 hours"
    return ""


def _widened(measure: Measure, mine: Iterable[Measure]) -> bool:
    return not measure.cohort and any(
        one.cohort and one.since < measure.since and (not one.until or measure.since < one.until)
        for one in mine
    )


def why_not_ease(entry: Tightening, seen: Seen, measure: Measure, now: int) -> str:
    """Why `measure` of `entry` may not end at `now`, in words; empty if it may.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    if seen.failing:
        return "the signal still fails"
    if now - max(seen.since, measure.since) < entry.keep_ms:
        return f"the signal is well for less than {entry.keep_ms // 1000} s"
    return ""


def in_force(known: Iterable[Measure], version: int) -> tuple[Measure, ...]:
    """The measures that tighten policy `version` now.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return tuple(_in_force(known, version))


def _in_force(known: Iterable[Measure], version: int) -> list[Measure]:
    return [one for one in known if one.version == version and not one.until]


def _told(instant: int) -> str:
    return "the next version" if instant >= FOREVER else iso_utc(instant)


def _limit(limit: Limit, entries: Iterable[Tightening]) -> Limit:
    found = limit
    for entry in entries:
        lowered = entry.lowered
        if lowered is not None and lowered.limit == limit.id:
            found = replace(
                found,
                per_payment_minor=min(found.per_payment_minor, lowered.per_payment_minor),
                windows=_windows(found.windows, lowered),
                because=_because(entry.because if found is limit else found.because, entry),
            )
    return found


def _windows(windows: Iterable[Window], lowered: Lowered) -> tuple[Window, ...]:
    found: dict[int, Window] = {one.window_ms: one for one in windows}
    for one in lowered.windows:
        signed = found.get(one.window_ms, one)
        found[one.window_ms] = Window(
            window_ms=one.window_ms,
            max_amount=min(one.max_amount, signed.max_amount),
            max_count=min(one.max_count, signed.max_count),
        )
    return tuple(found.values())


def _because(reason: str, entry: Tightening, cohort: Cohort | None = None) -> str:
    held = f" for {cohort.id}" if cohort is not None else ""
    return f"{reason} (tightened by {entry.id}{held})"
