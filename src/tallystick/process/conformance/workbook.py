"""Tables as one workbook of sheets (Office Open XML), equal octets for equal tables.

Every cell is a text or a whole number: a text is never taken for a formula. The first row of a
sheet is bold, stays in sight, and has filters.

Source: ISO/IEC 29500-1, 18; ISO/TS 12812-2:2017, 9.1
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tallystick.kernel.errors import Malformed

Rows = Iterable[Sequence[object]]
Sheet = tuple[Sequence[str], Rows]
"""The head and the rows of one sheet."""

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/"
_SORT: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NAME: Final = re.compile(r"^[A-Za-z0-9 _-]{1,31}$")
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST: Final = 32_767
_EXACT: Final = 10**15
_START: Final = (1980, 1, 1, 0, 0, 0)

_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/>'
    '<xf fontId="1" applyFont="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def workbook(sheets: Mapping[str, Sheet]) -> bytes:
    """The workbook with `sheets` by name, in their order.

    Raises Malformed for a name that no sheet may have, or a text past 32,767 characters.
    Source: ISO/IEC 29500-1, 18
    """
    for name in sheets:
        if not _NAME.match(name):
            raise Malformed(f"{name[:40]!r} is no name of a sheet")
    count = len(sheets)
    parts = {
        "[Content_Types].xml": _types(count),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            [
                *(("worksheet", f"worksheets/sheet{one + 1}.xml") for one in range(count)),
                ("styles", "styles.xml"),
            ]
        ),
        "xl/styles.xml": _STYLES,
        **{
            f"xl/worksheets/sheet{number}.xml": _sheet(head, rows)
            for number, (head, rows) in enumerate(sheets.values(), 1)
        },
    }
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            info = ZipInfo(name, _START)
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return target.getvalue()


def _types(count: int) -> str:
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{one + 1}.xml", "worksheet") for one in range(count)]
    listed = "".join(
        f'<Override PartName="{part}" ContentType="{_SORT}{sort}+xml"/>' for part, sort in parts
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{listed}</Types>"
    )


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{sort}" Target="{target}"/>'
        for number, (sort, target) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}relationships">{listed}</Relationships>'


def _book(names: Iterable[str]) -> str:
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="r{number}"/>'
        for number, name in enumerate(names, 1)
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    )


def _sheet(head: Sequence[str], rows: Rows) -> str:
    lines = [_row(1, head, ' s="1"')]
    lines += [_row(number, row, "") for number, row in enumerate(rows, 2)]
    corner = f"{_column(len(head) - 1)}{len(lines)}"
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><sheetData>{''.join(lines)}</sheetData>"
        f'<autoFilter ref="A1:{corner}"/></worksheet>'
    )


def _row(number: int, values: Sequence[object], style: str) -> str:
    return f'<row r="{number}">{"".join(_cells(number, values, style))}</row>'


def _cells(number: int, values: Sequence[object], style: str) -> Iterator[str]:
    for place, value in enumerate(values):
        at = f'r="{_column(place)}{number}"{style}'
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _EXACT:
            yield f"<c {at}><v>{value}</v></c>"
            continue
        text = _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
        if len(text) > _LONGEST:
            raise Malformed("a cell takes at most 32,767 characters")
        if text:
            inner = f'<is><t xml:space="preserve">{escape(text)}</t></is>'
            yield f'<c {at} t="inlineStr">{inner}</c>'


def _column(place: int) -> str:
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
