"""From the words of a pack to the rows of a policy, by what rows look at and not by their names."""

from importlib.resources import files

import pytest
from tests.support.reported import NOW, material

from tallystick.kernel.model import replace
from tallystick.process.derivation.basis import Header, basis_of
from tallystick.process.derivation.derive import derive
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.reports.policyrows import known_words, rules_for
from tallystick.process.risk.reading.words import EMITTERS


def policy():
    folder = files("tallystick.process.policy") / "defaults"
    return read_policy((folder / "demo.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("word", "rules"),
    [
        ("dialled-cap", {"limits/dialled-cap", "decisions/dialled-large"}),
        ("shared-phone-cap", {"limits/dialled-cap"}),
        ("software-device-cap", {"limits/software-device"}),
        ("agent-cap", {"limits/assisted-cap"}),
        ("mandate-cap", {"limits/mandate-cap"}),
        ("sim-change-hold", {"decisions/sim-just-changed", "decisions/code-to-changed-sim"}),
        ("step-up-night", {"decisions/person-signed-at-night"}),
        ("attempts-limit", {"attempts", "decisions/repeated-failures"}),
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
    assert names == {"decisions/x-sim-just-changed", "decisions/x-code-to-changed-sim"}


def test_code_and_documents_are_no_rules_and_nothing_stands_twice() -> None:
    assert rules_for(policy(), ("code:kernel.ids", "document:training")) == ()
    twice = rules_for(policy(), ("policy:idle-timeout", "policy:session-life"))
    assert len({name for name, _ in twice}) == len(twice)


def test_every_word_that_a_pack_may_say_is_looked_for() -> None:
    assert known_words() == set(EMITTERS)


@pytest.mark.parametrize("name", ["mobile-money-operator", "bank-app"])
def test_each_row_of_a_derived_policy_is_found_for_the_controls_that_it_answers(name: str) -> None:
    pytest.importorskip("highspy", reason="the extra risk is not installed")
    found, rules = material(name), load_rules()
    header = Header(
        provider="derived", version=1, effective_at=NOW, utc_offset="+00:00", approval="demo"
    )
    derived = derive(rules, basis_of(rules, found.programme, found.pack, found.analysis, header))
    policy_found = read_policy(derived.text)
    lowered = {one.id: one.lowered.limit for one in policy_found.tightening if one.lowered}
    looked = 0
    for reason in derived.reasons:
        for control in reason.controls:
            carried = rules_for(policy_found, found.pack.controls[control].enforced_by)
            names = {rule.rpartition("/")[2] for rule, _ in carried}
            assert lowered.get(reason.row, reason.row) in names, control
            looked += 1
    assert looked >= 7
