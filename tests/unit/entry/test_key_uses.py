"""What a module is not fit for is refused by a row, recorded in the tally, and explained."""

from collections.abc import Iterator

import pytest

from tallystick.application.own_commands import UseKeys
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.auditing import audit_provider
from tallystick.entry.explaining import explain_event
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.card_interface import CardRules
from tallystick.infrastructure.modules.interface import Capabilities, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock
from tallystick.process.policy.backends import BACKEND_RULES, KeyUse, broken_rule, check_use
from tallystick.protocol.payments import Empty

SECRET = Secret(b"s" * 32)
CLOCK = SimulatedClock()
NOW = CLOCK.now()
SOFTWARE = SoftModule(MasterKey(bytes(32)).roots(Purpose), CLOCK).capabilities()
LOOP = SoftModule(
    MasterKey(bytes(32)).roots(Purpose), CLOCK, rules=CardRules(pins_in_software=True)
).capabilities()
DEVICE = replace(
    SOFTWARE, hardware_boundary=True, validated_as="4711", validated_until=NOW + 1, name="device"
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[Platform]:
    folder = ProviderFolder(tmp_path_factory.mktemp("uses") / "p")
    plan = Plan(
        provider="test-wallet", currency="KES", country="254", profile="demo",
        policy_text=demo_policy(), roles=("operations",), pin_memory_kib=8 * 1024, pin_passes=1,
    )  # fmt: skip
    set_up(folder, plan, SECRET, CLOCK)
    found = open_platform(folder, SECRET, CLOCK)
    yield found
    found.close()


@pytest.mark.requirement("MFS-8.2.2-01")
@pytest.mark.requirement("MFS-8.2.3-04")
@pytest.mark.parametrize(
    ("use", "told", "row"),
    [
        (KeyUse.SCHEME_PINS, SOFTWARE, "scheme-pins-in-hardware"),
        (KeyUse.SCHEME_PINS, LOOP, "scheme-pins-in-hardware"),
        (KeyUse.SCHEME_PINS, replace(LOOP, isolated_process=True), "scheme-pins-in-hardware"),
        (KeyUse.SCHEME_PINS, replace(DEVICE, validated_as=""), "scheme-pins-validated"),
        (KeyUse.SCHEME_PINS, replace(DEVICE, validated_until=NOW), "scheme-pins-validated"),
        (KeyUse.SCHEME_PINS, replace(DEVICE, atomic_pin_translation=False), "scheme-pins-atomic"),
        (KeyUse.LOOP_PINS, SOFTWARE, "loop-pins-by-profile"),
        (KeyUse.LOOP_PINS, replace(DEVICE, atomic_pin_translation=False), "loop-pins-atomic"),
        (KeyUse.ISSUER_KEYS, SOFTWARE, "issuer-keys-by-profile"),
    ],
)
def test_what_a_module_is_not_fit_for_is_refused_recorded_and_explained(
    platform: Platform, use: KeyUse, told: Capabilities, row: str
) -> None:
    (recorded,) = platform.writer.run((UseKeys(use, told),))
    outcome = recorded.outcome
    assert isinstance(outcome.reply, NotPermitted)
    assert outcome.reply.because == row
    assert outcome.reply.remedy
    why = explain_event(platform.folder, str(outcome.event), None, CLOCK)
    assert why.event.kind == "keys.refused"
    assert why.event.p["row"] == row
    assert why.event.p["use"] == use
    assert why.row_says == BACKEND_RULES[row].because
    assert audit_provider(platform.folder).findings == ()


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (KeyUse.SCHEME_PINS, DEVICE),
        (KeyUse.LOOP_PINS, LOOP),
        (KeyUse.LOOP_PINS, replace(DEVICE, validated_as="")),
        (KeyUse.ISSUER_KEYS, LOOP),
        (KeyUse.OWN_KEYS, SOFTWARE),
    ],
)
def test_what_a_module_is_fit_for_is_served_and_no_event(
    platform: Platform, use: KeyUse, told: Capabilities
) -> None:
    (recorded,) = platform.writer.run((UseKeys(use, told),))
    assert recorded.outcome.reply == Empty()
    assert recorded.outcome.event == -1
    check_use(use, told, NOW)


def test_every_row_can_be_broken_and_has_a_remedy() -> None:
    nothing = replace(SOFTWARE, atomic_pin_translation=False)
    found = set()
    for use in KeyUse:
        told = nothing
        while (rule := broken_rule(use, told, NOW)) is not None:
            found.add(rule.id)
            assert rule.remedy
            told = {
                "scheme-pins-in-hardware": replace(told, hardware_boundary=True),
                "scheme-pins-validated": replace(told, validated_as="1", validated_until=NOW + 1),
                "loop-pins-by-profile": replace(told, pins_in_software=True),
                "issuer-keys-by-profile": replace(told, pins_in_software=True),
            }.get(rule.id, replace(told, atomic_pin_translation=True))
    assert found == set(BACKEND_RULES)
