"""How fresh proofs are, as a text says it: within what is asked of each risk, and in order."""

import pytest

from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.policy.explain import diff
from tallystick.process.policy.language.lives import ProofRule
from tallystick.process.policy.language.reading import read_policy

SAYS = "proofs: {calm: PT24H, raised: PT1H, high: PT5M, lowered: PT72H}"


def read(says: str):
    return read_policy(demo_policy().replace(SAYS, says, 1))


def test_the_demonstration_policy_asks_for_a_day_an_hour_and_five_minutes() -> None:
    assert read(SAYS).devices.proofs == ProofRule(
        calm_ms=DAY_MS, raised_ms=HOUR_MS, high_ms=5 * MINUTE_MS, lowered_ms=3 * DAY_MS
    )
    assert read("factors: as-shown").devices.proofs == ProofRule()
    assert read("factors: as-shown").devices.factors == "as-shown"


@pytest.mark.requirement("MFS-7.3.5-02")
@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("proofs: {calm: PT25H, raised: PT1H, high: PT5M}", "calm"),
        ("proofs: {calm: PT24H, raised: PT61M, high: PT5M}", "raised"),
        ("proofs: {calm: PT24H, raised: PT1H, high: PT6M}", "high"),
        ("proofs: {calm: PT30M, raised: PT1H, high: PT5M}", "not older"),
        ("proofs: {calm: PT24H, raised: PT1H}", "high"),
        ("proofs: {calm: PT24H, raised: PT1H, high: PT5M, lowered: P4D}", "lowered"),
        ("factors: as-hoped", "factors"),
    ],
)
def test_no_policy_takes_older_proofs_than_the_risk_allows(says: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(says)


def test_a_change_of_freshness_is_said_in_words() -> None:
    found = diff(read(SAYS), read(SAYS.replace("PT24H", "PT1H")))
    assert len(found) == 1
    assert "calm" in found[0]
