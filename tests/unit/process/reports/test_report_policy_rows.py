"""From the words of a pack to the rows of a policy, by what rows look at and not by their names."""

from importlib.resources import files

import pytest

from tallystick.kernel.model import replace
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.reports.policyrows import known_words, rules_for
from tallystick.process.risk.reading.words import EMITTERS


def policy():
    folder = files("tallystick.process.policy") / "defaults"
    return read_policy((folder / "demo.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("word", "rules"),
    [
        ("dialled-cap", {"limits/dialled-cap"}),
        ("software-device-cap", {"limits/software-device"}),
        ("agent-cap", {"limits/assisted-cap"}),
        ("mandate-cap", {"limits/mandate-cap"}),
        ("sim-change-hold", {"decisions/sim-just-changed"}),
        ("step-up-night", {"decisions/person-signed-at-night"}),
        ("attempts-limit", {"attempts"}),
        ("attestation-age", {"dependencies/attestation"}),
        ("hybrid-suites", {"handshake"}),
        ("merchant-cap", set()),
    ],
)
def test_a_word_finds_the_rules_of_its_kind(word: str, rules: set[str]) -> None:
    assert {name for name, _ in rules_for(policy(), (f"policy:{word}",))} == rules


def test_a_renamed_row_is_found_all_the_same() -> None:
    found = policy()
    renamed = replace(
        found, decisions=tuple(replace(one, id=f"x-{one.id}") for one in found.decisions)
    )
    names = {name for name, _ in rules_for(renamed, ("policy:sim-change-hold",))}
    assert names == {"decisions/x-sim-just-changed"}


def test_code_and_documents_are_no_rules_and_nothing_stands_twice() -> None:
    assert rules_for(policy(), ("code:kernel.ids", "document:training")) == ()
    twice = rules_for(policy(), ("policy:idle-timeout", "policy:session-life"))
    assert len({name for name, _ in twice}) == len(twice)


def test_every_word_that_a_pack_may_say_is_looked_for_but_one() -> None:
    assert set(EMITTERS) - known_words() == {"shared-phone-cap"}
    assert known_words() <= set(EMITTERS)
