"""Reads which code cites which clause and which test carries which tag, from syntax trees alone.

Code cites in the last line of a docstring: `Source: ISO/TS 12812-2:2017, 7.3.3; RFC 8785`. A test
is tagged by `pytest.mark.requirement("MFS-...")` and `pytest.mark.threat("THR-...")`, written out
as texts, on the function, on its class, or in the `pytestmark` of class or module.

Source: ISO/TS 12812-2:2017, 7.3.1
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tallystick.kernel.clause import STANDARD
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import Record

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_PLACE = re.compile(r"^(?:[A-D]|[0-9]{1,2}(?:\.[0-9]{1,2})*)$")
_TAGS = ("requirement", "threat")


class CodeObject(Record, frozen=True, kw_only=True):
    """A public module, class, function or method: where it stands and what it cites.

    `source` is the text behind `Source:` in the last line of its docstring, empty without one.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    path: str
    line: int
    name: str
    documented: bool
    source: str

    def clauses(self) -> tuple[str, ...]:
        """The clauses of the standard that it cites.

        Source: ISO/TS 12812-2:2017, 5
        """
        return tuple(place for work, place in citations(self.source) if work == STANDARD and place)


class Tag(Record, frozen=True, kw_only=True):
    """One tag of a test: `requirement` or `threat`, and the id; empty when it is not a plain text.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    sort: str
    id: str
    line: int


class TaggedTest(Record, frozen=True, kw_only=True):
    """A test, its tags, and its name as in a test report: `test_x` or `TestClass.test_x`.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    path: str
    line: int
    name: str
    tags: tuple[Tag, ...]

    def report_name(self) -> str:
        """Its dotted name in a JUnit report: `tests.unit.test_money.test_sum`.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        return f"{self.path.removesuffix('.py').replace('/', '.')}.{self.name}"

    def tagged(self, sort: str) -> frozenset[str]:
        """The ids of its tags of one sort.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        return frozenset(one.id for one in self.tags if one.sort == sort and one.id)


def citations(source: str) -> tuple[tuple[str, str], ...]:
    """The works that a `Source:` text cites as (work, place).

    A place alone continues the standard: `ISO/TS 12812-2:2017, 3.9; 7.1; RFC 8785` gives two
    places of the standard and a whole RFC.
    Source: ISO/TS 12812-2:2017, 5
    """
    found: list[tuple[str, str]] = []
    work = ""
    for piece in (one.strip() for one in source.split(";")):
        if work == STANDARD and _PLACE.match(piece):
            found.append((work, piece))
            continue
        work, *places = (one.strip() for one in piece.split(","))
        if work == STANDARD:
            found.extend((work, place) for place in places or [""])
        else:
            found.append((work, ", ".join(places)))
    return tuple(found)


def code_objects(root: Path) -> tuple[CodeObject, ...]:
    """Every public module, class, function and method below `root`/src.

    Raises NotFound when there is no such folder, Malformed for a file that is not Python.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    found: list[CodeObject] = []
    for path, tree in _trees(root, "src"):
        found.append(_code_object(path, 1, "", tree))
        found.extend(_public(path, tree, ""))
    return tuple(found)


def tagged_tests(root: Path) -> tuple[TaggedTest, ...]:
    """Every test below `root`/tests with its tags.

    Raises NotFound when there is no such folder, Malformed for a file that is not Python.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    return tuple(
        one
        for path, tree in _trees(root, "tests")
        if path.rpartition("/")[2].startswith("test_")
        for one in _tests(path, tree, "", ())
    )


def _trees(root: Path, folder: str) -> Iterator[tuple[str, ast.Module]]:
    place = root / folder
    if not place.is_dir():
        raise NotFound(f"there is no folder {folder!r}", remedy="name the root of the repository")
    for file in sorted(place.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        try:
            yield path, ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise Malformed(f"{path}:{error.lineno or 1} is not Python") from error
        except ValueError as error:
            raise Malformed(f"{path} is not Python") from error


def _public(path: str, node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[CodeObject]:
    for child in node.body:
        if isinstance(child, _FunctionNode | ast.ClassDef) and not child.name.startswith("_"):
            yield _code_object(path, child.lineno, f"{prefix}{child.name}", child)
            if isinstance(child, ast.ClassDef):
                yield from _public(path, child, f"{prefix}{child.name}.")


def _code_object(
    path: str, line: int, name: str, node: ast.Module | ast.ClassDef | _FunctionNode
) -> CodeObject:
    text = (ast.get_docstring(node) or "").strip()
    last = text.rpartition("\n")[2].strip()
    source = last.removeprefix("Source:").strip() if last.startswith("Source:") else ""
    return CodeObject(path=path, line=line, name=name, documented=bool(text), source=source)


def _tests(
    path: str, node: ast.Module | ast.ClassDef, prefix: str, inherited: tuple[Tag, ...]
) -> Iterator[TaggedTest]:
    own = inherited + tuple(_pytestmarks(node))
    for child in node.body:
        if isinstance(child, _FunctionNode) and child.name.startswith("test"):
            tags = own + tuple(_tags_in(child.decorator_list))
            name = f"{prefix}{child.name}"
            yield TaggedTest(path=path, line=child.lineno, name=name, tags=tags)
        elif isinstance(child, ast.ClassDef) and child.name.startswith("Test"):
            tags = own + tuple(_tags_in(child.decorator_list))
            yield from _tests(path, child, f"{prefix}{child.name}.", tags)
        elif isinstance(child, ast.Assign):
            yield from _state_machine(path, child, own)


def _state_machine(path: str, node: ast.Assign, tags: tuple[Tag, ...]) -> Iterator[TaggedTest]:
    """`TestX = Machine.TestCase`: a state machine that a report shows as `TestX.runTest`."""
    target = node.targets[0]
    is_case = isinstance(node.value, ast.Attribute) and node.value.attr == "TestCase"
    if is_case and isinstance(target, ast.Name) and target.id.startswith("Test"):
        yield TaggedTest(path=path, line=node.lineno, name=f"{target.id}.runTest", tags=tags)


def _pytestmarks(node: ast.Module | ast.ClassDef) -> Iterator[Tag]:
    for child in node.body:
        targets = child.targets if isinstance(child, ast.Assign) else []
        if any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in targets):
            yield from _tags_in([child])


def _tags_in(nodes: Iterable[ast.AST]) -> Iterator[Tag]:
    for top in nodes:
        for node in ast.walk(top):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            mark = node.func.value
            if node.func.attr in _TAGS and isinstance(mark, ast.Attribute) and mark.attr == "mark":
                for argument in [*node.args, *(one.value for one in node.keywords)]:
                    yield Tag(sort=node.func.attr, id=_text(argument), line=node.lineno)


def _text(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""
