"""The import contracts, and what import-linter cannot see: clocks, SQL text, permits."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.architecture.source_tree import (
    ROOT,
    Module,
    docstrings,
    imports,
    modules,
    parse,
    uses,
)

ENTROPY_OWNERS = ("infrastructure/modules/", "entry/assembly.py")
CLOCK_OWNERS = ("infrastructure/modules/", "entry/")
ENTROPY = ("random", "uuid", "secrets", "os.urandom", "os.getrandom")
CLOCKS = (
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.localtime",
    "time.gmtime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
)
SQL = re.compile(
    r"\s*(?:SELECT\s|(?i:SELECT\s.+\sFROM\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|"
    r"UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|ALTER\s+TABLE\s|DROP\s+(?:TABLE|INDEX|TRIGGER|VIEW)\s|"
    r"CREATE\s+(?:TEMP\s+|UNIQUE\s+)?(?:TABLE|INDEX|TRIGGER|VIEW)\s|WITH\s+\w+\s+AS\s))",
    re.DOTALL,
)


def is_named(dotted: str, names: Iterable[str]) -> bool:
    """Whether `dotted` is one of `names` or inside one of them."""
    return any(dotted == name or dotted.startswith(f"{name}.") for name in names)


def foreign_imports(found: Iterable[Module], package: str, owners: tuple[str, ...]) -> list[str]:
    return [
        f"{module.path}:{line}: imports {dotted}"
        for module in found
        if not module.within(*owners)
        for line, dotted in imports(module)
        if is_named(dotted, [package])
    ]


def entropy_elsewhere(found: Iterable[Module]) -> Iterator[str]:
    for module in found:
        if not module.within(*ENTROPY_OWNERS):
            for line, dotted in {*imports(module), *uses(module)}:
                if is_named(dotted, ENTROPY):
                    yield f"{module.path}:{line}: {dotted}"


def clocks_elsewhere(found: Iterable[Module]) -> Iterator[str]:
    for module in found:
        if not module.within(*CLOCK_OWNERS):
            for line, dotted in {*imports(module), *uses(module)}:
                if is_named(dotted, CLOCKS):
                    yield f"{module.path}:{line}: {dotted}"


def owns_sql(module: Module) -> bool:
    """Whether SQL may stand in this file: `store.py`, `migrations`, or the store itself."""
    parts = module.path.removesuffix(".py").split("/")
    return parts[-1] == "store" or "migrations" in parts or module.within("infrastructure/store/")


def sql_elsewhere(found: Iterable[Module]) -> Iterator[str]:
    for module in found:
        if owns_sql(module):
            continue
        prose = docstrings(module)
        for node in ast.walk(module.tree):
            if id(node) not in prose and is_sql(node):
                yield f"{module.path}:{node.lineno}: SQL outside a store"


def is_sql(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL.match(node.value) is not None
    )


ANY_TABLE = ("infrastructure/store/copying.py", "infrastructure/store/postgres/")
"""Where names of tables come from the engine's catalogue; values are parameters there too."""


def composed_sql(found: Iterable[Module]) -> Iterator[str]:
    """SQL put together from values: f-strings, `%`, `format`, and `+` with what is no literal."""
    for module in found:
        if module.within(*ANY_TABLE):
            continue
        for node in ast.walk(module.tree):
            if is_composed(node):
                yield f"{module.path}:{node.lineno}: SQL composed from values"


