"""The list of ISO/IEC 19790: what is tried is really tried, and what fails is said."""

import json
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick as run

from tallystick.entry.module_settings import ModuleKind, ModuleSettings, save_module
from tallystick.entry.selfchecking import Holds, Item, examine_module, looking
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Capabilities, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.starting import own_module
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Broken
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock

SECRET = b"s" * 32
CLOCK = SimulatedClock()


def near() -> SoftModule:
    return SoftModule(MasterKey(bytes(32)).roots(Purpose), CLOCK, profile="test")


def by_name(items: tuple[Item, ...]) -> dict[str, Item]:
    return {one.name: one for one in items}


@pytest.mark.requirement("MFS-8.2.1-01")
@pytest.mark.requirement("MFS-8.2.3-01")
def test_an_isolated_module_meets_what_software_can_and_says_what_it_does_not() -> None:
    module = own_module(MasterKey(bytes(32)).roots(Purpose), profile="test")
    try:
        found = by_name(examine_module(module, SystemClock()))
    finally:
        module.zeroise()
    assert len(found) == 20
    assert found["validation"].holds is Holds.NOT
    assert "not validated" in found["validation"].says
    assert found["statement"].holds is Holds.SATISFIED
    assert found["physical"].holds is Holds.NOT_HERE
    doubtful = {"validation", "integrity", "memory", "physical", "non-invasive", "other-attacks"}
    rest = {name: one for name, one in found.items() if name not in doubtful}
    assert {one.holds for one in rest.values()} == {Holds.SATISFIED}, rest
    assert f"{len(KNOWN_ANSWERS)} mechanisms" in found["known-answers"].says


def test_in_the_callers_process_there_are_no_roles_and_no_confinement() -> None:
    found = by_name(examine_module(near(), CLOCK))
    for name in ("roles", "confinement"):
        assert found[name].holds is Holds.NOT_HERE
        assert "soft-process" in found[name].says


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("inhibition", lambda p: p.setattr(SoftModule, "random", lambda *_: b"out")),
        ("services", lambda p: p.setattr(SoftModule, "sign", lambda *_: b"signed")),
        ("wrapping", lambda p: p.setattr(SoftModule, "export_block", lambda *_: b"clear")),
        ("zeroisation", lambda p: p.setattr(SoftModule, "zeroise", lambda _: None)),
        ("pairs", lambda p: p.setattr(looking, "check_signer", lambda _: None)),
        (
            "entropy",
            lambda p: p.setattr(looking, "WatchedEntropy", lambda source: source),
        ),
        ("known-answers", lambda p: p.setattr(looking, "MOST_START_MS", -1)),
        ("known-answers", lambda p: p.setattr(SoftModule, "self_test", lambda _: ())),
        ("before-use", lambda p: p.setattr(looking, "KNOWN_ANSWERS", {})),
    ],
)
def test_a_planted_fault_is_found(name: str, plant, monkeypatch) -> None:
    module = near()
    assert by_name(examine_module(module, CLOCK))[name].holds is Holds.SATISFIED
    plant(monkeypatch)
    assert by_name(examine_module(module, CLOCK))[name].holds is Holds.NOT


def test_a_certificate_counts_until_its_end(monkeypatch) -> None:
    module = near()
    told = module.capabilities()

    def says(**changes) -> Holds:
        changed = replace(told, **changes)
        monkeypatch.setattr(SoftModule, "capabilities", lambda _: changed)
        return by_name(examine_module(module, CLOCK))["validation"].holds

    assert says(validated_as="4711", validated_until=CLOCK.now() + 1) is Holds.SATISFIED
    assert says(validated_as="4711", validated_until=CLOCK.now()) is Holds.NOT
    assert says(validated_as="4711") is Holds.NOT
    assert isinstance(told, Capabilities)
    monkeypatch.undo()
    silent = replace(told, statement="a module")
    monkeypatch.setattr(SoftModule, "capabilities", lambda _: silent)
    assert by_name(examine_module(module, CLOCK))["statement"].holds is Holds.NOT


def test_a_module_that_fails_is_said_to_have_failed() -> None:
    def failing() -> None:
        raise Broken("wrong")

    module = SoftModule(
        MasterKey(bytes(32)).roots(Purpose), CLOCK, known_answers={"hmac-sha256": failing}
    )
    with pytest.raises(Broken):
        module.generate(Purpose.QUOTE)
    found = by_name(examine_module(module, CLOCK))
    assert found["inhibition"].holds is Holds.NOT
    assert "could not be tried" in found["inhibition"].says


@pytest.mark.requirement("MFS-8.2.2-03")
def test_the_command_proves_the_module_that_the_settings_name(tmp_path: Path) -> None:
    folder = ProviderFolder(tmp_path / "p")
    plan = Plan(
        provider="test-wallet", currency="KES", country="254", profile="demo",
        policy_text=demo_policy(), roles=("operations",), pin_memory_kib=8 * 1024, pin_passes=1,
    )  # fmt: skip
    set_up(folder, plan, Secret(SECRET), SystemClock())
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    secret.chmod(0o600)
    told = run("module", "check", str(folder.root), "--secret-file", str(secret))
    assert (told.code, "in the caller's process" in told.out) == (0, True)
    save_module(folder.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))
    told = run("module", "check", str(folder.root), "--secret-file", str(secret), "--json")
    found = json.loads(told.out)
    assert found["capabilities"]["isolated_process"] is True
    assert len(found["proved"]) == len(KNOWN_ANSWERS)
    told = run("module", "check", str(folder.root), "--secret-file", str(secret), "--list")
    assert told.code == 4, "no module here is validated"
    assert "not validated" in told.out
    told = run(
        "module", "check", str(folder.root), "--secret-file", str(secret), "--list", "--json"
    )
    assert {one["section"] for one in json.loads(told.out)} == {f"7.{n}" for n in range(2, 13)}
