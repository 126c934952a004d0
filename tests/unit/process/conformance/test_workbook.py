"""The workbook is one that others can read, with the cells that went in, and equal for equal."""

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from tests.unit.process.conformance.pictures import picture

from tallystick.kernel.errors import Malformed
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.tables import audit_workbook, statement_of_applicability
from tallystick.process.conformance.workbook import workbook

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read(octets: bytes) -> dict[str, list[tuple[object, ...]]]:
    """Every sheet by name; a cell that is not there is None."""
    with ZipFile(io.BytesIO(octets)) as archive:
        book = ET.fromstring(archive.read("xl/workbook.xml"))
        names = [one.get("name", "") for one in book.iter(f"{MAIN}sheet")]
        sheets = [
            ET.fromstring(archive.read(f"xl/worksheets/sheet{number + 1}.xml"))
            for number in range(len(names))
        ]
    return {name: list(_rows(sheet)) for name, sheet in zip(names, sheets, strict=True)}


def _rows(sheet: ET.Element) -> Iterator[tuple[object, ...]]:
    places: dict[str, int] = {}
    for number, row in enumerate(sheet.iter(f"{MAIN}row"), 1):
        values: dict[int, object] = {}
        for cell in row:
            letters = cell.get("r", "").removesuffix(str(number))
            places.setdefault(letters, len(places))
            said = "".join(cell.itertext())
            values[places[letters]] = said if cell.get("t") == "inlineStr" else int(said)
        yield tuple(values.get(place) for place in range(len(places)))


def test_cells_come_out_as_they_went_in() -> None:
    row = ("=1+1", "a < b & c", " kept ", "two\nlines", "\N{SNOWMAN}\x07", 41, "")
    head = ("one", "two", "three", "four", "five", "six", "seven")
    octets = workbook(
        {"First": (head, [row]), "Second": (("x",), [[number] for number in range(3)])}
    )
    found = read(octets)
    assert list(found) == ["First", "Second"]
    assert found["First"][0] == head
    assert found["First"][1] == (*row[:4], "\N{SNOWMAN}\N{REPLACEMENT CHARACTER}", 41, None)
    assert [one[0] for one in found["Second"]] == ["x", 0, 1, 2]


def test_another_program_reads_the_same() -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the oracle is not installed")
    octets = audit_workbook(picture())
    book = openpyxl.load_workbook(io.BytesIO(octets))
    found = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    assert found == read(octets)
    formula = workbook({"One": (("x",), [["=1+1"]])})
    cell = openpyxl.load_workbook(io.BytesIO(formula))["One"]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s"), "a text is no formula"


def test_columns_go_on_behind_z() -> None:
    found = read(workbook({"Wide": ([str(one) for one in range(60)], [range(60)])}))["Wide"]
    assert found[1] == tuple(range(60))


def test_what_no_workbook_may_have_is_refused() -> None:
    with pytest.raises(Malformed, match="no name of a sheet"):
        workbook({"a/b": (("x",), [])})
    with pytest.raises(Malformed, match="32,767"):
        workbook({"a": (("x",), [["y" * 40_000]])})


def test_the_audit_has_the_rows_of_the_statement_and_what_is_open() -> None:
    octets = audit_workbook(picture())
    assert octets == audit_workbook(picture())
    found = read(octets)
    text = statement_of_applicability(picture()).decode()
    said = list(csv.reader(io.StringIO(text)))
    rows = [[str(one or "") for one in row] for row in found["Applicability"]]
    assert [row[0] for row in rows] == [row[0] for row in said]
    assert [row[5] for row in rows] == [row[5] for row in said]
    assert len(rows) == len(catalogue().requirements) + 1
    states = {row[3] for row in found["Open findings"][1:]}
    assert states
    assert states.isdisjoint({"satisfied", "not-applicable"})
    modality = [row[1] == "shall" for row in found["Open findings"][1:]]
    assert modality == sorted(modality, reverse=True)
    assert len(found["Observations"]) > 1
