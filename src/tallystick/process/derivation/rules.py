"""Reads `rules.yaml`: values by profile, amounts, and the rows that controls ask for.

The rows stay trees: what is in them is the policy's language, which reads them again when the
derived text is compiled. Here only what decides whether a row is there is understood.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterator
from collections.abc import Mapping as Table
from functools import cache
from importlib.resources import files
from typing import TypeVar

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.model import Record
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence, read_nodes

T = TypeVar("T", str, int)

PROFILES = ("P1", "P2", "P3", "P4")
SECTIONS = ("limits", "decisions")
_ROOT = (
    "rules",
    "values",
    "numbers",
    "amounts",
    "caps",
    "tiers",
    "authenticators",
    "limits",
    "decisions",
    "dependencies",
    "incentives",
    "recovery",
    "devices",
    "education",
    "tightening",
)
_OWN = ("with", "if", "serves")


class Cap(Record, frozen=True, kw_only=True):
    """A cap that bounds a loss: at most `largest` average payments, for controls that ask for it.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    largest: int
    emitter: str


class RowRule(Record, frozen=True, kw_only=True):
    """A row of the policy and when it is there: for any of `emitters`, for any of `channels`.

    Empty means always. `row` is the row in the policy's language, with names of values in it.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    emitters: tuple[str, ...]
    channels: tuple[str, ...]
    serves: tuple[str, ...]
    because: str
    row: Mapping


class Rules(Record, frozen=True, kw_only=True):
    """What `rules.yaml` says; values, numbers and amounts have one entry for each profile.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    id: str
    digest: str
    values: Table[str, tuple[str, ...]]
    numbers: Table[str, tuple[int, ...]]
    amounts: Table[str, tuple[int, ...]]
    caps: Table[str, Cap]
    tiers: Mapping
    authenticators: Mapping
    limits: tuple[RowRule, ...]
    decisions: tuple[RowRule, ...]
    dependencies: Mapping
    incentives: tuple[RowRule, ...]
    recovery: Mapping
    devices: Mapping
    education: Mapping
    tightening: tuple[RowRule, ...]


@cache
def load_rules() -> Rules:
    """The rules that come with this version.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return read_rules(
        (files("tallystick.process.derivation") / "rules.yaml").read_text(encoding="utf-8")
    )


def read_rules(text: str) -> Rules:
    """The rules in `text`; raises Malformed with every defect.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    defects = Defects(remedy="correct the rules of derivation")
    root = Section(read_nodes(text, "text of rules"), "", defects, _ROOT)
    header = root.section("rules", ("id", "version"))
    found = Rules(
        id=header.text("id"),
        digest=sha256(text.encode()).hex(),
        values=_by_profile(root.section("values"), str),
        numbers=_by_profile(root.section("numbers"), int),
        amounts=_by_profile(root.section("amounts"), int),
        caps=_caps(root.section("caps")),
        tiers=_mapping(root, "tiers"),
        authenticators=_mapping(root, "authenticators"),
        limits=_rows(root, "limits"),
        decisions=_rows(root, "decisions"),
        dependencies=_mapping(root, "dependencies"),
        incentives=_rows(root, "incentives"),
        recovery=_mapping(root, "recovery"),
        devices=_mapping(root, "devices"),
        education=_mapping(root, "education"),
        tightening=_rows(root, "tightening"),
    )
    defects.refuse()
    return found


def values_named(node: Node) -> Iterator[str]:
    """The values that a row names.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if isinstance(node, Mapping):
        for _, one in node.entries.values():
            yield from values_named(one)
    elif isinstance(node, Sequence):
        for one in node.items:
            yield from values_named(one)
    elif isinstance(node.value, str) and node.value.startswith("$"):
        yield node.value[1:]


def _by_profile(section: Section, kind: type[T]) -> dict[str, tuple[T, ...]]:
    found: dict[str, tuple[T, ...]] = {}
    for name, _ in section.values():
        items = section.items(name)
        values = tuple(
            one.value for one in items if isinstance(one, Scalar) and isinstance(one.value, kind)
        )
        if len(values) != len(PROFILES) or len(items) != len(PROFILES):
            section.defects.add(section.position(name), f"{name} has a value for each profile")
        found[name] = values
    return found


def _caps(section: Section) -> dict[str, Cap]:
    found: dict[str, Cap] = {}
    for name, _ in section.values():
        inner = section.section(name, ("largest", "with"))
        found[name] = Cap(
            id=name, largest=inner.integer("largest", 1, 10**9), emitter=inner.text("with")
        )
    return found


def _mapping(section: Section, word: str) -> Mapping:
    node = section.node(word)
    if isinstance(node, Mapping):
        return node
    section.defects.add(section.position(word), f"{word} is a mapping")
    return Mapping({}, section.at)


def _rows(root: Section, word: str) -> tuple[RowRule, ...]:
    found: list[RowRule] = []
    for node in root.items(word):
        section = Section(node, word, root.defects)
        if not isinstance(node, Mapping):
            continue
        left = {name: entry for name, entry in node.entries.items() if name not in _OWN}
        found.append(
            RowRule(
                id=section.text("id"),
                emitters=_words(section, "with"),
                channels=_words(section, "if"),
                serves=_words(section, "serves"),
                because=section.text("because"),
                row=Mapping(left, node.at),
            )
        )
    return tuple(found)


def _words(section: Section, word: str) -> tuple[str, ...]:
    if word not in section:
        return ()
    node: Node | None = section.node(word)
    items = node.items if isinstance(node, Sequence) else (node,)
    return tuple(str(one.value) for one in items if isinstance(one, Scalar))
