"""Lets a holder of the standard confirm or correct the rows, without the standard's text.

The holder keeps a small YAML file outside the repository. It marks rows by id (confirmed, amended,
absent), adds rows in the holder's own words, and says by whom, against which edition and when.
Free text is bounded and references name a place, so that the file never becomes a copy of the text.

Source: ISO/TS 12812-2:2017, 5; 7.3.1
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from tallystick.kernel.clause import clause_of_requirement
from tallystick.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from tallystick.kernel.model import Record
from tallystick.process.catalogue.model import Catalogue, Kind, Modality
from tallystick.process.catalogue.yamltree import Branch, Leaf, at, read_tree, unknown

MAX_NOTE = 280
MAX_TITLE = 120

_EDITION = re.compile(r"^ISO(?:/TS)? 12812-2:[0-9]{4}(?:\(E\))?$")
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_PLACE = re.compile(
    r"^(?:[0-9]{1,2}(?:\.[0-9]){0,2}|[A-D](?:\.[0-9]){0,2})"
    r"(?:, (?:page|paragraph|sentence|item|note|table|figure) [0-9A-Za-z-]{1,5}){0,3}$"
)
_BORROWED = "write a note of your own and refer to the place; the standard's text stays out of it"

E = TypeVar("E", bound=StrEnum)


class Standing(StrEnum):
    """What is known of a row; `RECONSTRUCTED` until a holder of the standard has marked it.

    Source: ISO/TS 12812-2:2017, 5
    """

    CONFIRMED = "confirmed"
    AMENDED = "amended"
    ABSENT = "absent"
    ADDED = "added"
    RECONSTRUCTED = "reconstructed"


class Mark(Record, frozen=True, kw_only=True):
    """What the holder says of one row; `iso_text_ref` is a place (`7.3.3, page 18`), never text.

    Source: ISO/TS 12812-2:2017, 5
    """

    standing: Standing
    note: str = ""
    iso_kind: Kind | None = None
    iso_text_ref: str = ""


class AddedRow(Record, frozen=True, kw_only=True):
    """A demand that the catalogue lacks, in the holder's own words.

    Source: ISO/TS 12812-2:2017, 5
    """

    id: str
    clause: str
    title: str
    modality: Modality
    iso_kind: Kind | None = None
    iso_text_ref: str = ""


class Overlay(Record, frozen=True, kw_only=True):
    """A holder's whole file: by whom, against which edition, on which day, and the rows.

    Source: ISO/TS 12812-2:2017, 5
    """

    by: str
    edition: str
    date: str
    rows: Mapping[str, Mark]
    added: Mapping[str, AddedRow]


class OverlaidRow(Record, frozen=True, kw_only=True):
    """A row as it stands after the overlay; `kind` is the holder's, else the inferred one.

    Source: ISO/TS 12812-2:2017, 5
    """

    id: str
    clause: str
    text: str
    modality: Modality
    standing: Standing
    kind: Kind
    note: str
    iso_text_ref: str


class OverlaidCatalogue(Record, frozen=True, kw_only=True):
    """The catalogue with the holder's marks on it, in the order of the catalogue, added rows last.

    Source: ISO/TS 12812-2:2017, 5
    """

    catalogue: Catalogue
    overlay: Overlay | None
    rows: Mapping[str, OverlaidRow]

    def row(self, identifier: str) -> OverlaidRow:
        """The row `identifier`, added ones included; raises NotFound.

        Source: ISO/TS 12812-2:2017, 5
        """
        found = self.rows.get(identifier)
        if found is None:
            raise NotFound(f"neither catalogue nor overlay has a row {identifier[:20]!r}")
        return found

    def count(self, standing: Standing) -> int:
        """How many rows stand so.

        Source: ISO/TS 12812-2:2017, 5
        """
        return Counter(one.standing for one in self.rows.values())[standing]

    def standing(self) -> str:
        """One line: how many rows are confirmed and by whom, amended, absent, added, untouched.

        Source: ISO/TS 12812-2:2017, 5
        """
        whom = f" by {self.overlay.by}" if self.overlay is not None else ""
        return (
            f"confirmed {self.count(Standing.CONFIRMED)} of {len(self.catalogue.requirements)}"
            f"{whom}, amended {self.count(Standing.AMENDED)}, absent {self.count(Standing.ABSENT)},"
            f" added {self.count(Standing.ADDED)},"
            f" reconstructed {self.count(Standing.RECONSTRUCTED)}"
        )


def load_overlay(path: Path, found: Catalogue) -> Overlay:
    """The overlay in the file `path`.

    Raises Unavailable when it cannot be read, Malformed when it is not UTF-8, and as
    `read_overlay` does.
    Source: ISO/TS 12812-2:2017, 5
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the overlay is not UTF-8 text") from error
    except OSError as error:
        raise Unavailable("the overlay cannot be read", remedy="check its path") from error
    return read_overlay(text, found)


