"""Policies that grant acts which no longer exist: what goes, and the same policy without it.

A policy that is in force or was keeps its text and its signatures. It is read without the acts that
are gone where it has to be read at all; one that is new is refused if it grants them.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence, read_nodes

REMOVED: Final = ("export-evidence", "rotate-keys")
"""Acts that policies of earlier versions granted; nobody can do them any more."""

_AFTER: Final = re.compile(r"[ \t]*,[ \t]*")
_BEFORE: Final = re.compile(r",\s*\Z")
_DASH: Final = re.compile(r"(?:\A|\n)([ \t]*)-[ \t]+\Z")
_VERSION: Final = re.compile(r"[1-9][0-9_]*")

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str"
"""A value of a policy's text without its position."""


class Removed(Record, frozen=True, kw_only=True):
    """An act that is gone, where the text grants it (`roles.auditor`, `two_people`), and its place.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: str
    where: str
    at: Position


def removed_in(text: str) -> tuple[Removed, ...]:
    """What the policy in `text` grants that no longer exists, in the order of the text.

    Raises Malformed for what is no YAML.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return tuple(
        Removed(act=str(one.value), where=where, at=one.at)
        for where, listed in _lists(read_nodes(text))
        for one in _gone(listed)
    )


def without_removed(text: str) -> str:
    """The policy in `text` without the acts that are gone, under the same version.

    Raises Malformed where they cannot be taken out by themselves.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    tree, found = read_nodes(text), text
    for _, listed in reversed(tuple(_lists(tree))):
        gone = _gone(listed)
        emptied = len(gone) == len(listed.items)
        for one in reversed(gone):
            found = _cut(found, one, leave=emptied and one is gone[0])
    if _plain(read_nodes(found)) != _kept(_plain(tree)):
        raise Malformed(
            "the acts that are gone cannot be taken out of this text",
            remedy=f"take {', '.join(REMOVED)} out by hand, raise the version, and sign",
        )
    return found


def mend(text: str) -> str:
    """The policy in `text` without the acts that are gone, under the next version: a draft to sign.

    Raises Malformed where that is no policy, or there is nothing to take out.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    if not removed_in(text):
        raise Malformed("every act that this policy grants exists", remedy="nothing is to be done")
    found = without_removed(text)
    at, version = _version(read_nodes(found))
    place = _offset(found, at)
    made = found[:place] + _VERSION.sub(str(version + 1), found[place:], count=1)
    read_policy(made)
    check_mended(text, made)
    return made


def check_mended(before: str, after: str) -> None:
    """Pass if `after` is the policy `before` without the acts that are gone, under a later version.

    Raises NotPermitted for any other difference.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    old, new = read_nodes(before), read_nodes(after)
    later = _version(new)[1] > _version(old)[1]
    kept, found = _kept(_plain(old)), _plain(new)
    for one in (kept, found):
        head = one.get("policy") if isinstance(one, dict) else None
        if isinstance(head, dict):
            head.pop("version", None)
    if not later or kept != found:
        raise NotPermitted(
            "the mended policy changes more than the acts that no longer exist",
            remedy="sign what this wrote, unchanged: tallystick policy mend FOLDER",
        )


def read_kept(text: str) -> Policy:
    """The policy in `text`, which is in force or was, without the acts that are gone.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    return read_policy(without_removed(text) if removed_in(text) else text)


def _lists(tree: Node) -> Iterator[tuple[str, Sequence]]:
    """Where acts are granted, in the order of the text."""
    operators = _entry(tree, "operators")
    found = [("two_people", _entry(operators, "two_people"))]
    roles = _entry(operators, "roles")
    if isinstance(roles, Mapping):
        found += [(f"roles.{name}", node) for name, (_, node) in roles.entries.items()]
    lists = [(where, node) for where, node in found if isinstance(node, Sequence)]
    yield from sorted(lists, key=lambda one: one[1].at)


def _entry(node: Node | None, name: str) -> Node | None:
    if not isinstance(node, Mapping) or name not in node.entries:
        return None
    return node.entries[name][1]


def _gone(listed: Sequence) -> list[Scalar]:
    return [one for one in listed.items if isinstance(one, Scalar) and one.value in REMOVED]


def _version(tree: Node) -> tuple[Position, int]:
    found = _entry(_entry(tree, "policy"), "version")
    if not isinstance(found, Scalar) or not isinstance(found.value, int):
        raise Malformed("the policy has no version")
    return found.at, int(found.value)


def _offset(text: str, at: Position) -> int:
    lines = text.split("\n")
    return sum(len(one) + 1 for one in lines[: at.line - 1]) + at.column - 1


def _cut(text: str, one: Scalar, *, leave: bool) -> str:
    """`text` without one item of a list; with `leave` an empty list stays for lines."""
    place = _offset(text, one.at)
    quoted = 2 if text[place] in "\"'" else 0
    before, after = text[:place], text[place + len(str(one.value)) + quoted :]
    dash = _DASH.search(before)
    if dash is not None:
        rest = after.partition("\n")[2]
        line = f"{dash.group(1)}  []\n" if leave else ""
        return before[: dash.start(1)] + line + rest
    comma = _AFTER.match(after)
    if comma is not None:
        return before + after[comma.end() :]
    return _BEFORE.sub("", before) + after


def _plain(node: Node) -> Plain:
    if isinstance(node, Mapping):
        return {name: _plain(one) for name, (_, one) in node.entries.items()}
    if isinstance(node, Sequence):
        return [_plain(one) for one in node.items]
    return f"{type(node.value).__name__} {node.value}"


def _kept(plain: Plain) -> Plain:
    """The same value without the acts that are gone."""
    if not isinstance(plain, dict):
        return plain
    operators = plain.get("operators")
    if not isinstance(operators, dict):
        return plain
    roles = operators.get("roles")
    named = roles if isinstance(roles, dict) else {}
    kept: dict[str, Plain] = {name: _acts(one) for name, one in named.items()}
    two = _acts(operators.get("two_people", []))
    granted: dict[str, Plain] = {**operators, "roles": kept, "two_people": two}
    return {**plain, "operators": granted}


def _acts(listed: Plain) -> Plain:
    gone = {f"str {one}" for one in REMOVED}
    return [one for one in listed if one not in gone] if isinstance(listed, list) else listed
