"""Words that mean two things here, or nothing: not names of classes, functions or modules."""

import ast
from collections.abc import Iterable, Iterator

import pytest
from tests.architecture.source_tree import DocumentedNode, Module, modules, parse

BARE_NAMES = {"transaction", "token", "user"}
CRYPTOGRAPHIC = (
    "infrastructure/crypto/",
    "infrastructure/modules/",
    "infrastructure/keys/",
    "infrastructure/pin/",
    "infrastructure/pki/",
    "infrastructure/envelope/",
)


def bare_names(found: Iterable[Module]) -> Iterator[str]:
    """A transaction of a database or of money? A token of what? A user: customer, operator?"""
    for module in found:
        if module.path.removesuffix(".py").rpartition("/")[2] in BARE_NAMES:
            yield module.path
        for node in ast.walk(module.tree):
            if isinstance(node, DocumentedNode) and node.name.lower().strip("_") in BARE_NAMES:
                yield f"{module.path}:{node.lineno}: {node.name}"


def bare_keys(found: Iterable[Module]) -> Iterator[str]:
    """`"key"` as a dict key beside cryptographic keys: which of the two is meant?"""
    for module in found:
        if not module.within(*CRYPTOGRAPHIC):
            continue
        for node in ast.walk(module.tree):
            names = node.keys if isinstance(node, ast.Dict) else []
            if any(isinstance(name, ast.Constant) and name.value == "key" for name in names):
                yield f"{module.path}:{node.lineno}"


@pytest.mark.parametrize("rule", [bare_names, bare_keys], ids=lambda rule: rule.__name__)
def test_every_name_says_which(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (bare_names, "kernel/a.py", "class Token: ...\n"),
        (bare_names, "kernel/a.py", "class A:\n    async def transaction(self): ...\n"),
        (bare_names, "process/user.py", ""),
        (bare_keys, "infrastructure/keys/a.py", 'x = {"key": 1}\n'),
    ],
)
def test_a_breach_is_found(rule, path: str, text: str) -> None:
    assert len(list(rule([parse(path, text)]))) == 1
    plain = "class UserVerification: ...\ndef database_transaction(): ...\nx = {'key_id': 1}\n"
    assert not list(rule([parse("infrastructure/keys/b.py", plain)]))
