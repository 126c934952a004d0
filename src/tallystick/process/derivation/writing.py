"""Writes trees of the policy language as YAML text, the same bytes for the same tree.

Source: YAML 1.2.2, 5; ISO/TS 12812-2:2017, 6.1
"""

import re
from collections.abc import Iterator

from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence

_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9 _./()';-]*[A-Za-z0-9_.)/]$")
_WORDS = frozenset(("true", "false", "null", "y", "n", "yes", "no", "on", "off"))
_WIDTH = 100


def block(name: str, node: Node, depth: int = 0) -> Iterator[str]:
    """The lines of `name` and its value, `depth` steps of two spaces from the margin.

    Source: YAML 1.2.2, 8.2
    """
    margin = "  " * depth
    line = f"{margin}{scalar(name)}: {flow(node)}"
    if len(line) <= _WIDTH or isinstance(node, Scalar):
        yield line
        return
    yield f"{margin}{scalar(name)}:"
    if isinstance(node, Mapping):
        for word, (_, value) in node.entries.items():
            yield from block(word, value, depth + 1)
    else:
        for item in node.items:
            yield from _item(item, depth + 1)


def items(nodes: tuple[Node, ...], depth: int = 1) -> Iterator[str]:
    """The lines of a list whose items stand in blocks of their own.

    Source: YAML 1.2.2, 8.2.1
    """
    for node in nodes:
        yield from _item(node, depth)


def _item(node: Node, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if not isinstance(node, Mapping):
        yield f"{margin}- {flow(node)}"
        return
    lead = "- "
    for word, (_, value) in node.entries.items():
        lines = list(block(word, value, depth + 1))
        yield margin + lead + lines[0].lstrip()
        yield from lines[1:]
        lead = "  "


def flow(node: Node) -> str:
    """`node` on one line.

    Source: YAML 1.2.2, 7.4
    """
    if isinstance(node, Mapping):
        inner = (f"{scalar(word)}: {flow(value)}" for word, (_, value) in node.entries.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(map(flow, node.items)) + "]"
    return _value(node)


def _value(node: Scalar) -> str:
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return f"{node.value:_}" if isinstance(node.value, int) else scalar(str(node.value))


def scalar(text: str) -> str:
    """`text` as a plain word where every reader takes it for one, else in quotes.

    Source: YAML 1.2.2, 7.3
    """
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    if re.fullmatch(r"[0-9]{1,3}", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
