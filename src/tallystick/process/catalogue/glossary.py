"""The standard's 25 definitions and 38 abbreviations in our own words, each with a place to look.

Source: ISO/TS 12812-2:2017, 3; 4
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.model import Record, ShortText
from tallystick.process.catalogue.load import read

DEFINITIONS = 25
ABBREVIATIONS = 38

_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


class GlossaryEntry(Record, frozen=True, kw_only=True):
    """A term: its number in clause 3 or its abbreviation in clause 4, our words, where to look.

    `points_to` is a dotted name of this package or a page of docs, with or without `#heading`.
    Source: ISO/TS 12812-2:2017, 3; 4
    """

    term: ShortText
    number: str = ""
    abbreviation: str = ""
    our_words: str
    points_to: ShortText

    def name(self) -> str:
        """What it is looked up by: its number or its abbreviation.

        Source: ISO/TS 12812-2:2017, 3; 4
        """
        return self.number or self.abbreviation


class GlossaryFile(Record, frozen=True, kw_only=True):
    """The shape of data/glossary.json.

    Source: ISO/TS 12812-2:2017, 3; 4
    """

    header: str
    entries: tuple[GlossaryEntry, ...]


@cache
def glossary() -> Mapping[str, GlossaryEntry]:
    """Every entry by number (`3.9`) or abbreviation (`HSM`); raises Broken for a damaged glossary.

    Source: ISO/TS 12812-2:2017, 3; 4
    """
    return MappingProxyType(checked(read("glossary.json", GlossaryFile)))


def checked(file: GlossaryFile) -> dict[str, GlossaryEntry]:
    """The entries of `file` by name.

    Raises Broken unless there are the definitions 3.1 to 3.25, 38 abbreviations, and no name twice.
    Source: ISO/TS 12812-2:2017, 3; 4
    """
    found = {one.name(): one for one in file.entries}
    numbers = [one.number for one in file.entries if one.number]
    wanted = [f"3.{n}" for n in range(1, DEFINITIONS + 1)]
    unnamed = any(bool(one.number) == bool(one.abbreviation) for one in file.entries)
    if unnamed or numbers != wanted or len(found) != DEFINITIONS + ABBREVIATIONS:
        raise Broken(
            f"the glossary has {len(numbers)} definitions among {len(found)} names instead of "
            f"{DEFINITIONS} and {ABBREVIATIONS} abbreviations"
        )
    return found


def term(name: str) -> GlossaryEntry:
    """The entry of `name`: a number, an abbreviation or a term; raises NotFound.

    Source: ISO/TS 12812-2:2017, 3; 4
    """
    for one in glossary().values():
        if name in {one.number, one.abbreviation, one.term} - {""}:
            return one
    raise NotFound(f"the glossary has no {name[:40]!r}")


def unresolved_pointers(root: Path) -> tuple[str, ...]:
    """The entries whose place does not exist in the tree at `root`, as `name: place`.

    Source: ISO/TS 12812-2:2017, 3; 4
    """
    return tuple(
        f"{one.name()} {one.term}: {one.points_to}"
        for one in glossary().values()
        if not resolves(root, one.points_to)
    )


def resolves(root: Path, pointer: str) -> bool:
    """Whether `pointer` leads to a module, a name in a module, a page or a heading of a page.

    Source: ISO/TS 12812-2:2017, 3; 4
    """
    if pointer.startswith("tallystick"):
        return _in_code(root / "src", pointer.split("."))
    name, _, anchor = pointer.partition("#")
    page = root / name
    if not page.is_file():
        return False
    return not anchor or anchor in set(_anchors(page.read_text(encoding="utf-8")))


def _in_code(source: Path, parts: list[str]) -> bool:
    for length in range(len(parts), 0, -1):
        place = source.joinpath(*parts[:length])
        package, module = place / "__init__.py", place.with_suffix(".py")
        file = package if package.is_file() else module
        if file.is_file():
            return _defines(ast.parse(file.read_text(encoding="utf-8")), parts[length:])
    return False


def _defines(node: ast.Module | ast.ClassDef, names: list[str]) -> bool:
    if not names:
        return True
    for child in node.body:
        if isinstance(child, ast.ClassDef) and child.name == names[0]:
            return _defines(child, names[1:])
        if names[0] in set(_bound(child)):
            return len(names) == 1
    return False


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement defines; imports do not count."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def _anchors(page: str) -> Iterator[str]:
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip().lower()
            yield _NOT_IN_ANCHOR.sub("", heading).replace(" ", "-")


def render_glossary() -> str:
    """The reference page of the glossary, as Markdown.

    Source: ISO/TS 12812-2:2017, 3; 4
    """
    entries = tuple(glossary().values())
    definitions = [one for one in entries if one.number]
    abbreviations = [one for one in entries if one.abbreviation]
    lines = [
        _HEAD,
        "## Definitions (clause 3)\n",
        "| number | term | in our words | where |",
        "|---|---|---|---|",
        *map(_line, definitions),
        "\n## Abbreviations (clause 4)\n",
        "| short | long | in our words | where |",
        "|---|---|---|---|",
        *map(_line, abbreviations),
        "",
    ]
    return "\n".join(lines)


def _line(entry: GlossaryEntry) -> str:
    return f"| {entry.name()} | {entry.term} | {entry.our_words} | {_link(entry)} |"


def _link(entry: GlossaryEntry) -> str:
    place = entry.points_to
    if not place.startswith("docs/"):
        return f"`{place}`"
    page, _, anchor = place.removeprefix("docs/").partition("#")
    words = (anchor or page.rpartition("/")[2].removesuffix(".md")).replace("-", " ")
    return f"[{words}](../{place.removeprefix('docs/')})"


_HEAD = """# Glossary

<!-- Generated from src/tallystick/process/catalogue/data/glossary.json; change it there. -->

The terms of ISO/TS 12812-2:2017, clauses 3 and 4. The explanations are ours, not the standard's.
Words of everyday computing that mislead here (transaction, token, user, service, hold):
[the standard's words](../explanation/standard-words.md#words-that-mislead).
"""
