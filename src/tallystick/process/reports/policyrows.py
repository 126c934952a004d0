"""Which rows of a policy carry what the pack says that a control is enforced by.

A word of the pack (`dialled-cap`) says what kind of rule does it; here it becomes the ids of the
rules of one policy that are of this kind, found by what they look at, not by their names.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from tallystick.process.policy.explain import in_words
from tallystick.process.policy.facts import Outcome
from tallystick.process.policy.language.model import Limit, Policy, Row

POLICY: Final = "policy:"
_LATER: Final = (Outcome.STEP_UP, Outcome.DELAY, Outcome.DENY)
Rule = tuple[str, str]
"""The id of a rule and what it says."""

_Find = Callable[[Policy], Iterator[Rule]]


def rules_for(policy: Policy, enforced_by: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of `policy` that carry any of `enforced_by`, in order, each once.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    words = [one.removeprefix(POLICY) for one in enforced_by if one.startswith(POLICY)]
    found = chain.from_iterable(_FINDERS[one](policy) for one in words if one in _FINDERS)
    return tuple(dict(found).items())


def known_words() -> frozenset[str]:
    """The words for which rules can be found.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return frozenset(_FINDERS)


def _row(row: Row) -> Rule:
    return f"decisions/{row.id}", f"{row.outcome.value}: {row.because}"


def _limit(limit: Limit) -> Rule:
    return f"limits/{limit.id}", limit.because


def _rows(field: str, outcomes: Iterable[Outcome]) -> _Find:
    """Rows of one of `outcomes` that look at `field`."""
    wanted = frozenset(outcomes)

    def find(policy: Policy) -> Iterator[Rule]:
        for row in policy.decisions:
            looked = {one.field for one in row.words} | {one.field for one in row.bounds}
            if row.outcome in wanted and field in looked:
                yield _row(row)

    return find


def _limits(field: str, *words: object) -> _Find:
    """Limits for nothing but `words` in `field`, or for any value of it where no word is given."""
    wanted = frozenset(words)

    def find(policy: Policy) -> Iterator[Rule]:
        for limit in policy.limits:
            for condition in limit.words:
                named = condition.field == field
                if named and (not wanted or frozenset(condition.words) <= wanted):
                    yield _limit(limit)

    return find


def _two_factors(policy: Policy) -> Iterator[Rule]:
    for operation, rule in policy.factors.items():
        if rule.categories >= 2:
            yield f"factors/{operation}", f"{rule.categories} categories: {rule.because}"


def _steps_to_attested(policy: Policy) -> Iterator[Rule]:
    for row in policy.decisions:
        grades = {word for one in row.words if one.field == "grade" for word in one.words}
        if row.grade == "device-signed-attested" or grades == {"device-signed-attested"}:
            yield _row(row)


def _attempts(policy: Policy) -> Iterator[Rule]:
    rule = policy.attempts
    yield "attempts", f"{rule.limit} failures in a row block for {in_words(rule.block_ms)}"
    yield from _rows("recent_failures", _LATER)(policy)


def _idle(policy: Policy) -> Iterator[Rule]:
    for channel, rule in policy.sessions.items():
        yield f"sessions/{channel}", f"ends after {in_words(rule.idle_ms)} without a request"


def _whole_life(policy: Policy) -> Iterator[Rule]:
    for channel, rule in policy.sessions.items():
        yield f"sessions/{channel}", f"ends after {in_words(rule.absolute_ms)} in any case"


def _quotes(policy: Policy) -> Iterator[Rule]:
    yield "quotes", f"terms hold for {in_words(policy.quote_life_ms)}"


def _attestation(policy: Policy) -> Iterator[Rule]:
    rule = policy.dependencies.get("attestation")
    if rule is not None:
        held = f", for {in_words(rule.stale_for_ms)} at most" if rule.stale_for_ms else ""
        yield "dependencies/attestation", f"on failure {rule.on_failure}{held}: {rule.because}"


def _closed(policy: Policy) -> Iterator[Rule]:
    for name, rule in policy.dependencies.items():
        if rule.on_failure == "closed":
            yield f"dependencies/{name}", f"on failure closed: {rule.because}"


def _two_people(policy: Policy) -> Iterator[Rule]:
    for act in policy.operators.two_people:
        yield f"operators/two_people/{act}", "two people must agree"
    for row in policy.decisions:
        if row.grade == "two-operators":
            yield _row(row)


def _tiers(policy: Policy) -> Iterator[Rule]:
    for number, tier in policy.tiers.items():
        yield f"tiers/{number}", f"{tier.label}: {tier.because}"
    yield from _limits("tier")(policy)


def _dialled(policy: Policy) -> Iterator[Rule]:
    yield from _limits("channel", "ussd")(policy)
    for row in policy.decisions:
        channels = {word for one in row.words if one.field == "channel" for word in one.words}
        bounded = any(one.field == "amount_minor" for one in row.bounds)
        if row.outcome in _LATER and channels == {"ussd"} and bounded:
            yield _row(row)


def _agents(policy: Policy) -> Iterator[Rule]:
    yield from _limits("channel", "agent")(policy)
    yield from _limits("grade", "agent-assisted")(policy)


def _hybrid(policy: Policy) -> Iterator[Rule]:
    suites = policy.handshake.suites
    hybrid = [one for one in suites if "mlkem" in one]
    if hybrid:
        yield "handshake", f"{', '.join(hybrid)} among {len(suites)} suites"


_FINDERS: Final[Mapping[str, _Find]] = {
    "two-factors": _two_factors,
    "step-up-large": _rows("amount_minor", (Outcome.STEP_UP,)),
    "step-up-night": _rows("minute_of_day", (Outcome.STEP_UP,)),
    "sim-change-hold": _rows("sim_age_ms", _LATER),
    "new-device-delay": _rows("device_age_ms", _LATER),
    "new-payee-delay": _rows("payee_known", (Outcome.DELAY, Outcome.STEP_UP)),
    "attested-grade-above": _steps_to_attested,
    "software-device-cap": _limits("device_trust", "software", "unknown"),
    "dialled-cap": _dialled,
    "shared-phone-cap": _limits("channel", "ussd"),
    "unknown-payee-cap": _limits("payee_known", False),
    "agent-cap": _agents,
    "mandate-cap": _limits("grade", "standing-mandate"),
    "tier-limits": _tiers,
    "attempts-limit": _attempts,
    "idle-timeout": _idle,
    "session-life": _whole_life,
    "quote-life": _quotes,
    "attestation-age": _attestation,
    "risk-score-deny": _rows("risk_score", _LATER),
    "two-operators": _two_people,
    "hybrid-suites": _hybrid,
    "dependency-closed": _closed,
    "merchant-cap": _limits("kind", "merchant"),
}
