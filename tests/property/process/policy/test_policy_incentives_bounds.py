"""Steps only take away, commissions are compared exactly, and money is conserved with them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.process.policy.ladders import DEVICES, with_ladders
from tests.unit.process.policy.policy_texts import AGENT, demo, payment

from tallystick.application.incentives import Commission as Paid
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.chart import chart_of, new_account
from tallystick.infrastructure.ledger.daybook import balance_lines, trial_balance
from tallystick.infrastructure.ledger.model import AccountKind, Leg, Posted, Posting, PostingKind
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.process.policy import Outcome, compile_policy, read_policy
from tallystick.process.policy.language.model import Commission
from tallystick.process.policy.proofs.ladders import lower_commission, paid

POLICY = compile_policy(read_policy(with_ladders(DEVICES)))
AMOUNTS = st.integers(1, 60_000_000)
STEPS = st.integers(0, 9)
CHART = chart_of("KES")
FLOAT = 10_000

commissions = st.builds(
    Commission,
    flat_minor=st.integers(0, 6),
    basis_points=st.integers(0, 1_000),
    cap_minor=st.integers(1, 40),
).filter(lambda one: one.flat_minor or one.basis_points)


@given(AMOUNTS, STEPS, st.sampled_from(["cash-in", "cash-out", "p2p"]), st.booleans())
def test_a_step_never_lets_pass_what_the_officers_limits_do_not(
    amount: int, step: int, kind: str, software: bool
) -> None:
    steps = (("agents", step), ("software-phones", step))
    grade = {"grade": "device-signed", "device_trust": "software"} if software else {}
    more = {**(AGENT if kind == "cash-in" else grade), "kind": kind, "amount_minor": amount}
    with_ = POLICY.decide(payment(**more, steps=steps))
    without = demo().decide(payment(**more))
    assert with_.outcome is not Outcome.ALLOW or without.outcome is Outcome.ALLOW
    assert with_.cap_minor <= without.cap_minor
    if with_.outcome is Outcome.ALLOW:
        assert with_.limits[: len(without.limits)] == without.limits


@given(AMOUNTS, STEPS)
def test_a_higher_step_never_gives_less(amount: int, step: int) -> None:
    low, high = (
        POLICY.decide(payment(**{**AGENT, "amount_minor": amount, "steps": (("agents", one),)}))
        for one in (step, step + 1)
    )
    assert low.outcome is not Outcome.ALLOW or high.outcome is Outcome.ALLOW
    if low.outcome is Outcome.ALLOW:
        assert high.commission_minor >= low.commission_minor


@settings(max_examples=150, deadline=None)
@given(commissions, st.none() | commissions, st.integers(1, 3_000))
def test_the_comparison_of_commissions_is_that_of_every_amount(
    lower: Commission, higher: Commission | None, most: int
) -> None:
    found = lower_commission(lower, higher, most)
    failing = [n for n in range(1, most + 1) if paid(higher, n) < paid(lower, n)]
    assert bool(found) == bool(failing)
    assert not found or found in failing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 40), st.booleans()), max_size=12))
def test_money_is_conserved_with_commission_and_a_reversal_takes_it_back(
    payments: list[tuple[int, int, bool]],
) -> None:
    state = LedgerState()
    for account in CHART.accounts(0):
        state.open_account(account)
    for name, kind in (
        ("agent", AccountKind.AGENT_FLOAT),
        ("ann", AccountKind.CUSTOMER),
        (CHART.commission, AccountKind.COMMISSION),
    ):
        state.open_account(new_account(name, kind, "KES", 0))
    post(state, "issue", Leg(debit=CHART.safeguarding, credit="agent", amount=FLOAT))
    owing = 0
    for number, (amount, share, back) in enumerate(payments):
        earned = Paid(id="o", account="agent", amount_minor=share, ladder="l", step=0, back="")
        leg = Leg(debit="agent", credit="ann", amount=amount)
        if not post(state, f"o{number}", leg, earned.leg(CHART.commission)):
            continue
        owing += share
        if back:
            taken = Paid(id="r", account="agent", amount_minor=-share, ladder="l", step=0, back="")
            turned = Leg(debit="ann", credit="agent", amount=amount)
            assert post(state, f"r{number}", turned, taken.leg(CHART.commission))
            owing -= share
    trial = trial_balance(balance_lines(state))["KES"]
    assert trial.is_even()
    assert trial.balances["commission"] == owing
    assert trial.owed == FLOAT + owing
    assert trial.shortfall() == owing


def post(state: LedgerState, name: str, *legs: Leg) -> bool:
    (result,) = apply(state, [Posting(id=name, kind=PostingKind.POST, legs=legs)], 1)
    return isinstance(result, Posted)