def read_overlay(text: str, found: Catalogue) -> Overlay:
    """The overlay that `text` is, its ids checked against `found`.

    Raises Malformed with the line for unknown words or ids (with the nearest known one), words
    twice, missing words, dates and places of another form, and texts longer than their bound.
    Source: ISO/TS 12812-2:2017, 5
    """
    top = read_tree(text)
    _known(top, {"by", "edition", "date", "rows", "added"}, required=("by", "edition", "date"))
    rows = _inner(top, "rows")
    added = _inner(top, "added")
    return Overlay(
        by=_text(top, "by", 80),
        edition=_shaped(top, "edition", _EDITION, "an edition looks like ISO/TS 12812-2:2017"),
        date=_day(top),
        rows=MappingProxyType({one: _mark(rows, one, found) for one in rows.entries}),
        added=MappingProxyType({one: _added(added, one, found) for one in added.entries}),
    )


def apply_overlay(found: Catalogue, overlay: Overlay | None) -> OverlaidCatalogue:
    """`found` with the marks of `overlay`; with None every row stands as reconstructed.

    Raises NotFound for a marked row that the catalogue lacks, Conflict for an added id that it has.
    Source: ISO/TS 12812-2:2017, 5
    """
    marks: Mapping[str, Mark] = overlay.rows if overlay is not None else {}
    added: Mapping[str, AddedRow] = overlay.added if overlay is not None else {}
    for identifier in marks:
        found.requirement(identifier)
    rows: dict[str, OverlaidRow] = {}
    for identifier in found.requirements:
        rows[identifier] = _overlaid(found, identifier, marks.get(identifier))
    for identifier, one in added.items():
        if identifier in rows:
            raise Conflict(f"{identifier} is in the catalogue", remedy="mark it under rows")
        rows[identifier] = OverlaidRow(
            id=identifier,
            clause=one.clause,
            text=one.title,
            modality=one.modality,
            standing=Standing.ADDED,
            kind=one.iso_kind or found.clause(one.clause).kind,
            note="",
            iso_text_ref=one.iso_text_ref,
        )
    return OverlaidCatalogue(catalogue=found, overlay=overlay, rows=MappingProxyType(rows))


def _overlaid(found: Catalogue, identifier: str, mark: Mark | None) -> OverlaidRow:
    requirement = found.requirement(identifier)
    said = mark or Mark(standing=Standing.RECONSTRUCTED)
    return OverlaidRow(
        id=identifier,
        clause=requirement.clause,
        text=requirement.text,
        modality=requirement.modality,
        standing=said.standing,
        kind=said.iso_kind or found.clause(requirement.clause).kind,
        note=said.note,
        iso_text_ref=said.iso_text_ref,
    )


