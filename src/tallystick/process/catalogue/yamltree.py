"""Reads YAML 1.2 that people write into text with positions; nothing is guessed about types.

A scalar is the text that stands in the file (`no`, `7.30` and `2026-11-25` stay what they are);
whoever reads the tree decides what it must be and names the line when it is not.

Source: YAML 1.2.2, 3.2; ISO/TS 12812-2:2017, 11.2.3
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Protocol, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.model import Record

MAX_CHARACTERS = 256 * 1024

_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "timestamp")}


class _Mark(Protocol):
    line: int
    column: int


class _Node(Protocol):
    tag: str
    value: object
    anchor: str | None
    start_mark: _Mark


class _Problem(Protocol):
    problem: str | None
    problem_mark: _Mark | None
    context_mark: _Mark | None


class _Composer(Protocol):
    def compose(self, stream: str) -> _Node | None: ...


class Leaf(Record, frozen=True, kw_only=True):
    """A scalar: its text and the line (from 1) on which it stands.

    Source: YAML 1.2.2, 3.2
    """

    text: str
    line: int


class Branch(Record, frozen=True, kw_only=True):
    """A mapping: its entries in order and the line (from 1) on which it begins.

    Source: YAML 1.2.2, 3.2
    """

    entries: Mapping[str, "Leaf | Branch"]
    line: int
    lines: Mapping[str, int]


def read_tree(text: str) -> Branch:
    """The mapping that the document `text` is.

    Raises TooLarge past 256 Ki characters; Malformed with the place for anything that is not YAML,
    not a mapping of mappings and scalars, has a key twice, an anchor, a tag or an empty value.
    Source: YAML 1.2.2, 3.2
    """
    if len(text) > MAX_CHARACTERS:
        raise TooLarge(f"the file is larger than {MAX_CHARACTERS} characters")
    try:
        return _branch(cast("_Composer", YAML(typ="safe", pure=True)).compose(text))
    except MarkedYAMLError as error:
        raise Malformed(_said(cast("_Problem", error))) from error
    except (YAMLError, RecursionError) as error:
        raise Malformed("the file is not YAML 1.2 text") from error


def at(line: int, text: str, *, remedy: str = "") -> Malformed:
    """The error that says `text` about `line`.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return Malformed(f"line {line}: {text}", remedy=remedy)


def unknown(line: int, what: str, word: str, known: Collection[str]) -> Malformed:
    """The error for a `word` that is not one of `known`, with the nearest one if there is any.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        remedy = f"did you mean {near[0]!r}?"
    elif len(known) <= 12:
        remedy = f"use one of {', '.join(sorted(known))}"
    else:
        remedy = ""
    return at(line, f"{what} {word[:40]!r} is not known", remedy=remedy)


def _said(error: _Problem) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}{error.problem or 'not YAML'}"


def _branch(node: _Node | None) -> Branch:
    if node is None or not _is(node, MappingNode):
        raise at(1 if node is None else _line(node), "a mapping (`name: value`) must stand here")
    _plain(node)
    entries: dict[str, Leaf | Branch] = {}
    lines: dict[str, int] = {}
    for name_node, value_node in cast("list[tuple[_Node, _Node]]", node.value):
        name = _leaf(name_node)
        if name.text in entries:
            first = lines[name.text]
            raise at(name.line, f"{name.text[:40]!r} stands here again (first on line {first})")
        mapping = _is(value_node, MappingNode)
        entries[name.text] = _branch(value_node) if mapping else _leaf(value_node)
        lines[name.text] = name.line
    return Branch(entries=entries, line=_line(node), lines=lines)


def _leaf(node: _Node) -> Leaf:
    _plain(node)
    if not _is(node, ScalarNode):
        raise at(_line(node), "one value must stand here, not a list or a mapping")
    text = cast("str", node.value)
    if node.tag not in _SCALARS or not text.strip():
        raise at(_line(node), "an empty, null or tagged value cannot stand here")
    return Leaf(text=text.strip(), line=_line(node))


def _plain(node: _Node) -> None:
    if node.anchor is not None:
        raise at(_line(node), "anchors and aliases are not taken: write the value out")


def _is(node: object, kind: type) -> bool:
    return isinstance(node, kind)


def _line(node: _Node) -> int:
    return node.start_mark.line + 1
