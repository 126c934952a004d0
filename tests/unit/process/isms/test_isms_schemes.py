"""The table of schemes is total and monotone, and what is not in it is worth nothing."""

from itertools import combinations, product

import pytest

from tallystick.kernel.errors import Malformed
from tallystick.process.isms.schemes import WORDS, read_schemes, schemes, strength_of, wire_word
from tallystick.process.programme.words import Strength

TABLE = schemes()
VAN = ("", *TABLE.van)
NAMED = (
    "cc", "eucc", "fips-140-3", "gp-tee", "gp-se", "emvco-platform", "emvco-sbmp", "pci-pts-poi",
    "pci-pts-hsm", "pci-mpoc", "cspn",
)  # fmt: skip


@pytest.mark.requirement("MFS-9.4-01")
def test_every_level_of_every_scheme_has_a_strength() -> None:
    assert set(NAMED) <= set(TABLE.schemes)
    for scheme in TABLE.schemes.values():
        assert scheme.levels
        for level in scheme.levels:
            assert TABLE.strength(scheme.id, level) in Strength
            for van in TABLE.van:
                assert (TABLE.strength(scheme.id, level, van) is not None) == scheme.van


@pytest.mark.requirement("MFS-9.4-01")
def test_over_all_pairs_a_stronger_level_is_never_worth_less() -> None:
    pairs = 0
    for scheme in TABLE.schemes.values():
        for weaker, stronger in combinations(scheme.levels, 2):
            for low, high in product(VAN, VAN) if scheme.van else [("", "")]:
                if VAN.index(low) > VAN.index(high):
                    continue
                less = TABLE.strength(scheme.id, weaker, low)
                more = TABLE.strength(scheme.id, stronger, high)
                assert less is not None
                assert more is not None
                assert less <= more, (scheme.id, weaker, low, stronger, high)
                pairs += 1
    assert pairs > 500


@pytest.mark.requirement("MFS-9.4-02")
def test_strengths_are_written_as_other_systems_read_them() -> None:
    assert [wire_word(one) for one in Strength] == [
        "none", "iso_18045_basic", "iso_18045_enhanced-basic", "iso_18045_moderate",
        "iso_18045_high",
    ]  # fmt: skip
    assert [strength_of(word) for word in WORDS] == list(Strength)
    with pytest.raises(Malformed, match="no strength"):
        strength_of("strong")


def test_the_vulnerability_analysis_has_the_strength_that_the_method_gives_it() -> None:
    assert list(TABLE.van.values()) == [
        Strength.BASIC, Strength.BASIC, Strength.ENHANCED_BASIC, Strength.MODERATE, Strength.HIGH,
    ]  # fmt: skip
    assert TABLE.strength("cc", "EAL4") is Strength.ENHANCED_BASIC
    assert TABLE.strength("cc", "EAL4", "AVA_VAN.5") is Strength.HIGH
    assert TABLE.strength("cc", "EAL6", "AVA_VAN.1") is Strength.HIGH


@pytest.mark.parametrize(
    ("scheme", "level", "van"),
    [
        ("unheard", "EAL4", ""),
        ("cc", "EAL8", ""),
        ("cc", "EAL4", "AVA_VAN.6"),
        ("fips-140-3", "3", "AVA_VAN.5"),
    ],
)
def test_what_the_table_does_not_know_has_no_strength(scheme: str, level: str, van: str) -> None:
    assert TABLE.strength(scheme, level, van) is None


GOOD = """
schemes:
  one: {title: One, levels: {low: basic, high: moderate}, van: false, note: none}
van: {AVA_VAN.1: basic}
recognition:
  all: {title: All, schemes: [one], members: [FR], most: basic, with_profile: basic}
"""


@pytest.mark.requirement("MFS-9.4-01")
@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("high: moderate", "high: none", "stands after low and has a weaker strength"),
        ("high: moderate", "high: stron", "cannot be 'stron'"),
        ("schemes: [one]", "schemes: [two]", "cannot be 'two'"),
        ("van: false", "van: maybe", "van is true or false"),
        (", note: none", "", "lacks 'note'"),
        ("title: One", "tilte: One", "did you mean 'title'"),
    ],
)
def test_a_table_that_is_not_sound_is_refused(before: str, after: str, says: str) -> None:
    assert read_schemes(GOOD).strength("one", "high") is Strength.MODERATE
    with pytest.raises(Malformed, match=says) as refused:
        read_schemes(GOOD.replace(before, after))
    assert "line " in refused.value.detail
