"""The page of the tour: one file, nothing fetched, a receipt that the browser verifies.

Source: ISO/TS 12812-2:2017, 7.3.6; 11.2.2
"""

import html
import json
import re
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from simulators.tour.telling import Story
from simulators.tour.town import Tally
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import b64url, to_plain
from tallystick.protocol.receipt import Receipt

_CLAUSE = re.compile(r"^(\S+)\s+(.*): (\d+) of (\d+) proved")
_BAR_WIDTH, _ROW_HEIGHT, _LABEL = 190, 26, 150


def write_page(
    target: Path,
    story: Story,
    receipt: Receipt,
    tally_key: VerifyKey,
    origin: str,
    town: Tally,
    clauses: Sequence[str],
) -> None:
    """Write the page to `target`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    target.write_text(render(story, receipt, tally_key, origin, town, clauses), encoding="utf-8")


def render(
    story: Story,
    receipt: Receipt,
    tally_key: VerifyKey,
    origin: str,
    town: Tally,
    clauses: Sequence[str],
) -> str:
    """The page as text.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    verifier = files("tallystick.entry.web").joinpath("receipt-verify.js").read_text("utf-8")
    parts = {
        "__SCENES__": _scenes(story),
        "__CHARTS__": _chart("Settled, by kind", town.settled, "var(--good)")
        + _chart("Refused, by reason", town.refused, "var(--bad)")
        + _pace(town.seconds),
        "__CLAUSES__": _clauses(clauses),
        "__VERIFIER__": verifier.replace("</", "<\\/"),
        "__RECEIPT__": _json(to_plain(receipt)),
        "__KEY__": _json(b64url(tally_key.octets())),
        "__ORIGIN__": _json(origin),
    }
    for mark, text in parts.items():
        template = template.replace(mark, text)
    return template


def _json(value: object) -> str:
    return json.dumps(value).replace("</", "<\\/")


def _scenes(story: Story) -> str:
    parts: list[str] = []
    for title, lines in story.scenes:
        items = "".join(
            f'<li class="{line.kind}">{html.escape(line.text)}'
            + (f"<small>{html.escape(line.reason)}</small>" if line.reason else "")
            + "</li>"
            for line in lines
        )
        if items:
            parts.append(
                f'<section class="scene"><h3>{html.escape(title)}</h3>'
                f'<ul class="lines">{items}</ul></section>'
            )
    return "\n".join(parts)


def _chart(title: str, counts: Counter[str], colour: str) -> str:
    rows = counts.most_common(8)
    most = max((count for _, count in rows), default=1)
    bars: list[str] = []
    for number, (name, count) in enumerate(rows):
        top = number * _ROW_HEIGHT
        width = max(2, round(_BAR_WIDTH * count / most))
        bars.append(
            f'<text x="0" y="{top + 16}">{html.escape(name[:24])}</text>'
            f'<rect x="{_LABEL}" y="{top + 5}" width="{width}" height="14" rx="4"'
            f' fill="{colour}"/><text class="soft" x="{_LABEL + width + 8}"'
            f' y="{top + 16}">{count}</text>'
        )
    height = max(1, len(rows)) * _ROW_HEIGHT
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<svg viewBox="0 0 400 {height}" width="100%" role="img" aria-label="{title}">'
        f"{''.join(bars)}</svg></figure>"
    )


def _pace(seconds: Sequence[float]) -> str:
    """Orders answered in each second of the town's life, as a line."""
    if not seconds:
        return ""
    counts = Counter(int(second) for second in seconds)
    last = max(counts)
    most = max(counts.values())
    points = " ".join(
        f"{round(20 + 360 * second / max(1, last))},{round(110 - 95 * counts[second] / most)}"
        for second in range(last + 1)
    )
    title = "Orders answered, second by second"
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<svg viewBox="0 0 400 140" width="100%" role="img" aria-label="{title}">'
        f'<polyline points="{points}" fill="none" stroke="var(--fact)" stroke-width="2.5"'
        ' stroke-linejoin="round"/>'
        f'<text class="soft" x="20" y="132">0 s</text>'
        f'<text class="soft" x="352" y="132">{last} s</text>'
        f'<text class="soft" x="20" y="12">{most}/s</text></svg></figure>'
    )


def _clauses(lines: Sequence[str]) -> str:
    rows: list[str] = []
    for line in lines:
        match = _CLAUSE.match(line)
        if match is None:
            continue
        number, title, proved, total = match.groups()
        share = round(100 * int(proved) / max(1, int(total)))
        rows.append(
            f"<tr><td>{number}</td><td>{html.escape(title)}</td><td>{proved} of {total}</td>"
            f'<td class="bar"><i><b style="width:{share}%"></b></i></td></tr>'
        )
    return "".join(rows)
