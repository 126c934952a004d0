"""Reads src/ as syntax trees, for the tests that hold its shape; imports nothing of it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tallystick"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DocumentedNode = FunctionNode | ast.ClassDef


@dataclass(frozen=True)
class Module:
    """One source file: its path below src/tallystick, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def dotted(self) -> str:
        """Its import name, such as `tallystick.kernel.money`."""
        parts = ["tallystick", *self.path.removesuffix(".py").split("/")]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def within(self, *places: str) -> bool:
        """Whether it is one of `places`: a folder ending in `/`, or a file."""
        return any(
            self.path.startswith(place) if place.endswith("/") else self.path == place
            for place in places
        )


def parse(path: str, text: str) -> Module:
    """A module out of `text`, as if it stood at `path`."""
    return Module(path, text, ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of src/tallystick."""
    return tuple(
        parse(file.relative_to(SOURCE).as_posix(), file.read_text(encoding="utf-8"))
        for file in sorted(SOURCE.rglob("*.py"))
    )


def functions(module: Module) -> Iterator[FunctionNode]:
    """Every function and method of `module`, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, FunctionNode):
            yield node


def function_lines(node: FunctionNode) -> int:
    """The lines of a function from `def` to its end, its docstring excluded."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def public_definitions(module: Module) -> Iterator[tuple[str, DocumentedNode]]:
    """Public classes, functions and methods with their qualified names; not what is nested in a
    function, not magic methods, not what an underscore hides.
    """
    yield from _public(module.tree, "")


def _public(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, DocumentedNode]]:
    for child in node.body:
        if isinstance(child, DocumentedNode) and not child.name.startswith("_"):
            yield f"{prefix}{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from _public(child, f"{prefix}{child.name}.")


def docstrings(module: Module) -> set[int]:
    """The ids of the nodes that are docstrings (or bare strings below a name)."""
    return {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Each import as (line, dotted name of what is imported)."""
    for line, dotted, _, _ in _bindings(module):
        yield line, dotted


def uses(module: Module) -> Iterator[tuple[int, str]]:
    """Each use of an imported name, resolved through the imports: (line, `time.monotonic`)."""
    known = {here: meant for _, _, here, meant in _bindings(module)}
    for node in ast.walk(module.tree):
        name = _dotted(node)
        if name is not None:
            head, _, rest = name.partition(".")
            if head in known:
                yield node.lineno, f"{known[head]}.{rest}".rstrip(".")


def _bindings(module: Module) -> Iterator[tuple[int, str, str, str]]:
    """Each import as (line, what is imported, the name bound here, what that name means)."""
    package = module.dotted if module.path.endswith("__init__.py") else _parent(module.dotted)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                meant = alias.name if alias.asname else head
                yield node.lineno, alias.name, alias.asname or head, meant
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            for alias in node.names:
                dotted = f"{origin}.{alias.name}"
                yield node.lineno, dotted, alias.asname or alias.name, dotted


def _parent(dotted: str) -> str:
    return dotted.rpartition(".")[0]


def _absolute(node: ast.ImportFrom, package: str) -> str:
    for _ in range(node.level - 1):
        package = _parent(package)
    return f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module or ""


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return None
