"""The proof that a policy is nowhere looser, against asking every fact of small policies."""

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.process.policy.policy_texts import demo, payment

from tallystick.kernel.model import replace
from tallystick.process.policy import Facts, recompile
from tallystick.process.policy.facts import VOCABULARY, Outcome
from tallystick.process.policy.language.model import Bounds, Limit, Policy, Row, Window, Words
from tallystick.process.policy.proofs.tighter import looser
from tallystick.process.yamltext.position import Position

AT = Position(line=1, column=1)
WORDS: dict[str, tuple[Any, ...]] = {
    "kind": ("p2p", "merchant", "salary"),
    "tier": (0, 1, 2),
    "payee_known": (False, True),
}
CUTS = (1, 10, 20, 30)
GRADES = ("device-signed-attested", "passkey")
BASE = replace(demo().policy, tightening=(), limits=(), tiers=dict(list(demo().policy.tiers.items())[:3]))  # noqa: E501  # fmt: skip


def some_words(field: str) -> st.SearchStrategy[Words]:
    chosen = st.lists(st.sampled_from(WORDS[field]), min_size=1, unique=True)
    return chosen.map(lambda found: Words(field=field, words=tuple(found)))


def conditions() -> st.SearchStrategy[tuple[Words, ...]]:
    parts = [st.none() | some_words(field) for field in WORDS]
    return st.tuples(*parts).map(lambda found: tuple(one for one in found if one is not None))


def between(low: int, high: int) -> tuple[Bounds, ...]:
    low, high = sorted((low, high))
    return (Bounds(field="amount_minor", low=low, high=high),)


AMOUNTS = st.just(()) | st.builds(between, st.sampled_from(CUTS), st.sampled_from(CUTS))


@st.composite
def a_row(draw: st.DrawFn) -> Row:
    outcome = draw(st.sampled_from(tuple(Outcome)))
    return Row(
        id=f"r{draw(st.integers(0, 10**6))}",
        words=draw(conditions()),
        bounds=draw(AMOUNTS),
        outcome=outcome,
        because="x",
        at=AT,
        grade=draw(st.sampled_from(GRADES)) if outcome is Outcome.STEP_UP else "",
        delay_ms=draw(st.sampled_from((1000, 2000))) if outcome is Outcome.DELAY else 0,
    )


@st.composite
def a_limit(draw: st.DrawFn) -> Limit:
    window = Window(window_ms=1000, max_amount=draw(st.sampled_from(CUTS)), max_count=9)
    return Limit(
        id=f"l{draw(st.integers(0, 10**6))}",
        words=draw(conditions()),
        per_payment_minor=draw(st.sampled_from(CUTS)),
        windows=draw(st.sampled_from([(), (window,)])),
        because="x",
        at=AT,
    )


@st.composite
def changed(draw: st.DrawFn, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows added, dropped, swapped, or made of another outcome: mostly what loosens, or might."""
    found = list(rows)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(found)))
        match draw(st.integers(0, 3)):
            case 0:
                found.insert(place, draw(a_row()))
            case 1 if found:
                found.pop(place % len(found))
            case 2 if found:
                other = draw(a_row())
                found[place % len(found)] = replace(
                    found[place % len(found)],
                    outcome=other.outcome, grade=other.grade, delay_ms=other.delay_ms,
                )  # fmt: skip
            case _:
                found.reverse()
    return tuple(found)


def every_fact() -> list[Facts]:
    """One for each combination that rows can tell apart; only what is no payment moves nothing."""
    amounts = sorted({0, *CUTS, *(cut + 1 for cut in CUTS), *(cut - 1 for cut in CUTS)})
    return [
        payment(
            operation="pay" if amount else "inquire",
            kind=kind,
            tier=tier,
            payee_known=known,
            amount_minor=amount,
        )
        for kind, tier, known, amount in product(
            VOCABULARY["kind"], WORDS["tier"], WORDS["payee_known"], amounts
        )
    ]


FACTS = every_fact()


def is_tighter(base: Policy, now: Policy) -> bool:
    """By asking for every fact: rows alone, as the policies have no limits."""
    before, after = recompile(base), recompile(now)
    for facts in FACTS:
        was, found = before.decide(facts), after.decide(facts)
        if was.outcome is Outcome.ALLOW or found.outcome is Outcome.DENY:
            continue
        same = (was.outcome, was.required_grade) == (found.outcome, found.required_grade)
        if not same or found.delay_ms < was.delay_ms:
            return False
    return True


def with_rows(rows: tuple[Row, ...]) -> Policy:
    return replace(BASE, decisions=rows)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_proof_says_what_asking_for_every_fact_says(data: st.DataObject) -> None:
    rows = tuple(data.draw(st.lists(a_row(), max_size=5)))
    base, now = with_rows(rows), with_rows(data.draw(changed(rows)))
    found = looser(base, now)
    assert (not found) is is_tighter(base, now), found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_passes_the_proof_allows_nothing_new_with_limits(data: st.DataObject) -> None:
    rows = tuple(data.draw(st.lists(a_row(), max_size=4)))
    limits = {one.id: one for one in data.draw(st.lists(a_limit(), max_size=3))}
    base = replace(with_rows(rows), limits=tuple(limits.values()))
    later = tuple(
        replace(one, per_payment_minor=data.draw(st.sampled_from(CUTS))) for one in limits.values()
    )
    now = replace(with_rows(data.draw(changed(rows))), limits=later)
    raised = any(b.per_payment_minor > a.per_payment_minor for a, b in zip(base.limits, later, strict=True))  # noqa: E501  # fmt: skip
    if looser(base, now):
        return
    assert not raised
    before, after = recompile(base), recompile(now)
    for facts in FACTS:
        was, found = before.decide(facts), after.decide(facts)
        if was.outcome is Outcome.DENY:
            assert found.outcome is not Outcome.ALLOW
        assert found.cap_minor <= was.cap_minor or found.outcome is not Outcome.ALLOW
