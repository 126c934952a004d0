"""Menus in tests take what is typed as a door gives it: PINs sealed by a real module."""

from tallystick.application.channels import MenuFacts, Step, UssdSession, taken
from tallystick.application.channels import step as step_of
from tallystick.application.pins import PinVerifier
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.infrastructure.pin.wallet import PinCost
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, SimulatedClock

CHEAP = PinCost(memory_kib=8, passes=1)


def module_of_pins() -> SoftModule:
    """A module that has the pepper's purpose."""
    roots = BlockRoots.derive(bytes(32), [Purpose.PIN_PEPPER])
    return SoftModule(roots, SimulatedClock(Instant(0)))


def verifier(module: SoftModule | None = None) -> PinVerifier:
    """Seals and checks at next to no cost."""
    inside = module_of_pins() if module is None else module
    return PinVerifier(inside, inside, inside.generate(Purpose.PIN_PEPPER), CHEAP)


VERIFIER = verifier()


def sealed(digits: str, owner: str) -> SealedPin:
    """A PIN as the door of `VERIFIER` seals it."""
    return VERIFIER.seal(Secret(digits), owner)


def step(session: UssdSession, typed: str, facts: MenuFacts) -> Step:
    """One step of the menu, from the digits."""
    return step_of(session, taken(session, Secret(typed), facts, VERIFIER), facts)
