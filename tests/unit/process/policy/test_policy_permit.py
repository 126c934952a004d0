"""Permits: made by the decision only; the sum type and its refusals."""

import copy
import hashlib
import pickle

import pytest
from tests.unit.process.policy.policy_texts import SIGNED, demo, payment

from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken, LimitExceeded, NotPermitted, StepUpRequired
from tallystick.process.policy import Delayed, Denied, Permit, StepUp, decide

ORDER = "ord_01j00000000000000000000000"


def test_a_permit_names_the_order_the_row_the_facts_and_the_limits() -> None:
    facts = payment()
    permit = decide(demo(), facts, subject=ORDER)
    assert isinstance(permit, Permit)
    assert permit.subject == ORDER
    assert permit.row == "person-attested"
    assert permit.policy_version == 1
    assert permit.facts is facts
    assert permit.limits == permit.decision.limits != ()
    assert permit.facts_hash() == hashlib.sha256(encode_canonical(facts)).digest()
    assert ORDER in repr(permit)


@pytest.mark.parametrize("mint", [None, object(), "MINT"])
def test_nobody_else_makes_a_permit(mint: object) -> None:
    decision = demo().decide(payment())
    with pytest.raises(Broken):
        Permit(mint, ORDER, decision)  # type: ignore[arg-type]


def test_a_permit_is_not_copied_pickled_extended_or_changed() -> None:
    permit = decide(demo(), payment(), subject=ORDER)
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(permit)
    with pytest.raises(AttributeError):
        permit.subject = "ord_02"  # type: ignore[misc,union-attr]
    with pytest.raises(AttributeError):
        permit.more = 1  # type: ignore[union-attr]
    with pytest.raises(TypeError):
        type("Mine", (Permit,), {})


def test_a_denial_says_which_row_and_why() -> None:
    denied = decide(demo(), payment(risk_score=950), subject=ORDER)
    assert isinstance(denied, Denied)
    error = denied.error()
    assert type(error) is NotPermitted
    assert error.because == "fraud-suspected: monitoring sees a known pattern of fraud"


def test_a_passed_cap_is_a_limit_exceeded() -> None:
    denied = decide(demo(), payment(amount_minor=7_000_001), subject=ORDER)
    assert isinstance(denied, Denied)
    error = denied.error()
    assert type(error) is LimitExceeded
    assert error.because.startswith("tier-1: ")
    assert "7000000" in error.remedy


def test_a_step_up_names_the_grade_or_the_factors() -> None:
    grade = decide(demo(), payment(**SIGNED, recent_failures=4), subject=ORDER)
    assert isinstance(grade, StepUp)
    assert grade.decision.required_grade == "device-signed-attested"
    assert type(grade.error()) is StepUpRequired
    assert "device-signed-attested" in grade.error().remedy
    factors = decide(demo(), payment(factors=("possession",)), subject=ORDER)
    assert isinstance(factors, StepUp)
    assert "2 different categories" in factors.error().remedy


def test_a_delay_says_how_long() -> None:
    facts = payment(risk_score=700, payee_known=False)
    delayed = decide(demo(), facts, subject=ORDER)
    assert isinstance(delayed, Delayed)
    assert delayed.delay_ms == 3_600_000
    assert delayed.error().retry_after_s == 3600


def test_a_delayed_payment_passes_the_cap_no_more_than_an_allowed_one() -> None:
    facts = payment(risk_score=700, payee_known=False, amount_minor=7_000_001)
    assert isinstance(decide(demo(), facts, subject=ORDER), Denied)


@pytest.mark.threat("THR-INS-05")
def test_every_decision_carries_the_version_it_was_made_under() -> None:
    for facts in (payment(), payment(risk_score=950), payment(tier=9), payment(factors=())):
        assert demo().decide(facts).policy_version == demo().version == 1
