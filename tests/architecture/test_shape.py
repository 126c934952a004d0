"""The numbers to hold: length of modules, functions and lines, docstrings, names of files."""

import ast
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from tests.architecture.source_tree import (
    Module,
    function_lines,
    functions,
    modules,
    parse,
    public_definitions,
)

MODULE_LINES = 400
MEDIAN_MODULE_LINES = 200
FUNCTION_LINES = 60
P95_FUNCTION_LINES = 40
COLUMNS = 100
CAPABILITY_FILES = 6
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def long_modules(found: Iterable[Module]) -> list[str]:
    return [
        f"{module.path}: {len(module.text.splitlines())} lines"
        for module in found
        if len(module.text.splitlines()) > MODULE_LINES
    ]


def long_functions(found: Iterable[Module]) -> list[str]:
    return [
        f"{module.path}:{node.lineno}: {node.name} has {function_lines(node)} lines"
        for module in found
        for node in functions(module)
        if function_lines(node) > FUNCTION_LINES
    ]


def wide_lines(found: Iterable[Module]) -> list[str]:
    return [
        f"{module.path}:{number}: {len(line)} columns"
        for module in found
        for number, line in enumerate(module.text.splitlines(), 1)
        if len(line) > COLUMNS
    ]


def undocumented(found: Iterable[Module]) -> Iterator[str]:
    for module in found:
        if not ast.get_docstring(module.tree):
            yield f"{module.path}: the module has no docstring"
        for name, node in public_definitions(module):
            if not ast.get_docstring(node):
                yield f"{module.path}:{node.lineno}: {name} has no docstring"


def empty_names(found: Iterable[Module]) -> list[str]:
    return [
        module.path
        for module in found
        if EMPTY_NAMES & set(module.path.removesuffix(".py").split("/"))
    ]


def crowded_capabilities(found: Iterable[Module]) -> list[str]:
    """Folders of application with more than six files; the shelf's own folder is not one."""
    count = Counter(
        module.path.rpartition("/")[0]
        for module in found
        if module.path.startswith("application/") and module.path.count("/") >= 2
    )
    return [f"{folder}: {number} files" for folder, number in count.items() if number > 6]


RULES = [
    long_modules,
    long_functions,
    wide_lines,
    undocumented,
    empty_names,
    crowded_capabilities,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


def test_half_of_the_modules_are_short() -> None:
    assert statistics.median(len(one.text.splitlines()) for one in modules()) <= MEDIAN_MODULE_LINES


def test_nineteen_of_twenty_functions_are_short() -> None:
    lengths = sorted(function_lines(node) for module in modules() for node in functions(module))
    assert lengths[int(len(lengths) * 0.95)] <= P95_FUNCTION_LINES


GOOD = '"""Says."""\n\n\ndef act() -> None:\n    """Act."""\n'
LONG_BODY = "\n".join(f"    x{n} = {n}" for n in range(60))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (long_modules, "kernel/a.py", '"""Says."""\n' + "x = 1\n" * 400),
        (long_functions, "kernel/a.py", f"async def act():\n{LONG_BODY}\n"),
        (wide_lines, "kernel/a.py", f"x = '{'a' * 96}'\n"),
        (undocumented, "kernel/a.py", "x = 1\n"),
        (
            undocumented,
            "kernel/a.py",
            '"""Says."""\nclass A:\n    """A."""\n    def b(self): ...\n',
        ),
        (empty_names, "kernel/utils.py", GOOD),
        (empty_names, "process/common/a.py", GOOD),
    ],
)
def test_a_breach_is_found(rule, path: str, text: str) -> None:
    assert len(list(rule([parse(path, text)]))) == 1
    assert not list(rule([parse("kernel/money.py", GOOD)]))


def test_a_seventh_file_in_a_capability_is_found() -> None:
    seven = [parse(f"application/payments/f{n}.py", GOOD) for n in range(7)]
    assert not crowded_capabilities(seven[:6])
    assert crowded_capabilities(seven) == ["application/payments: 7 files"]


def test_a_docstring_does_not_lengthen_its_function() -> None:
    body = '    """Act.\n\n' + "    More.\n" * 50 + '    """\n    return 1\n'
    module = parse("kernel/a.py", f"def act():\n{body}")
    assert [function_lines(node) for node in functions(module)] == [2]