def is_composed(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        placed = any(isinstance(part, ast.FormattedValue) for part in node.values)
        return placed and any(is_sql(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return is_sql(node.left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return is_sql(node.left) and not isinstance(node.right, ast.Constant)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"format", "join", "replace"} and is_sql(node.func.value)
    return False


def permits_elsewhere(found: Iterable[Module]) -> list[str]:
    mint = "tallystick.process.policy._permit"
    return foreign_imports(found, mint, ("process/policy/decision.py", "process/policy/_permit.py"))


def type_checking(found: Iterable[Module]) -> Iterator[str]:
    """TYPE_CHECKING hides a cycle from the reader and from the contracts."""
    for module in found:
        for line, dotted in {*imports(module), *uses(module)}:
            if dotted.endswith("TYPE_CHECKING"):
                yield f"{module.path}:{line}"


def sqlite_elsewhere(found: Iterable[Module]) -> list[str]:
    return foreign_imports(found, "sqlite3", ("infrastructure/store/",))


def msgspec_elsewhere(found: Iterable[Module]) -> list[str]:
    return foreign_imports(found, "msgspec", ("kernel/codec.py", "kernel/model.py"))


RULES = [
    entropy_elsewhere,
    clocks_elsewhere,
    sql_elsewhere,
    composed_sql,
    permits_elsewhere,
    type_checking,
    sqlite_elsewhere,
    msgspec_elsewhere,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_contract(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


def test_every_import_contract_is_kept() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(contracts)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (entropy_elsewhere, "process/a.py", "import uuid\n"),
        (entropy_elsewhere, "entry/http/a.py", "from random import choice\n"),
        (entropy_elsewhere, "process/a.py", "import os\nx = os.urandom(16)\n"),
        (entropy_elsewhere, "process/a.py", "import os as o\nx = o.getrandom(16)\n"),
        (entropy_elsewhere, "process/a.py", "from os import urandom\n"),
        (clocks_elsewhere, "process/a.py", "import time\nx = time.time()\n"),
        (clocks_elsewhere, "process/a.py", "from time import monotonic\n"),
        (clocks_elsewhere, "process/a.py", "import datetime as d\nx = d.datetime.now(d.UTC)\n"),
        (clocks_elsewhere, "process/a.py", "from datetime import date\nx = date.today()\n"),
        (sql_elsewhere, "process/a.py", 'x = "SELECT 1"\n'),
        (sql_elsewhere, "process/a.py", 'x = """\n  insert into event values (?)"""\n'),
        (sql_elsewhere, "process/a.py", 'x = "UPDATE account SET balance = ?"\n'),
        (composed_sql, "infrastructure/store/a.py", 'x = f"SELECT * FROM {y}"\n'),
        (composed_sql, "process/store.py", 'x = "DELETE FROM %s" % y\n'),
        (composed_sql, "process/store.py", 'x = "DELETE FROM {}".format(y)\n'),
        (composed_sql, "process/store.py", 'x = "SELECT " + y\n'),
        (permits_elsewhere, "application/a.py", "from tallystick.process.policy import _permit\n"),
        (permits_elsewhere, "process/policy/a.py", "from ._permit import Permit\n"),
        (permits_elsewhere, "process/policy/__init__.py", "from . import _permit\n"),
        (type_checking, "kernel/a.py", "from typing import TYPE_CHECKING\n"),
        (type_checking, "kernel/a.py", "import typing\nif typing.TYPE_CHECKING: ...\n"),
        (sqlite_elsewhere, "infrastructure/ledger/store.py", "import sqlite3\n"),
        (msgspec_elsewhere, "kernel/ids.py", "from msgspec import Meta\n"),
    ],
)
def test_a_breach_is_found(rule, path: str, text: str) -> None:
    assert list(rule([parse(path, text)]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("entry/assembly.py", "import os, time\nx = os.urandom(16), time.time()\n"),
        ("infrastructure/modules/soft.py", "import secrets\n"),
        ("entry/http/a.py", "import time\nx = time.monotonic()\n"),
        ("infrastructure/store/sqlite.py", 'import sqlite3\nx = "SELECT a FROM b"\n'),
        ("infrastructure/ledger/store.py", 'x = "SELECT a " "FROM b"\n'),
        ("process/policy/decision.py", "from tallystick.process.policy._permit import Permit\n"),
        ("kernel/a.py", '"""SELECT is a word.\n"""\nx = "select the form that fits"\n'),
        ("kernel/a.py", "from tallystick.kernel.time import Instant\nx = Instant(1)\n"),
        (
            "kernel/a.py",
            "from datetime import UTC, datetime\nx = datetime(2026, 1, 1, tzinfo=UTC)\n",
        ),
    ],
)
def test_what_is_allowed_is_not_reported(rule, path: str, text: str) -> None:
    assert not list(rule([parse(path, text)]))
