"""Ratings, number by number: the five worked examples, both corrections, bands and profiles."""

from decimal import Decimal
from itertools import pairwise

import pytest
from tests.unit.process.risk.programmes import small_pack

from tallystick.kernel.errors import Malformed
from tallystick.process.programme.words import Impact, Strength
from tallystick.process.risk.rating import (
    Band,
    attack_cost,
    band_of,
    likelihood_of,
    needed_points,
    points_of,
    profile_of,
    strength_of,
)

TABLE = small_pack().tables["iso-18045"]
ORDER = ("time", "expertise", "knowledge", "window", "equipment")

# Rating in points, sum, likelihood, impact, risk: bare; then with controls.
WORKED = {
    "SIM swap, code by SMS": (((1, 3, 0, 1, 0), 5, 5, 4, 20), ((4, 6, 3, 4, 4), 21, 2, 4, 8)),
    "malware clones a credential": (((1, 3, 0, 1, 0), 5, 5, 4, 20), ((4, 6, 3, 4, 4), 21, 2, 2, 4)),
    "NFC relay": (((1, 3, 0, 4, 0), 8, 5, 2, 10), ((4, 6, 0, 10, 4), 24, 2, 2, 4)),
    "master key in settings": (((0, 3, 3, 1, 0), 7, 5, 5, 25), ((19, 8, 11, 10, 7), 55, 1, 5, 5)),
    "code pasted over": (((0, 0, 0, 1, 0), 1, 5, 2, 10), ((4, 6, 3, 4, 4), 21, 2, 2, 4)),
}


def words(points: tuple[int, ...]) -> dict[str, str]:
    return {
        factor: next(word for word, value in TABLE.factors[factor].items() if value == number)
        for factor, number in zip(ORDER, points, strict=True)
    }


def level(points: int, *, scales: bool = False, gain: str = "0", cost: str = "0") -> int:
    strength = strength_of(TABLE, points)
    found = likelihood_of(strength, scales=scales, gain=Decimal(gain), cost=Decimal(cost))
    return found.level


@pytest.mark.requirement("MFS-A-02")
@pytest.mark.parametrize("name", WORKED)
def test_the_worked_examples_come_out(name: str) -> None:
    for rating, total, likelihood, impact, risk in WORKED[name]:
        assert points_of(TABLE, words(rating)) == total
        assert level(total) == likelihood
        assert level(total) * impact == risk
    total, impact = WORKED[name][1][1], Impact(WORKED[name][1][3])
    assert total >= needed_points(TABLE, small_pack().required[impact])


@pytest.mark.parametrize(
    ("points", "strength"),
    [
        (0, Strength.NONE), (9, Strength.NONE), (10, Strength.BASIC), (13, Strength.BASIC),
        (14, Strength.ENHANCED_BASIC), (19, Strength.ENHANCED_BASIC), (20, Strength.MODERATE),
        (24, Strength.MODERATE), (25, Strength.HIGH), (57, Strength.HIGH),
    ],
)  # fmt: skip
def test_strengths_begin_at_their_thresholds(points: int, strength: Strength) -> None:
    assert strength_of(TABLE, points) is strength
    assert level(points) == 5 - strength


def test_scaling_moves_one_up_and_a_loss_for_the_attacker_one_down() -> None:
    assert level(21, scales=True) == 3
    assert level(5, scales=True) == 5
    assert level(21, gain="0.5", cost="0.6") == 1
    assert level(21, gain="0.6", cost="0.6") == 2
    assert level(55, gain="0.5", cost="9") == 1
    assert level(21, gain="0", cost="9") == 2
    assert level(21, scales=True, gain="0.5", cost="9") == 2
    strength = strength_of(TABLE, 21)
    both = likelihood_of(strength, scales=True, gain=Decimal("0.5"), cost=Decimal(9))
    assert len(both.because) == 2
    assert "0.5" in both.because[1]
    assert not likelihood_of(strength, scales=False, gain=Decimal(0), cost=Decimal(9)).because


def test_the_cost_of_an_attack_is_its_days_and_its_equipment() -> None:
    rating = words((1, 3, 0, 1, 0))
    assert attack_cost(rating) == 7 * Decimal("0.05")
    assert attack_cost(words((19, 8, 11, 10, 7))) == 365 + 20
    phases = {"identification-time": "P1D", "exploitation-time": "P30D", "expertise": "expert"}
    assert attack_cost(phases) == 31 * Decimal("0.25")


@pytest.mark.parametrize(
    ("risk", "band", "profile"),
    [
        (1, Band.LOW, "P1"), (4, Band.LOW, "P1"), (5, Band.MEDIUM, "P2"), (9, Band.MEDIUM, "P2"),
        (10, Band.HIGH, "P3"), (16, Band.HIGH, "P3"), (20, Band.CRITICAL, "P4"),
        (25, Band.CRITICAL, "P4"),
    ],
)  # fmt: skip
def test_bands_and_profiles(risk: int, band: Band, profile: str) -> None:
    assert band_of(risk) is band
    assert profile_of(risk).id == profile


def test_profiles_never_get_looser_with_the_risk() -> None:
    found = [profile_of(risk) for risk in (1, 5, 10, 20)]
    assert [one.resistance for one in found] == [1, 2, 3, 4]
    for easier, stricter in pairwise(found):
        assert stricter.session_idle_ms <= easier.session_idle_ms
        assert stricter.attestation_age_ms <= easier.attestation_age_ms


def test_a_rating_that_lacks_a_factor_is_refused() -> None:
    with pytest.raises(Malformed):
        points_of(TABLE, {"time": "P1D"})
