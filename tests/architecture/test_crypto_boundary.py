"""Cryptography has two doors: infrastructure/crypto and infrastructure/modules."""

from collections.abc import Iterable, Iterator

import pytest
from tests.architecture.source_tree import Module, imports, modules, parse, uses

DOORS = ("infrastructure/crypto/", "infrastructure/modules/")
LIBRARIES = {"cryptography", "hashlib", "hmac", "joserfc", "nacl", "Crypto", "secrets"}
EXCEPTED = {("kernel/secret.py", "hmac.compare_digest")}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}


def other_doors(found: Iterable[Module]) -> Iterator[str]:
    """Imports of a cryptographic library outside the two packages."""
    for module in found:
        if module.within(*DOORS):
            continue
        for line, dotted in imports(module):
            breach = dotted.partition(".")[0] in LIBRARIES
            if breach and (module.path, dotted) not in EXCEPTED:
                yield f"{module.path}:{line}: {dotted}"


def environment_reads(found: Iterable[Module]) -> Iterator[str]:
    """Looks at the environment where keys are: a variable is no place for a secret."""
    for module in found:
        if module.within(*DOORS, "infrastructure/keys/"):
            for line, dotted in uses(module):
                if dotted in ENVIRONMENT:
                    yield f"{module.path}:{line}: {dotted}"


@pytest.mark.parametrize("rule", [other_doors, environment_reads], ids=lambda r: r.__name__)
def test_keys_and_ciphers_stay_behind_their_doors(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (other_doors, "infrastructure/tally/verify.py", "import hashlib\n"),
        (other_doors, "kernel/secret.py", "from hmac import new\n"),
        (other_doors, "client/a.py", "from cryptography.hazmat.primitives import hashes\n"),
        (environment_reads, "infrastructure/modules/a.py", "import os\nx = os.environ\n"),
        (environment_reads, "infrastructure/keys/a.py", "from os import getenv\nx = getenv('a')\n"),
    ],
)
def test_another_door_is_found(rule, path: str, text: str) -> None:
    assert len(list(rule([parse(path, text)]))) == 1


def test_the_doors_themselves_are_open() -> None:
    assert not list(other_doors([parse("infrastructure/crypto/a.py", "import hashlib\n")]))
    assert not list(other_doors([parse("kernel/secret.py", "from hmac import compare_digest\n")]))
