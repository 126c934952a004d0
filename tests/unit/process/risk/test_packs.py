"""Packs are read whole or refused with every defect, each with its file and place."""

import pytest
from tests.unit.process.risk.programmes import small_pack, texts

from tallystick.kernel.errors import Malformed, NotFound
from tallystick.process.programme.words import Impact, Strength
from tallystick.process.risk.model import Gate, Over
from tallystick.process.risk.packs import pack_digest, read_pack, shipped_pack

REMOTE, CONTROLS, TABLES = "threats/remote.yaml", "controls.yaml", "tables.yaml"


def refused(changed: dict[str, str]) -> str:
    with pytest.raises(Malformed) as caught:
        read_pack(changed)
    return caught.value.detail


def with_change(name: str, old: str, new: str) -> dict[str, str]:
    found = texts()
    assert old in found[name]
    return found | {name: found[name].replace(old, new, 1)}


def test_a_pack_is_read_whole() -> None:
    pack = small_pack()
    assert pack.id == "small"
    assert sorted(pack.rules) == ["clone", "gateway-reads", "master-key", "parcel", "sim-swap"]
    rule = pack.rules["sim-swap"]
    assert (rule.over, rule.threat, rule.scales) == (Over.FLOW, "THR-SIM-01", False)
    assert [one.negated for one in rule.when] == [False, False, True]
    assert rule.tree.gate is Gate.ALL
    assert [one.id for one in rule.tree.trees[0].steps] == ["read-code", "ask-for-code"]
    assert rule.tree.steps[0].controls[0].lifts == {"time": "P30D", "window": "moderate"}
    assert pack.controls["payment-cap"].caps is Impact.MINOR
    assert pack.required[Impact.SEVERE] is Strength.HIGH
    assert pack.rules["parcel"].threat == "THR-TST-01"


def test_the_digest_is_over_names_and_texts() -> None:
    found = texts()
    assert small_pack().digest == pack_digest(found)
    assert pack_digest(dict(reversed(found.items()))) == pack_digest(found)
    moved = {("threats/other.yaml" if one == REMOTE else one): text for one, text in found.items()}
    assert pack_digest(moved) != pack_digest(found)
    assert pack_digest(found | {TABLES: found[TABLES] + " "}) != pack_digest(found)


_BOTH = "excludes: [master-in-module]\n    needs: [master-in-module]"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (REMOTE, "knowledge: public, window", "knowledge: pubic, window", "did you mean 'public'"),
        (REMOTE, "{time: P7D, exp", "{exp", "does not rate time"),
        (REMOTE, "sim-swap-hold: {}", "sim-swap-hole: {}", "did you mean 'sim-swap-hold'"),
        (REMOTE, "{expertise: expert, equ", "{expertize: expert, equ", "no factor 'expertize'"),
        (REMOTE, "THR-SIM-01", "THR-SIM-77", "no threat 'THR-SIM-77'"),
        (REMOTE, "device.environment: [secure", "node.kind: [gateway], device.environment: [secure",
         "does not bind node"),
        (REMOTE, "flow.bearer: [sms, ussd", "flow.bearer: [sms, usd", "did you mean 'ussd'"),
        (REMOTE, "flow.bearer: [sms", "flow.barer: [sms", "did you mean 'flow.bearer'"),
        (REMOTE, "scales: false", "scales: perhaps", "scales is true or false"),
        (REMOTE, "gain: 0.5", "gain: 1001", "from 0 to 1000"),
        (REMOTE, "step: ask-for-code", "step: read-code", "two steps 'read-code'"),
        (CONTROLS, "requirements: [MFS-8.1.4-01]", "requirements: []", "serves no requirement"),
        (CONTROLS, "MFS-7.3.2-10", "MFS-7.3.2-99", "no requirement 'MFS-7.3.2-99'"),
        (CONTROLS, "needs: [master-in-module]", "needs: [master-in-modul]", "no control"),
        (CONTROLS, "policy:sim-change-hold", "policy:sim-change-hole", "no policy can emit"),
        (CONTROLS, "code:infrastructure/modules", "codex:infrastructure", "enforced_by is"),
        (CONTROLS, "cost: 30", "cost: 101", "from 0 to 100"),
        (CONTROLS, "caps: minor", "caps: tiny", "cannot be 'tiny'"),
        (CONTROLS, "[keystore, tee,", "[keystore, tea,", "no environment 'tea'"),
        (CONTROLS, "needs: [master-in-module]", _BOTH, "which it needs"),
        (TABLES, "{P1D: 0, P7D: 1, P14D: 2", "{P1D: 0, P7D: 3, P14D: 2", "weakest first"),
        (TABLES, "basic: 10, enhanced", "basic: 15, enhanced", "more points than basic"),
        (TABLES, "minor: basic, moderate: enh", "minor: high, moderate: enh", "asks for less"),
    ],
)  # fmt: skip
def test_a_defect_is_refused_with_its_place(name: str, old: str, new: str, says: str) -> None:
    detail = refused(with_change(name, old, new))
    assert says in detail
    assert f"{name}: line " in detail


