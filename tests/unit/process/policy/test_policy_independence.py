"""Two factors are two: no policy passes in which one broken element gives both."""

import pytest
from tests.unit.process.policy.policy_texts import changed, demo, demo_text, payment

from tallystick.kernel.errors import Malformed, StepUpRequired
from tallystick.process.policy import compile_policy, decide
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.policy.proofs.independence import shared_elements
from tallystick.protocol.problems import error_of, problem_of

OCRA = "  ocra: {"


def with_code(rule: str) -> str:
    """The demonstration policy, with one more kind of code that counts as a factor."""
    return changed(OCRA, f"  sms-code: {rule}\n{OCRA}")


SIM_AS_KNOWLEDGE = (
    "{category: knowledge, carried_by: sim, channels: [ussd], because: a code that was sent}"
)


@pytest.mark.requirement("MFS-7.3.2-04")
@pytest.mark.threat("THR-SMS-01")
def test_a_code_sent_to_the_sim_is_no_second_factor_of_who_dials() -> None:
    policy = read_policy(with_code(SIM_AS_KNOWLEDGE))
    (found,) = shared_elements(policy)
    assert (found.channel, found.element) == ("ussd", "sim")
    assert (found.one.name, found.other.name) == ("sim", "sms-code")
    with pytest.raises(Malformed, match=r"whoever has the sim has both sim .* and sms-code") as no:
        compile_policy(policy)
    assert "MFS-7.3.2-04" in no.value.detail


@pytest.mark.parametrize(
    "rule",
    [
        "{category: possession, carried_by: sim, channels: [ussd], because: it counts once}",
        "{category: knowledge, carried_by: separate, channels: [ussd], because: a printed list}",
    ],
)
def test_a_code_of_the_same_category_or_on_another_element_passes(rule: str) -> None:
    compile_policy(read_policy(with_code(rule)))


@pytest.mark.requirement("MFS-7.3.2-04")
def test_a_code_made_on_the_handset_is_no_second_factor_beside_its_key() -> None:
    rule = "{category: knowledge, carried_by: handset, channels: [app], because: made in an app}"
    with pytest.raises(Malformed, match="on app whoever has the handset has both device-key"):
        compile_policy(read_policy(with_code(rule)))


@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_row_that_takes_a_grade_of_two_factors_cannot_ask_for_three() -> None:
    text = demo_text().replace("  pay: {categories: 2", "  pay: {categories: 3")
    with pytest.raises(Malformed, match="grade pin-verified is not given with 3 categories"):
        compile_policy(read_policy(text))


@pytest.mark.parametrize("channel", ["app", "ussd"])
def test_what_cannot_be_a_code_is_refused_with_its_place(channel: str) -> None:
    rule = f"{{category: inherence, carried_by: sim, channels: [{channel}], because: a face}}"
    with pytest.raises(Malformed, match="category"):
        read_policy(with_code(rule))


@pytest.mark.requirement("MFS-7.3.2-12")
def test_a_refusal_names_what_would_be_enough() -> None:
    facts = payment(operation="change-pin", kind="none", factors=("possession",))
    error = decide(demo(), facts, subject="x").error()  # type: ignore[union-attr]
    assert isinstance(error, StepUpRequired)
    assert error.suffices == ("categories:2", "factor:knowledge", "factor:inherence")
    carried = error_of(problem_of(error))
    assert carried.suffices == error.suffices
    assert carried.remedy == error.remedy


@pytest.mark.requirement("MFS-7.3.2-12")
@pytest.mark.parametrize(("age_ms", "outcome"), [(300_000, "allow"), (300_001, "step-up")])
@pytest.mark.parametrize(
    "operation", ["add-payee", "change-profile", "change-pin", "manage-device"]
)
def test_a_sensitive_change_takes_a_fresh_factor(operation: str, age_ms: int, outcome: str) -> None:
    facts = payment(operation=operation, kind="none", factor_age_ms=age_ms)
    decision = demo().decide(facts)
    assert decision.outcome == outcome
    if outcome == "step-up":
        assert decision.suffices == ("categories:2", "fresh:300")


def test_a_grade_that_would_be_enough_is_named() -> None:
    facts = payment(
        grade="device-signed", device_trust="software", payee_known=False, amount_minor=2_500_000
    )
    assert demo().decide(facts).suffices == ("grade:device-signed-attested",)
