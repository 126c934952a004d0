"""A policy with measures in force: never looser than what officers signed, and when each may begin.

    effective(base, entries)       the base with limits lowered and rows put before the others
    proven_tighter(base, now)      nowhere looser, over all facts, or the counter-example
    why_not_tighten, why_not_ease  dwell, keep, at most so often, one after the other

Time comes from outside, and what happened before as rows: the rules are the same for whoever asks
again later.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 7.3.3
"""

from collections.abc import Iterable, Sequence

from tallystick.kernel.errors import MfsError, NotPermitted
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.policy.facts import FOREVER, Outcome
from tallystick.process.policy.language.model import (
    Limit,
    Lowered,
    Policy,
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

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    failing: bool
    since: int
    evidence: str


class Measure(Record, frozen=True, kw_only=True):
    """A tightening that began; `until` (ms) and `end_event` are 0 and -1 while it is in force.

    `version` is of the policy that it tightens, `file` the measure as the service signed it (a
    compact JWS), `event` and `end_event` the records of its beginning and end. A lifted one keeps
    its entry from beginning again before `blocked_until`.
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


def entry_of(policy: Policy, name: str) -> Tightening | None:
    """The entry of `policy` with this id, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return next((one for one in policy.tightening if one.id == name), None)


def effective(base: Policy, names: Iterable[str]) -> Policy:
    """`base` with its tightening entries `names` in force, in the order of its text.

    Every changed limit and added row says which entry it comes from. Rows that deny stand before
    those that ask for more, and these before those that delay.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    wanted = frozenset(names)
    entries = [one for one in base.tightening if one.id in wanted]
    limits = tuple(_limit(limit, entries) for limit in base.limits)
    rows = [
        replace(one.row, because=_because(one.row.because, one))
        for one in entries
        if one.row is not None
    ]
    rows.sort(key=lambda row: _ORDER.index(row.outcome))
    return replace(base, limits=limits, decisions=(*rows, *base.decisions))


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
        ((one.id,), one) for one in policy.tightening
    ]
    if len(cases) > 1:
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
    if any(not one.until for one in current):
        return "it is in force already"
    blocked = max((one.blocked_until for one in current), default=0)
    if now < blocked:
        return f"two people lifted it until {_told(blocked)}"
    return _why_too_early(entry, seen, _in_force(known, version), now) or _why_too_often(
        entry, mine, now
    )


def _why_too_early(entry: Tightening, seen: Seen, others: Iterable[Measure], now: int) -> str:
    since = seen.since
    if entry.after:
        first = [one.since for one in others if one.entry == entry.after]
        if not first:
            return f"it waits for {entry.after}"
        since = max(since, *first)
    return "" if now - since >= entry.dwell_ms else "it has not failed for long enough"


def _why_too_often(entry: Tightening, mine: Iterable[Measure], now: int) -> str:
    if sum(one.since > now - DAY_MS for one in mine) >= entry.at_most_per_day:
        return f"it began {entry.at_most_per_day} times within 24 hours"
    return ""


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


def _because(reason: str, entry: Tightening) -> str:
    return f"{reason} (tightened by {entry.id})"
