"""Menus in tests take what is typed as a door gives it: blocks and MACs of a real module."""

from tallystick.application.channels import Door, MenuFacts, Step, UssdSession, taken
from tallystick.application.channels import step as step_of
from tallystick.application.consent import quote_digest
from tallystick.application.pins import PinVerifier
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.infrastructure.pin.wallet import PinCost
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, SimulatedClock
from tallystick.protocol.payments import QuoteReply

CHEAP = PinCost(memory_kib=8, passes=1)


def module_of_pins() -> SoftModule:
    """A module that has the purposes of the pepper and of codes."""
    roots = BlockRoots.derive(bytes(32), [Purpose.PIN_PEPPER, Purpose.ACTIVATION])
    return SoftModule(roots, SimulatedClock(Instant(0)))


def verifier(module: SoftModule | None = None) -> PinVerifier:
    """Seals and checks at next to no cost."""
    inside = module_of_pins() if module is None else module
    return PinVerifier(inside, inside, inside.generate(Purpose.PIN_PEPPER), CHEAP)


VERIFIER = verifier()
_CODES = module_of_pins()
_CODE_KEY = _CODES.generate(Purpose.ACTIVATION)


def sealed(digits: str, owner: str) -> SealedPin:
    """A PIN as the door of `VERIFIER` seals it."""
    return VERIFIER.seal(Secret(digits), owner)


def keyed(code: Secret[str], bound: bytes = b"activation") -> KeyedCode:
    """A code as the doors of these tests key it."""
    return KeyedCode(_CODES.mac(_CODE_KEY, bound + b"\x00" + code.reveal().encode()))


def keyed_for(terms: QuoteReply, code: Secret[str]) -> KeyedCode:
    """The code of an order, for these terms."""
    return keyed(code, quote_digest(terms.quote))


DOOR = Door(pins=VERIFIER, activation=keyed, order=keyed_for)


def step(session: UssdSession, typed: str, facts: MenuFacts) -> Step:
    """One step of the menu, from the digits."""
    return step_of(session, taken(session, Secret(typed), facts, DOOR), facts)
