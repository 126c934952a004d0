"""What is wrong with a set of OSCAL documents: also what schemas and other programs let pass.

    shape       foreign or missing members, empty arrays and texts, wrong forms and vocabularies
    version     another OSCAL version than the one that is written here
    identity    a UUID that stands for two things in one document
    reference   UUIDs that lead nowhere, through the documents that one imports
    control     controls that the profile does not select, statements and parts that do not exist
    link        files and resources that are not there, or have another digest

It judges the subset that is written here (`shapes`), so that whatever else a document holds is
found.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.model import Record
from tallystick.process.conformance.oscal.forms import (
    Member,
    is_form,
    members_of,
)
from tallystick.process.conformance.oscal.names import OSCAL_VERSION
from tallystick.process.conformance.oscal.shapes import SHAPES

_OSCAL_PROPS = frozenset({"label", "sort-id", "alt-identifier", "marking"})
_ROOTS = frozenset(name for name in SHAPES if name[0].islower())


class Defect(Record, frozen=True, kw_only=True):
    """One thing that is wrong: in which file, where in it, by which rule, and what.

    Source: OSCAL 1.2.1
    """

    file: str
    at: str
    rule: str
    says: str


@dataclass(slots=True)
class _Seen:
    """What one document defines and what it refers to."""

    file: str
    model: str = ""
    uuids: dict[str, str] = field(default_factory=dict[str, str])
    references: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    controls: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    chosen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    statements: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    parts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    links: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    hashes: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    defined: dict[str, str] = field(default_factory=dict[str, str])
    imported: list[str] = field(default_factory=list[str])
    defects: list[Defect] = field(default_factory=list[Defect])

    def say(self, at: str, rule: str, says: str) -> None:
        """Note a defect."""
        self.defects.append(Defect(file=self.file, at=at, rule=rule, says=says))


def lint(documents: Mapping[str, object], files: Mapping[str, bytes]) -> tuple[Defect, ...]:
    """Every defect of `documents` (by file name), which may point at `files` beside them.

    Source: OSCAL 1.2.1
    """
    seen = {name: _look(name, document) for name, document in documents.items()}
    defects = [defect for one in seen.values() for defect in one.defects]
    defects += [defect for one in seen.values() for defect in _references(one, seen)]
    defects += [defect for one in seen.values() for defect in _controls(one, seen)]
    defects += [defect for one in seen.values() for defect in _links(one, seen, files)]
    return tuple(defects)


def _look(name: str, document: object) -> _Seen:
    seen = _Seen(name)
    if not isinstance(document, dict) or len(cast("dict[str, object]", document)) != 1:
        seen.say("", "shape", "a document is one object of one model")
        return seen
    ((model, body),) = cast("dict[str, object]", document).items()
    if model not in _ROOTS:
        seen.say("", "shape", f"{model[:40]!r} is no model that is written here")
        return seen
    seen.model = model
    _object(seen, body, model, model)
    return seen


def _object(seen: _Seen, value: object, shape: str, at: str) -> None:
    if not isinstance(value, dict):
        seen.say(at, "shape", "an object belongs here")
        return
    found = cast("dict[str, object]", value)
    wanted = members_of(shape)
    for name in found.keys() - wanted.keys():
        seen.say(f"{at}/{name}", "shape", "a foreign member")
    for name, member in wanted.items():
        if name in found:
            _member(seen, found[name], member, f"{at}/{name}")
        elif member.required:
            seen.say(f"{at}/{name}", "shape", "a member that is missing")
    _collect(seen, found, shape, at)


def _member(seen: _Seen, value: object, member: Member, at: str) -> None:
    if not member.many:
        _value(seen, value, member, at)
        return
    if not isinstance(value, list) or not value:
        seen.say(at, "shape", "an array with at least one entry belongs here")
        return
    for number, one in enumerate(cast("list[object]", value)):
        _value(seen, one, member, f"{at}/{number}")


def _value(seen: _Seen, value: object, member: Member, at: str) -> None:
    if member.form[0].isupper():
        _object(seen, value, member.form, at)
        return
    if not is_form(value, member):
        words = f"one of {', '.join(member.words)}" if member.words else member.form
        seen.say(at, "vocabulary" if member.words else "shape", f"not a {words}")
        return
    _note(seen, value, member.form, at)


def _note(seen: _Seen, value: object, form: str, at: str) -> None:
    """Keep what other rules look at."""
    if not isinstance(value, str):
        return
    if form == "uuid":
        if value in seen.uuids:
            seen.say(at, "identity", f"{value} is also {seen.uuids[value]}")
        seen.uuids[value] = at
    kept = {
        "ref": seen.references,
        "control": seen.controls,
        "catalogued": seen.chosen,
        "statement": seen.statements,
        "part": seen.parts,
        "href": seen.links,
    }.get(form)
    if kept is not None:
        kept.append((at, value))


def _collect(seen: _Seen, found: Mapping[str, object], shape: str, at: str) -> None:
    """Keep what stands in several members of one object."""
    identifier = found.get("id")
    if shape in {"Control", "Part"} and isinstance(identifier, str):
        if identifier in seen.defined:
            seen.say(at, "identity", f"{identifier} is also {seen.defined[identifier]}")
        seen.defined[identifier] = f"{shape.lower()} {at}"
    if shape == "Metadata" and found.get("oscal-version") != OSCAL_VERSION:
        seen.say(f"{at}/oscal-version", "version", f"this is for OSCAL {OSCAL_VERSION}")
    if shape == "Prop" and "ns" not in found and found.get("name") not in _OSCAL_PROPS:
        seen.say(at, "vocabulary", "OSCAL has no property of this name; give its namespace")
    if shape == "Rlink":
        _collect_hashes(seen, found, at)
    if shape in {"Pointer", "Import"} and isinstance(found.get("href"), str):
        seen.imported.append(str(found["href"]))
    if shape == "Implementation" and isinstance(found.get("source"), str):
        seen.imported.append(str(found["source"]))
    if shape == "Mapping":
        source = found.get("source-resource")
        if isinstance(source, dict):
            seen.imported.append(str(cast("dict[str, object]", source).get("href", "")))


def _collect_hashes(seen: _Seen, found: Mapping[str, object], at: str) -> None:
    hashes = found.get("hashes")
    if not isinstance(hashes, list):
        return
    for one in cast("list[object]", hashes):
        if isinstance(one, dict) and cast("dict[str, object]", one).get("algorithm") == "SHA-256":
            digest = str(cast("dict[str, object]", one).get("value", ""))
            seen.hashes.append((at, str(found.get("href", "")), digest))


def _reached(one: _Seen, seen: Mapping[str, _Seen]) -> list[_Seen]:
    """The document and all that it imports, nearest first."""
    found = [one]
    for document in found:
        for href in document.imported:
            other = seen.get(href)
            if other is not None and other not in found:
                found.append(other)
    return found


def _references(one: _Seen, seen: Mapping[str, _Seen]) -> Iterator[Defect]:
    known = {identifier for document in _reached(one, seen) for identifier in document.uuids}
    for at, identifier in one.references:
        if identifier not in known:
            yield Defect(
                file=one.file, at=at, rule="reference", says=f"{identifier} stands for nothing"
            )


def _controls(one: _Seen, seen: Mapping[str, _Seen]) -> Iterator[Defect]:
    reached = _reached(one, seen)
    defined = {name: what for document in reached for name, what in document.defined.items()}
    profiles = [document for document in reached if document.model == "profile"]
    controls = {name for name, what in defined.items() if what.startswith("control")}
    selected = {name for document in profiles for _, name in document.chosen}
    allowed = selected if profiles else controls
    for at, name in one.chosen:
        if name not in controls:
            yield _unknown(one, at, f"the catalog has no control {name}")
    for at, name in one.controls:
        if name not in allowed:
            yield _unknown(one, at, f"{name} is not among the controls that apply")
    for at, name in (*one.statements, *one.parts):
        owner = name.rpartition("_")[0]
        if not defined.get(name, "").startswith("part") or owner not in allowed:
            yield _unknown(one, at, f"no control that applies has a part {name}")


def _unknown(one: _Seen, at: str, says: str) -> Defect:
    return Defect(file=one.file, at=at, rule="control", says=says)


def _links(one: _Seen, seen: Mapping[str, _Seen], files: Mapping[str, bytes]) -> Iterator[Defect]:
    for at, href in one.links:
        if href.startswith("#"):
            there = href[1:] in one.uuids
        else:
            there = href in seen or href in files or href.startswith("https://")
        if not there:
            yield Defect(file=one.file, at=at, rule="link", says=f"{href[:80]} is not there")
    for at, href, digest in one.hashes:
        octets = files.get(href)
        if octets is not None and sha256(octets).hex() != digest:
            says = f"{href} has another digest"
            yield Defect(file=one.file, at=at, rule="link", says=says)