def _mark(rows: Branch, identifier: str, found: Catalogue) -> Mark:
    if identifier not in found.requirements:
        raise unknown(rows.lines[identifier], "requirement", identifier, found.requirements)
    value = rows.entries[identifier]
    if isinstance(value, Leaf):
        value = Branch(entries={"standing": value}, line=value.line, lines={"standing": value.line})
    _known(value, {"standing", "note", "iso_kind", "iso_text_ref"}, required=("standing",))
    allowed = (Standing.CONFIRMED, Standing.AMENDED, Standing.ABSENT)
    mark = Mark(
        standing=_word(value, "standing", allowed),
        note=_optional(value, "note", lambda name: _text(value, name, MAX_NOTE)),
        iso_kind=_word(value, "iso_kind", Kind) if "iso_kind" in value.entries else None,
        iso_text_ref=_optional(value, "iso_text_ref", lambda name: _place(value, name)),
    )
    if mark.standing is Standing.AMENDED and not (mark.note or mark.iso_kind):
        raise at(value.line, f"{identifier} is amended", remedy="say how: note or iso_kind")
    return mark


def _added(rows: Branch, identifier: str, found: Catalogue) -> AddedRow:
    line = rows.lines[identifier]
    value = rows.entries[identifier]
    if isinstance(value, Leaf):
        raise at(line, f"{identifier[:20]} needs a clause and a title below it")
    if identifier in found.requirements:
        raise at(line, f"{identifier} is in the catalogue", remedy="mark it under rows")
    words = {"clause", "title", "modality", "iso_kind", "iso_text_ref"}
    _known(value, words, required=("clause", "title", "modality"))
    clause = _text(value, "clause", 10)
    if clause not in found.clauses:
        raise unknown(value.lines["clause"], "clause", clause, found.clauses)
    if _clause_of(identifier, line) != clause:
        raise at(line, f"{identifier} does not stand under clause {clause}")
    return AddedRow(
        id=identifier,
        clause=clause,
        title=_text(value, "title", MAX_TITLE),
        modality=_word(value, "modality", Modality),
        iso_kind=_word(value, "iso_kind", Kind) if "iso_kind" in value.entries else None,
        iso_text_ref=_optional(value, "iso_text_ref", lambda name: _place(value, name)),
    )


def _clause_of(identifier: str, line: int) -> str:
    try:
        return clause_of_requirement(identifier)
    except Malformed as error:
        raise at(line, error.detail, remedy="an id looks like MFS-7.3.3-90") from error


def _known(branch: Branch, words: Collection[str], *, required: tuple[str, ...]) -> None:
    for name, line in branch.lines.items():
        if name not in words:
            raise unknown(line, "word", name, words)
    for name in required:
        if name not in branch.entries:
            raise at(branch.line, f"{name!r} is missing")


def _inner(top: Branch, name: str) -> Branch:
    value = top.entries.get(name)
    if value is None:
        return Branch(entries={}, line=top.line, lines={})
    if isinstance(value, Leaf):
        raise at(value.line, f"{name!r} has rows by id below it")
    return value


def _text(branch: Branch, name: str, bound: int) -> str:
    value = branch.entries[name]
    if isinstance(value, Branch):
        raise at(value.line, f"{name!r} is one text")
    if len(value.text) > bound:
        length = len(value.text)
        raise at(value.line, f"{name!r} has {length} characters of {bound}", remedy=_BORROWED)
    return value.text


def _shaped(branch: Branch, name: str, shape: re.Pattern[str], remedy: str) -> str:
    text = _text(branch, name, 80)
    if not shape.match(text):
        raise at(branch.lines[name], f"{name!r} has another form", remedy=remedy)
    return text


def _place(branch: Branch, name: str) -> str:
    return _shaped(branch, name, _PLACE, "name a place only: 7.3.3, page 18, item b")


def _day(top: Branch) -> str:
    text = _shaped(top, "date", _DATE, "a date looks like 2026-11-25")
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise at(top.lines["date"], "there is no such day") from error
    return text


def _word(branch: Branch, name: str, allowed: Collection[E] | type[E]) -> E:
    text = _text(branch, name, 80)
    for one in allowed:
        if one.value == text:
            return one
    raise unknown(branch.lines[name], name, text, [one.value for one in allowed])


def _optional(branch: Branch, name: str, reader: Callable[[str], str]) -> str:
    return reader(name) if name in branch.entries else ""
