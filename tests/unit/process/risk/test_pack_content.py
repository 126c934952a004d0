"""The shipped pack: complete, without contradiction, and enough for telephones of every kind."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.process.risk.pack_texts import (
    EMITTERS,
    IMPACTS,
    PACK,
    Plain,
    added,
    asked,
    control_defects,
    controls,
    hardest,
    lifted,
    parsed,
    paths,
    rule_defects,
    rules,
    steps,
    tables,
    threat_files,
    total,
)

from tallystick.process.catalogue import catalogue

ADDED = {
    "THR-SMS-06", "THR-SOC-05", "THR-AGT-04", "THR-AGT-05", "THR-BE-08", "THR-BE-09", "THR-BE-10",
    "THR-BE-11",
}  # fmt: skip
SMART = ("software", "keystore", "tee", "secure-element")
DIALLED = ("none", "uicc")
UNBOUNDED = {"authentication", "key", "biometric", "personal", "payment-credential"}


def environments(rule: Plain) -> list[str]:
    """The device environments that a rule can meet; one empty word where no telephone is bound."""
    refused = rule.get("unless", {}).get("device.environment", [])
    bearers = set(rule["when"].get("flow.bearer", []))
    if "device.environment" in rule["when"]:
        found = rule["when"]["device.environment"]
    elif rule["over"] == "device":
        found = SMART
    elif rule["over"] != "flow":
        found = ("",)
    elif bearers and not bearers & {"ussd", "stk", "sms", "ota", "voice"}:
        found = SMART
    else:
        found = (*DIALLED, *SMART)
    return [one for one in found if one not in refused]


def test_every_control_is_well_formed() -> None:
    found = [
        text
        for name, control in controls().items()
        for text in control_defects(name, control, controls())
    ]
    assert not found, "\n".join(found)


def test_every_rule_is_well_formed() -> None:
    found = [
        text for name, rule in rules().items() for text in rule_defects(name, rule, controls())
    ]
    assert not found, "\n".join(found)
    assert len(rules()) == sum(len(one["threats"]) for one in threat_files().values())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rule: rule.update(threat="THR-SIM-99"), "no threat THR-SIM-99"),
        (lambda rule: rule["when"].update({"node.kind": ["core"]}), "has no node.kind"),
        (lambda rule: rule["when"].update({"flow.bearer": ["smoke"]}), "cannot be smoke"),
        (lambda rule: rule["when"].pop("asset.kind"), "every asset"),
        (lambda rule: first(rule)["rating"].pop("window"), "rates other factors"),
        (lambda rule: first(rule)["rating"].update(time="P3D"), "no time P3D"),
        (lambda rule: first(rule).update(controls={"sim-hold": {}}), "no control sim-hold"),
        (lambda rule: first(rule).update(controls={"certified-element": {}}), "does nothing"),
        (lambda rule: rule.pop("gain") and rule.update(gain=1001), "gain 1001"),
    ],
)
def test_a_wrong_rule_is_found(change: Callable[[Plain], object], text: str) -> None:
    rule = fresh_rule("sim-swap")
    assert not list(rule_defects("sim-swap", rule, controls()))
    change(rule)
    assert any(text in one for one in rule_defects("sim-swap", rule, controls()))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"requirements": ["MFS-7.3.2-99"]}, "no requirement MFS-7.3.2-99"),
        ({"mandatory": ["MFS-7.3.3-01"]}, "mandatory and not served"),
        ({"needs": ["operator-event"]}, "no control operator-event"),
        ({"lifts": {"time": "P3D"}}, "no time P3D"),
        ({"enforced_by": ["policy:sim-hold"]}, "emits no sim-hold"),
        ({"enforced_by": ["code:application.nowhere"]}, "no module"),
        ({"enforced_by": []}, "nothing enforces it"),
        ({"observed_by": ["keys.lives"]}, "no probe keys.lives"),
    ],
)
def test_a_wrong_control_is_found(changed: Plain, text: str) -> None:
    control = {**controls()["sim-swap-hold"], **changed}
    assert any(text in one for one in control_defects("sim-swap-hold", control, controls()))


def test_every_threat_has_a_rule() -> None:
    assert set(added()) == ADDED
    assert all(one["label"] and one["why"] for one in added().values())
    assert {rule["threat"] for rule in rules().values()} == {*catalogue().threats, *ADDED}


def test_each_rule_uses_what_the_catalogue_gives_against_its_threat() -> None:
    """At least one of its controls serves a requirement that is said to mitigate the threat."""
    for name, rule in rules().items():
        if rule["threat"] in ADDED:
            continue
        wanted = set(catalogue().threats[rule["threat"]].mitigations)
        served = {
            requirement
            for step in steps(rule["attack"])
            for control in step["controls"]
            for requirement in controls()[control]["requirements"]
        }
        assert wanted & served, (name, sorted(wanted))


def test_every_mitigation_of_a_threat_has_a_control() -> None:
    served = {one for control in controls().values() for one in control["requirements"]}
    wanted = {one for threat in catalogue().threats.values() for one in threat.mitigations}
    assert wanted - served == {"MFS-7.3.2-09", "MFS-C-03"}, "no control is chosen for these two"


def test_the_minimum_set_is_mandatory() -> None:
    wanted = {
        row.id
        for row in catalogue().requirements.values()
        if row.clause.startswith(("7.3", "7.4")) and row.modality.value == "shall"
    }
    assert wanted == {
        one for control in controls().values() for one in control.get("mandatory", [])
    }


def test_every_control_is_used() -> None:
    used = {
        control
        for rule in rules().values()
        for step in steps(rule["attack"])
        for control in step["controls"]
    }
    assert used == set(controls())


def test_every_emitter_of_the_policy_is_asked_for() -> None:
    asked_for = {
        one.removeprefix("policy:")
        for control in controls().values()
        for one in control["enforced_by"]
        if one.startswith("policy:")
    }
    assert asked_for == EMITTERS


def test_tables_and_required_strengths() -> None:
    assert tables()["pack"] == {"id": "base-2017", "version": 1}
    assert list(tables()["required"]) == list(IMPACTS)
    for table in tables()["tables"].values():
        assert list(table["thresholds"].values()) == sorted(set(table["thresholds"].values()))
        for words in table["factors"].values():
            assert list(words.values()) == sorted(set(words.values()))
            assert next(iter(words.values())) == 0


def test_no_bare_attack_is_beyond_what_a_severe_loss_asks_for() -> None:
    """A provider without controls has a gap on every path."""
    for name, rule in rules().items():
        for path in paths(rule["attack"]):
            bare = total(rule, hardest(rule, path))
            assert bare < asked(rule, "severe"), (name, [step["step"] for step in path], bare)


def test_every_attack_can_be_made_hard_enough_on_every_telephone() -> None:
    """With all that a telephone can have, each path resists what its remaining impact asks for.

    Where proofs or persons are at stake bounds on amounts do not count: a provider may ask for the
    full resistance of such an asset whatever it could cost.
    """
    for name, rule in rules().items():
        for environment in environments(rule):
            for path in paths(rule["attack"]):
                rating, impact = lifted(rule, path, set(controls()), environment)
                if UNBOUNDED & set(rule["when"]["asset.kind"]):
                    impact = "severe"
                reached = total(rule, rating)
                where = (name, environment, [step["step"] for step in path], reached, impact)
                assert reached >= asked(rule, impact), where


def test_no_single_telephone_control_carries_the_dialled_ways() -> None:
    """What is dialled is made hard enough without anything that a telephone would have to have."""
    everywhere = {name for name, one in controls().items() if not one.get("environments")}
    seen = 0
    for name, rule in rules().items():
        if "ussd" not in rule["when"].get("flow.bearer", []) or rule["table"] != "iso-18045":
            continue
        seen += 1
        for path in paths(rule["attack"]):
            rating, impact = lifted(rule, path, everywhere, "none")
            assert total(rule, rating) >= asked(rule, impact), (name, rating)
    assert seen >= 10


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("sim-swap-dialled", {"dialled-cap", "unknown-payee-cap", "sim-binding"}),
        (
            "ussd-eavesdropping",
            {"dialled-cap", "sim-binding", "second-channel-confirmation", "signalling-firewall"},
        ),
        ("master-key-theft", {"hardware-module", "split-knowledge", "key-ceremonies"}),
        ("forged-confirmation", {"genuine-receipt-check"}),
        ("two-views", {"witnessed-log"}),
        ("unknown-outcome", {"outcome-inquiry", "once-only", "answer-matching"}),
    ],
)
def test_a_provider_without_what_counts_has_a_gap(name: str, without: set[str]) -> None:
    rule = rules()[name]
    gaps = []
    for path in paths(rule["attack"]):
        rating, impact = lifted(rule, path, set(controls()) - without, "none")
        gaps.append(asked(rule, impact) - total(rule, rating))
    assert max(gaps) > 0, gaps


EXAMPLES = [
    (
        "sim-swap", "P7D proficient public easy standard",
        {"device-bound-key", "sim-swap-hold", "no-sms-only"},
        "P30D expert restricted moderate specialised", 5, 21, "severe",
    ),
    (
        "cloned-credential", "P7D proficient public easy standard",
        {"limited-use-keys", "hardware-key", "attestation", "software-device-cap"},
        "P30D expert restricted moderate specialised", 5, 21, "minor",
    ),
    (
        "nfc-relay", "P7D proficient public moderate standard",
        {"verification-above-limit", "foreground-only", "distance-bound"},
        "P30D expert public difficult specialised", 8, 24, "severe",
    ),
    (
        "master-key-theft", "P1D proficient restricted easy standard",
        {"hardware-module", "split-knowledge", "key-ceremonies"},
        "beyond multiple-experts critical difficult bespoke", 7, 55, "severe",
    ),
    (
        "code-overlay", "P1D layman public easy standard",
        {"signed-dynamic-code", "payee-confirmation"},
        "P30D expert restricted moderate specialised", 1, 21, "severe",
    ),
]  # fmt: skip


@pytest.mark.requirement("MFS-A-02")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one[0])
def test_the_worked_examples_come_out_of_the_pack(example: tuple[Plain, ...]) -> None:
    name, bare, chosen, residual, before, after, impact = example
    rule = rules()[name]
    (path,) = paths(rule["attack"])
    rating = hardest(rule, path)
    assert " ".join(rating.values()) == bare
    assert total(rule, rating) == before
    rating, remains = lifted(rule, path, chosen)
    assert " ".join(rating.values()) == residual
    assert (total(rule, rating), remains) == (after, impact)


def test_the_engine_reads_the_same_pack() -> None:
    packs = pytest.importorskip("tallystick.process.risk.packs", reason="no reader of packs yet")
    if not hasattr(packs, "pack_in"):
        pytest.skip("no reader of packs yet")
    pack = packs.pack_in(PACK)
    assert set(pack.controls) == set(controls())
    assert {name: rule.threat for name, rule in pack.rules.items()} == {
        name: rule["threat"] for name, rule in rules().items()
    }
    assert pack.required[max(pack.required)] == max(pack.required.values())


def test_the_example_of_the_page_is_a_rule(repository: Path) -> None:
    page = repository / "docs" / "how-to" / "write-a-threat-rule.md"
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    rule_text, control_text = blocks
    (control,) = (written := parsed(control_text)["controls"])
    known = {**controls(), **written}
    (name,) = (found := parsed(rule_text)["threats"])
    assert not list(control_defects(control, known[control], known))
    assert not list(rule_defects(name, found[name], known))
    assert name not in rules()
    assert control not in controls()
    (path,) = paths(found[name]["attack"])
    assert total(found[name], hardest(found[name], path)) == 4


def first(rule: Plain) -> Plain:
    return next(steps(rule["attack"]))


def fresh_rule(name: str) -> Plain:
    """A copy of a rule that a test may change."""

    def copied(value: Plain) -> Plain:
        if isinstance(value, dict):
            return {word: copied(one) for word, one in value.items()}
        return [copied(one) for one in value] if isinstance(value, list) else value

    return copied(rules()[name])
