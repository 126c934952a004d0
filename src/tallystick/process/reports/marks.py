"""The words of which pages and pictures are made: escaped text, SVG marks, tables, linked numbers.

A picture says what it shows in its title and description, and is an image to whoever listens; the
table beside it has its numbers, each with a link to where it comes from.

Source: W3C SVG; W3C WCAG
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from tallystick.kernel.errors import Broken
from tallystick.kernel.money import Money, currency_exponent
from tallystick.kernel.time import iso_utc


class Linked(NamedTuple):
    """A number as it is written, and the anchor of where it comes from.

    Source: W3C WCAG
    """

    text: str
    source: str


CellText = str | Linked
"""What stands in a cell: plain text, which is escaped, or a linked number."""


def linked(value: object, source: str) -> Linked:
    """`value` as people read it (thousands apart), linked to the source `source`.

    Source: W3C WCAG
    """
    return Linked(f"{value:,}" if isinstance(value, int) else str(value), source)


def written(cell: CellText) -> str:
    """`cell` as HTML.

    Source: W3C HTML
    """
    if isinstance(cell, Linked):
        return f'<a class="n" href="#from-{escape(cell.source)}">{escape(cell.text)}</a>'
    return escape(cell)


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[CellText]], kind: str = ""
) -> str:
    """A table whose first column heads its rows; raises Broken for a row of another length.

    Source: W3C HTML
    """
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    body: list[str] = []
    for row in rows:
        if len(row) != len(columns):
            raise Broken(f"a row of {caption[:40]!r} has {len(row)} cells")
        first, *rest = (written(cell) for cell in row)
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    named = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table{named}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def picture(
    name: str, size: tuple[int, int], title: str, said: str, parts: Iterable[str], kind: str = ""
) -> str:
    """An SVG of `size` units with what somebody hears who does not see it; `name` is unique.

    Source: W3C SVG
    """
    width, height = size
    classes = f"drawn {kind}".strip()
    return (
        f'<svg class="{classes}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-labelledby="{name}-title {name}-desc" style="--wide:{width}px">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(said)}</desc>{"".join(parts)}</svg>'
    )


def scrolled(label: str, inside: str) -> str:
    """`inside` in a frame that scrolls sideways where it is too wide, with the keyboard as well.

    Source: W3C WCAG
    """
    named = escape(label)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{named}">{inside}</div>'


def figure(name: str, title: str, said: str, inside: str) -> str:
    """A numbered part of the page: heading, what to look at, and the figure.

    Source: W3C HTML
    """
    return (
        f'<section class="figure" id="{name}" aria-labelledby="{name}-heading">'
        f'<h2 id="{name}-heading">{escape(title)}</h2><p class="lead">{escape(said)}</p>'
        f"{inside}</section>"
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    """Words at a place; `anchor` is middle or end, else they begin there.

    Source: W3C SVG
    """
    named = f' class="{kind}"' if kind else ""
    placed = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{spot(x)}" y="{spot(y)}"{named}{placed}>{escape(words)}</text>'


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle.

    Source: W3C SVG
    """
    return (
        f'<rect class="{kind}" x="{spot(x)}" y="{spot(y)}" width="{spot(width)}"'
        f' height="{spot(height)}"/>'
    )


def path(drawn: str, kind: str, more: str = "") -> str:
    """A path.

    Source: W3C SVG
    """
    return f'<path class="{kind}" d="{drawn}"{more}/>'


def spot(value: float) -> str:
    """A length with one decimal at most, always written alike.

    Source: W3C SVG
    """
    rounded = round(value * 10)
    whole, part = divmod(abs(rounded), 10)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def short(words: str, most: int) -> str:
    """`words`, cut to `most` characters.

    Source: W3C SVG
    """
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def percent(share: object) -> str:
    """A share (0 to 1) in per cent, at most one decimal.

    Source: W3C HTML
    """
    value = f"{float(str(share)) * 100:.1f}"
    return f"{value.removesuffix('.0')} %"


def moment(at: int) -> str:
    """An instant (ms) for people, to the minute, in UTC.

    Source: ISO 8601-1
    """
    return f"{iso_utc(at)[:16].replace('T', ' ')} UTC"


def spoken(amount: Money) -> str:
    """An amount as it is said: KES 14.9 billion; below a million to the last unit.

    Source: ISO 4217
    """
    whole = abs(amount.minor) // 10 ** currency_exponent(amount.currency)
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if whole >= size:
            tenths = whole * 10 // size
            sign = "-" if amount.minor < 0 else ""
            return f"{amount.currency} {sign}{tenths // 10:,}.{tenths % 10} {word}"
    return str(amount)


def plural(count: int, word: str) -> str:
    """`count` with its word: 1 place, 2 places.

    Source: W3C HTML
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"