def test_every_defect_of_every_text_comes_at_once() -> None:
    found = with_change(REMOTE, "THR-SIM-01", "THR-SIM-77")
    found[CONTROLS] = found[CONTROLS].replace("cost: 30", "cost: 101")
    found["notes.txt"] = "x"
    lines = refused(found).splitlines()
    assert len(lines) == 3
    assert [line.partition(":")[0] for line in lines] == [CONTROLS, "notes.txt", REMOTE]
    place = found[REMOTE][: found[REMOTE].index("THR-SIM-77")].count("\n") + 1
    assert f"line {place}, column" in lines[2]


def test_controls_that_need_each_other_in_a_circle_are_refused() -> None:
    found = with_change(
        CONTROLS, "    excludes: [master-in-module]", "    needs: [split-knowledge]"
    )
    found[CONTROLS] = found[CONTROLS].replace(
        "    enforced_by: [code:infrastructure/modules]",
        "    enforced_by: [code:infrastructure/modules]\n    needs: [master-in-software]",
    )
    assert refused(found).count("needs itself through others") == 3


def test_a_rule_without_a_step_and_a_text_that_lacks_are_refused() -> None:
    found = texts()
    head, _, _ = found[REMOTE].partition("      any:\n        - step: copy-credential")
    assert "has no step" in refused(found | {REMOTE: head + "      any: []\n"})
    del found[CONTROLS]
    assert "controls.yaml: line 1, column 1: the pack lacks this text" in refused(found)


def test_defaults_of_another_table_must_be_said() -> None:
    inside = "threats/inside.yaml"
    changed = with_change(
        inside, "blister-seal: {exploitation-time: beyond, exploitation-expertise: expert}",
        "device-bound-key: {}",
    )  # fmt: skip
    assert "lifts in words that two-phases has not" in refused(changed)
    changed = with_change(
        inside, "blister-seal: {exploitation-time: beyond, exploitation-expertise: expert}",
        "blister-seal: {}",
    )  # fmt: skip
    assert "lifts nothing of its own" in refused(changed)


def test_an_added_threat_has_a_new_id_and_a_reason() -> None:
    inside = "threats/inside.yaml"
    assert "is known already" in refused(with_change(inside, "THR-TST-01: {", "THR-SIM-02: {"))
    assert "lacks 'why'" in refused(
        with_change(inside, ", why: the tests need a threat of a pack's own", "")
    )


def test_a_pack_that_is_not_shipped_is_not_found() -> None:
    with pytest.raises(NotFound):
        shipped_pack("no-such-pack")
    with pytest.raises(NotFound):
        shipped_pack("../risk")


def test_a_tree_may_be_deep_but_not_without_end() -> None:
    head, _, _ = texts()[REMOTE].partition("      any:\n        - step: copy-credential")
    inner = "{step: a-step, text: x, rating: {time: P1D, expertise: layman, knowledge: public,"
    inner += " window: unlimited, equipment: standard}}"
    for levels, deep in ((4, False), (12, True)):
        tree = "{any: [" * levels + inner + "]}" * levels
        changed = texts() | {REMOTE: head.rstrip().removesuffix("attack:") + f"attack: {tree}\n"}
        if deep:
            assert "nested deeper than 20 levels" in refused(changed)
        else:
            assert read_pack(changed).rules["clone"].tree.trees
