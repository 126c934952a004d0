"""Where clear PINs and the octets of card keys may be: few files, and no answer of the module."""

import ast
from collections.abc import Iterable, Iterator

import pytest
from tests.architecture.source_tree import Module, functions, imports, modules, parse

INSIDE = (
    "infrastructure/pin/",
    "infrastructure/modules/soft_pins.py",
    "infrastructure/modules/soft_chips.py",
    "infrastructure/modules/wallet_pins.py",
    "infrastructure/modules/stretching.py",
    "infrastructure/modules/soft_issuing.py",
    "infrastructure/modules/soft_scripts.py",
    "infrastructure/modules/card_answers.py",
)
PURE = (
    "tallystick.infrastructure.card",
    "tallystick.infrastructure.keyblocks.wrapping",
    "tallystick.infrastructure.pin.formats.open_block",
    "tallystick.infrastructure.pin.formats.decode",
    "tallystick.infrastructure.crypto.blocks",
    "tallystick.infrastructure.crypto.iso9797",
    "tallystick.infrastructure.crypto.ff1",
)
PURE_USERS = (
    "infrastructure/crypto/",
    "infrastructure/pin/",
    "infrastructure/card/",
    "infrastructure/keyblocks/",
    "infrastructure/modules/",
)
GATED = {"open_pin"}


def clear_pins_elsewhere(found: Iterable[Module]) -> Iterator[str]:
    for module in found:
        if not module.within(*INSIDE):
            for line, dotted in imports(module):
                if dotted.endswith((".ClearPin", ".open_pin", "pin.clear")):
                    yield f"{module.path}:{line}: {dotted}"


def looks_into_pins(found: Iterable[Module]) -> Iterator[str]:
    """`reveal_inside` outside of the package of PINs."""
    for module in found:
        if not module.within("infrastructure/pin/"):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Attribute) and node.attr == "reveal_inside":
                    yield f"{module.path}:{node.lineno}"


def octets_elsewhere(found: Iterable[Module]) -> Iterator[str]:
    """Uses of what takes clear keys, outside of the module and the pure layer."""
    for module in found:
        if not module.within(*PURE_USERS):
            for line, dotted in imports(module):
                if any(dotted == one or dotted.startswith(f"{one}.") for one in PURE):
                    yield f"{module.path}:{line}: {dotted}"


def clear_pins_given_away(found: Iterable[Module]) -> Iterator[str]:
    """Functions of the cryptographic module that return a clear PIN, without a gate in hand."""
    for module in found:
        if not module.within("infrastructure/modules/"):
            continue
        for node in functions(module):
            returned = ast.unparse(node.returns) if node.returns else ""
            if "ClearPin" in returned and not node.name.startswith("_") and node.name not in GATED:
                yield f"{module.path}:{node.lineno}: {node.name}"


def stored_pins(found: Iterable[Module]) -> Iterator[str]:
    """Annotated fields of classes that could keep a clear PIN."""
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and "ClearPin" in ast.unparse(
                        field.annotation
                    ):
                        yield f"{module.path}:{field.lineno}"


RULES = [
    clear_pins_elsewhere,
    looks_into_pins,
    octets_elsewhere,
    clear_pins_given_away,
    stored_pins,
]


@pytest.mark.requirement("MFS-7.3.4-02")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_clear_pins_and_keys_stay_inside(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (
            clear_pins_elsewhere,
            "process/a.py",
            "from tallystick.infrastructure.pin.clear import ClearPin\n",
        ),
        (
            clear_pins_elsewhere,
            "entry/a.py",
            "from tallystick.infrastructure.modules.soft_pins import open_pin\n",
        ),
        (looks_into_pins, "infrastructure/modules/soft_pins.py", "x = pin.reveal_inside()\n"),
        (
            octets_elsewhere,
            "application/a.py",
            "from tallystick.infrastructure.card.emv import ChipKey\n",
        ),
        (octets_elsewhere, "process/a.py", "import tallystick.infrastructure.crypto.ff1\n"),
        (
            clear_pins_given_away,
            "infrastructure/modules/a.py",
            "class A:\n    def give(self) -> ClearPin | None: ...\n",
        ),
        (stored_pins, "infrastructure/pin/a.py", "class A:\n    pin: 'list[ClearPin]'\n"),
    ],
)
def test_a_breach_is_found(rule, path: str, text: str) -> None:
    assert len(list(rule([parse(path, text)]))) == 1
