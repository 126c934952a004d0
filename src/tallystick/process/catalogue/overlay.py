"""Lets a holder of the standard confirm or correct the rows, without the standard's text.

The holder keeps a small YAML file outside the repository. It marks rows by id (confirmed, amended,
absent), adds rows in the holder's own words, and says by whom, against which edition and when.
Free text is bounded and references name a place, so that the file never becomes a copy of the text.

Source: ISO/TS 12812-2:2017, 5; 7.3.1
"""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Entries
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from tallystick.kernel.clause import clause_of_requirement
from tallystick.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from tallystick.kernel.model import Record
from tallystick.process.catalogue.model import Catalogue, Kind, Modality
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import Defects, Section, suggestion
from tallystick.process.yamltext.tree import Mapping, Scalar, read_nodes

MAX_NAME = 80
MAX_NOTE = 280
MAX_TITLE = 120

_TOP = ("by", "edition", "date", "rows", "added")
_MARK = ("standing", "note", "iso_kind", "iso_text_ref")
_ADDED = ("clause", "title", "modality", "iso_kind", "iso_text_ref")
_EDITION = r"^ISO(?:/TS)? 12812-2:[0-9]{4}(?:\(E\))?\Z"
_PLACE = (
    r"^(?:[0-9]{1,2}(?:\.[0-9]){0,2}|[A-D](?:\.[0-9]){0,2})"
    r"(?:, (?:page|paragraph|sentence|item|note|table|figure) [0-9A-Za-z-]{1,5}){0,3}\Z"
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


_MARKED = (Standing.CONFIRMED, Standing.AMENDED, Standing.ABSENT)


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
    rows: Entries[str, Mark]
    added: Entries[str, AddedRow]


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
    rows: Entries[str, OverlaidRow]

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

    Raises Malformed with every defect and its position: unknown words or ids (with the nearest
    known one), words twice, missing words, dates and places of another form, and texts longer than
    their bound. Raises TooLarge for a file that no overlay has the size of.
    Source: ISO/TS 12812-2:2017, 5
    """
    defects = Defects(remedy="correct the overlay and read it again")
    top = Section(read_nodes(text, "overlay", as_written=True), "overlay", defects, _TOP)
    overlay = Overlay(
        by=_text(top, "by", MAX_NAME),
        edition=top.text("edition", _EDITION, "an edition such as ISO/TS 12812-2:2017"),
        date=_day(top),
        rows=MappingProxyType(dict(_marks(top, found))),
        added=MappingProxyType(dict(_rows(top, found))),
    )
    defects.refuse()
    return overlay


def apply_overlay(found: Catalogue, overlay: Overlay | None) -> OverlaidCatalogue:
    """`found` with the marks of `overlay`; with None every row stands as reconstructed.

    Raises NotFound for a marked row that the catalogue lacks, Conflict for an added id that it has.
    Source: ISO/TS 12812-2:2017, 5
    """
    marks: Entries[str, Mark] = overlay.rows if overlay is not None else {}
    added: Entries[str, AddedRow] = overlay.added if overlay is not None else {}
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


def _marks(top: Section, found: Catalogue) -> Iterator[tuple[str, Mark]]:
    if "rows" not in top:
        return
    below = top.section("rows")
    for identifier, node in below.values():
        at = below.position(identifier)
        if identifier not in found.requirements:
            near = suggestion(identifier, found.requirements)
            top.defects.add(at, f"the catalogue has no row {identifier[:40]!r}{near}")
        long = Mapping({"standing": (at, node)}, at) if isinstance(node, Scalar) else node
        yield identifier, _mark(Section(long, identifier[:20], top.defects, _MARK))


def _mark(section: Section) -> Mark:
    mark = Mark(
        standing=_word(section, "standing", _MARKED),
        note=_text(section, "note", MAX_NOTE) if "note" in section else "",
        iso_kind=_word(section, "iso_kind", tuple(Kind)) if "iso_kind" in section else None,
        iso_text_ref=_place(section),
    )
    if mark.standing is Standing.AMENDED and not (mark.note or mark.iso_kind):
        section.defects.add(section.at, f"{section.trail} is amended: say how, by note or iso_kind")
    return mark


def _rows(top: Section, found: Catalogue) -> Iterator[tuple[str, AddedRow]]:
    if "added" not in top:
        return
    below = top.section("added")
    for identifier, node in below.values():
        section = Section(node, identifier[:20], top.defects, _ADDED)
        if identifier in found.requirements:
            at = below.position(identifier)
            top.defects.add(at, f"{identifier} is in the catalogue: mark it under rows")
        yield identifier, _added(section, identifier, below.position(identifier), found)


def _added(section: Section, identifier: str, at: Position, found: Catalogue) -> AddedRow:
    clause = section.choice("clause", found.clauses)
    try:
        if clause and clause_of_requirement(identifier) != clause:
            section.defects.add(at, f"{identifier[:20]} does not stand under clause {clause}")
    except Malformed as error:
        section.defects.add(at, f"{error.detail}: an id looks like MFS-7.3.3-90")
    return AddedRow(
        id=identifier,
        clause=clause,
        title=_text(section, "title", MAX_TITLE),
        modality=_word(section, "modality", tuple(Modality)),
        iso_kind=_word(section, "iso_kind", tuple(Kind)) if "iso_kind" in section else None,
        iso_text_ref=_place(section),
    )


def _text(section: Section, name: str, bound: int) -> str:
    form = f"a text of at most {bound} characters: {_BORROWED}"
    return section.text(name, rf"(?s)^(?=.*\S).{{1,{bound}}}\Z", form)


def _place(section: Section) -> str:
    if "iso_text_ref" not in section:
        return ""
    return section.text("iso_text_ref", _PLACE, "a place only, such as 7.3.3, page 18, item b")


def _day(top: Section) -> str:
    day(top, "date")
    return top.text("date") if "date" in top else ""


def _word(section: Section, name: str, allowed: tuple[E, ...]) -> E:
    text = section.choice(name, [one.value for one in allowed])
    return next((one for one in allowed if one.value == text), allowed[0])
