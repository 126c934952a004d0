"""Rules meet a programme: which instances there are, and every condition on its own."""

import pytest
from tests.unit.process.risk.programmes import (
    AT,
    appetite,
    large_programme,
    programme,
    small_pack,
)  # fmt: skip

from tallystick.kernel.model import replace
from tallystick.process.programme.words import Environment, Impact, Strength
from tallystick.process.risk.conditions import FIELDS, SUBJECTS
from tallystick.process.risk.matching import _PLACES, _VALUES, holds, match_rules
from tallystick.process.risk.model import Condition, Over


def test_every_rule_finds_its_places_with_stable_ids() -> None:
    found = match_rules(programme(), small_pack())
    assert [one.id for one in found] == [
        "clone@app@credential@modern",
        "gateway-reads@aggregator@pin",
        "master-key@platform@master",
        "sim-swap@order-app@pin@modern",
        "sim-swap@order-ussd@pin@dialling",
    ]
    assert found == match_rules(programme(), small_pack())


def test_impact_and_requirement_come_from_the_asset_and_the_appetite() -> None:
    found = {one.rule: one for one in match_rules(programme(), small_pack())}
    assert (found["sim-swap"].impact, found["sim-swap"].required) == (
        Impact.MAJOR, Strength.MODERATE,
    )  # fmt: skip
    assert found["master-key"].required is Strength.HIGH
    strict = programme(appetite=appetite(resistance={"pin": Strength.HIGH}))
    found = {one.rule: one for one in match_rules(strict, small_pack())}
    assert (found["sim-swap"].impact, found["sim-swap"].required) == (Impact.MAJOR, Strength.HIGH)


def test_a_device_class_with_a_secure_element_is_excepted() -> None:
    start = programme()
    envs = dict(start.secure_envs)
    envs["keystore1"] = replace(envs["keystore1"], kind=Environment.SECURE_ELEMENT)
    found = match_rules(replace(start, secure_envs=envs), small_pack())
    assert "sim-swap@order-app@pin@modern" not in {one.id for one in found}


@pytest.mark.parametrize(
    ("over", "field", "words", "places"),
    [
        (Over.FLOW, "flow.bearer", ("ussd",), {"order-ussd"}),
        (Over.FLOW, "flow.protocol", ("tls1.3",), {"order-app", "order-ussd"}),
        (Over.FLOW, "flow.end_to_end", (False,), {"order-ussd"}),
        (Over.FLOW, "flow.party_role", ("ussd-aggregator",), {"order-ussd"}),
        (Over.FLOW, "flow.touches", ("ussd-gateway", "core"), {"order-ussd"}),
        (Over.FLOW, "flow.read_by", ("mobile-app",), {"order-app"}),
        (Over.FLOW, "device.environment", ("none",), {"order-ussd"}),
        (Over.DEVICE, "device.os", ("ios",), set()),
        (Over.DEVICE, "device.patch_age_above", (89 * 86_400_000,), {"app", "dialler"}),
        (Over.DEVICE, "device.patch_age_above", (90 * 86_400_000,), set()),
        (Over.NODE, "node.kind", ("cryptographic-module",), {"module"}),
        (Over.NODE, "node.trust_below", (71,), {"app", "dialler", "gateway", "platform"}),
        (Over.NODE, "node.trust_below", (70,), {"app", "dialler", "gateway"}),
        (Over.NODE, "node.party_role", ("ussd-aggregator",), {"gateway"}),
        (Over.NODE, "node.party_role", ("mfsp",), {"app", "dialler", "platform", "module"}),
        (Over.PARTY, "party.role", ("ussd-aggregator",), {"aggregator"}),
        (Over.PARTY, "party.delegated", ("ussd-transport",), {"aggregator"}),
        (Over.ASSET, "asset.kind", ("key",), {"master"}),
        (Over.ASSET, "asset.personal", (True,), set()),
        (Over.ASSET, "programme.service", ("mobile-banking",), set()),
        (Over.ASSET, "programme.connectivity", ("intermittent",), {"pin", "credential", "master"}),
    ],
)  # fmt: skip
def test_a_condition_holds_where_it_says_and_its_negation_elsewhere(
    over, field, words, places
) -> None:
    subject, _, name = field.partition(".")
    assert subject in SUBJECTS[over]
    plain = Condition(subject=subject, field=name, words=words, negated=False, at=AT)
    bound = list(_PLACES[over](programme()))
    held = {one.place for one in bound if holds(programme(), one, plain)}
    assert held == places
    negated = replace(plain, negated=True)
    for one in bound:
        assert holds(programme(), one, negated) is not holds(programme(), one, plain)


def test_every_field_can_be_looked_up() -> None:
    assert set(_VALUES) == set(FIELDS)


def test_a_large_programme_is_matched_whole() -> None:
    found = match_rules(large_programme(60, 30), small_pack())
    assert len(found) > 30
    assert len({one.id for one in found}) == len(found)
