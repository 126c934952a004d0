"""Reads the text of a register; every defect comes with its position.

    register: vendors            which one
    owner: ciso                  post that answers for it
    reviewed: 2026-10-01         last review as a whole
    review_every: P365D          may be left out
    entries:
      sms-house: {contract: msa-12, ...}

A day is written 2026-10-01, a moment 2026-10-01T09:30Z, a length of time P90D or PT4H.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.isms.model import (
    Entry,
    Field,
    FieldKind,
    Register,
    Registers,
    Unreadable,
    Value,
)
from tallystick.process.isms.shapes import FURTHER_OBJECTIVES, OBJECTIVES, SHAPES
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import UNBOUNDED, Defects, Section, duration_ms, suggestion
from tallystick.process.yamltext.tree import Scalar, read_nodes

REVIEW_MS = 365 * DAY_MS
"""How often a register is reviewed as a whole, at least."""

_TOP = ("register", "owner", "reviewed", "review_every", "entries")
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$")
_MOST_WORDS = 100


def read_registers(texts: Mapping[str, str]) -> Registers:
    """Every register out of its text, by name; what cannot be read is kept apart, not passed over.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    kept: dict[str, Register] = {}
    broken: list[Unreadable] = []
    for name, text in texts.items():
        try:
            kept[name] = read_register(text, name)
        except MfsError as error:
            broken.append(Unreadable(name=name, defects=error.detail))
    return Registers(kept=MappingProxyType(kept), unreadable=tuple(broken))


def read_register(text: str, name: str) -> Register:
    """The register in `text`, which is the one called `name`.

    Raises Malformed with every defect, TooLarge.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    defects = Defects(remedy="correct the register")
    root = Section(read_nodes(text, "register"), "", defects, _TOP)
    named = root.choice("register", SHAPES)
    if named and named != name:
        defects.add(root.position("register"), f"this is register {named}, in the file of {name}")
    owner = root.text("owner")
    reviewed = day(root, "reviewed")
    every = REVIEW_MS
    if "review_every" in root:
        every = root.duration(
            "review_every", DAY_MS, REVIEW_MS, why="reviewed once a year at least"
        )
    entries: dict[str, Entry] = {}
    shape = SHAPES.get(named or name)
    if shape is not None:
        fields = {one.name: one for one in shape.fields}
        for identifier, node in root.section("entries").values():
            part = Section(node, identifier, defects, fields)
            entries[identifier] = _entry(identifier, part, fields, root)
        _rules(shape.name, entries, defects)
    defects.refuse()
    return Register(
        shape=SHAPES[name],
        owner=owner,
        reviewed=reviewed,
        review_ms=every,
        entries=MappingProxyType(entries),
    )


def _entry(identifier: str, part: Section, fields: Mapping[str, Field], root: Section) -> Entry:
    at = root.section("entries").position(identifier)
    if not _ID.match(identifier):
        part.defects.add(at, f"{identifier[:40]!r} is no id: letters, digits, dots and dashes")
    values: dict[str, Value] = {}
    for name, field in fields.items():
        if name in part:
            values[name] = _value(part, field)
        elif field.required:
            part.node(name)
    return Entry(id=identifier, values=MappingProxyType(values), at=at)


def _value(part: Section, field: Field) -> Value:
    if field.kind is FieldKind.CHOICE:
        return part.choice(field.name, field.known)
    if field.kind is FieldKind.WORDS:
        return _words(part, field)
    return _READERS[field.kind](part, field.name)


def _flag(part: Section, name: str) -> bool:
    value, at = part.scalar(name)
    if not isinstance(value, bool):
        part.defects.add(at, f"{part.trail} {name} is true or false")
    return value is True


def _words(part: Section, field: Field) -> tuple[str, ...]:
    if field.known:
        return part.choices(field.name, field.known)
    found: list[str] = []
    for item in part.items(field.name):
        value = item.value if isinstance(item, Scalar) else None
        if not isinstance(value, str) or not value or value in found:
            part.defects.add(item.at, f"{part.trail} {field.name} is a list of different words")
        else:
            found.append(value)
    if len(found) > _MOST_WORDS:
        part.defects.add(part.position(field.name), f"{field.name} has too many words")
    return tuple(found)


def _moment(part: Section, name: str) -> int:
    text = part.text(name, _MOMENT.pattern, "a moment such as 2026-10-01T09:30Z")
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        part.defects.add(part.position(name), f"{part.trail} {name}: there is no such moment")
        return 0


def _length(part: Section, name: str) -> int:
    """A length of time, which may be none at all (`PT0S`)."""
    value, at = part.scalar(name)
    length = duration_ms(value) if isinstance(value, str) else None
    if length is None or length > UNBOUNDED:
        part.defects.add(at, f"{part.trail} {name} is a length of time such as P90D or PT4H")
        return 0
    return length


_READERS: Mapping[FieldKind, Callable[[Section, str], Value]] = {
    FieldKind.TEXT: lambda part, name: part.text(name),
    FieldKind.NUMBER: lambda part, name: part.integer(name),
    FieldKind.DAY: day,
    FieldKind.MOMENT: _moment,
    FieldKind.DURATION: _length,
    FieldKind.FLAG: _flag,
}


def _rules(name: str, entries: Mapping[str, Entry], defects: Defects) -> None:
    """What a shape cannot say: references to the catalogue, and what belongs together."""
    for one in entries.values():
        if name == "responsibilities":
            _known_scope(one, defects)
        if name == "objectives" and one.id not in (*OBJECTIVES, *FURTHER_OBJECTIVES):
            known = suggestion(one.id, (*OBJECTIVES, *FURTHER_OBJECTIVES))
            defects.add(one.at, f"no objective is called {one.id!r}{known}")
        if name in {"vendors", "components"}:
            _known_requirements(one, one.words("requirements"), defects)
        if name == "exceptions" and one.text("asked_by") == one.text("approved_by"):
            defects.add(one.at, f"{one.id} was approved by whoever asked for it")
        if name == "parties" and one.flag("active") and not one.number("system_until"):
            _explained(one, "why", "names no attestation of its security and no reason", defects)
        if name == "objectives" and not one.flag("chosen"):
            _explained(one, "why", "is not chosen, and nothing says why", defects)
        if name == "components" and one.text("digest"):
            _digest(one, defects)


def _explained(entry: Entry, field: str, lacking: str, defects: Defects) -> None:
    if not entry.text(field):
        defects.add(entry.at, f"{entry.id} {lacking}")


def _digest(entry: Entry, defects: Defects) -> None:
    if not re.fullmatch("[0-9a-f]{64}", entry.text("digest")):
        defects.add(entry.at, f"{entry.id} digest is a SHA-256 in 64 hexadecimal digits")


def _known_requirements(entry: Entry, named: Iterable[str], defects: Defects) -> None:
    for one in named:
        if one not in catalogue().requirements:
            known = suggestion(one, catalogue().requirements)
            defects.add(
                entry.at, f"{entry.id}: the catalogue has no requirement {one!r}{known[:60]}"
            )


def _known_scope(entry: Entry, defects: Defects) -> None:
    rows = catalogue()
    known = entry.id in rows.requirements or rows.knows_clause(entry.id)
    if entry.id != "all" and not known:
        defects.add(entry.at, f"{entry.id} is no requirement and no clause of the catalogue")
