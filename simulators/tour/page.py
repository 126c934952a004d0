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
_WIDTH, _ROW_HEIGHT = 400, 42


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
    scripts = (files("tallystick.entry.web") / f"receipt-{one}.js" for one in ("mldsa", "verify"))
    verifier = "".join(one.read_text("utf-8") for one in scripts)
    parts = {
        "__SCENES__": _scenes(story),
        "__CHARTS__": _chart("Settled, by kind", town.settled, "var(--good)")
        + _chart("Refused, by reason", town.refused, "var(--bad)")
        + _pace(town.seconds),
        "__TILES__": _tiles(town),
        "__PROVED__": _proved(clauses),
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


def _tiles(town: Tally) -> str:
    tiles = (
        (f"{town.settled.total():,}", "orders settled in the town"),
        (f"{town.refused.total():,}", "refused, each by a row or a check"),
        (f"{town.rate:,.0f} /s", "phones and provider on one machine"),
        (f"{town.cpu_us / 1000:,.1f} ms", "server CPU an order, PIN hashing included"),
    )
    return "".join(f"<div><b>{value}</b><span>{label}</span></div>" for value, label in tiles)


def _chart(title: str, counts: Counter[str], colour: str) -> str:
    rows = counts.most_common(6)
    most = max((count for _, count in rows), default=1)
    bars: list[str] = []
    for number, (name, count) in enumerate(rows):
        top = number * _ROW_HEIGHT
        width = max(6, round(_WIDTH * count / most))
        bars.append(
            f'<text x="0" y="{top + 15}">{html.escape(name[:44])}</text>'
            f'<text class="soft" x="{_WIDTH}" y="{top + 15}" text-anchor="end">{count:,}</text>'
            f'<rect class="track" x="0" y="{top + 23}" width="{_WIDTH}" height="8" rx="4"/>'
            f'<rect x="0" y="{top + 23}" width="{width}" height="8" rx="4" fill="{colour}"/>'
        )
    height = max(1, len(rows)) * _ROW_HEIGHT
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="100%" role="img" aria-label="{title}">'
        f"{''.join(bars)}</svg></figure>"
    )


def _pace(seconds: Sequence[float]) -> str:
    """Orders answered in each second of the town's life, a column each."""
    if not seconds:
        return ""
    counts = Counter(int(second) for second in seconds)
    last, most = max(counts), max(counts.values())
    each = 900 / (last + 1)
    columns = "".join(
        f'<rect x="{second * each + 1:.1f}" y="{130 - 105 * counts[second] / most:.1f}"'
        f' width="{max(2.0, each - 3):.1f}" height="{105 * counts[second] / most:.1f}" rx="2"'
        ' fill="var(--fact)"/>'
        for second in range(last + 1)
    )
    title = "Orders answered, second by second"
    return (
        f'<figure class="wide"><figcaption>{title}<small>phones with an app are through first;'
        " the hash of a dialled PIN is slow on purpose</small></figcaption>"
        f'<svg viewBox="0 0 900 152" width="100%" role="img" aria-label="{title}">{columns}'
        f'<text class="soft" x="0" y="15">{most} in the busiest second</text>'
        '<text class="soft" x="0" y="149">first second</text>'
        f'<text class="soft" x="900" y="149" text-anchor="end">second {last + 1}</text>'
        "</svg></figure>"
    )


def _proved(lines: Sequence[str]) -> str:
    matches = [match for line in lines if (match := _CLAUSE.match(line))]
    proved, total = (sum(int(match.group(part)) for match in matches) for part in (3, 4))
    return f"{proved} of {total}"


def _clauses(lines: Sequence[str]) -> str:
    rows: list[str] = []
    for line in lines:
        match = _CLAUSE.match(line)
        if match is None:
            continue
        number, title, proved, total = match.groups()
        share = round(100 * int(proved) / max(1, int(total)))
        rows.append(
            f"<li><b>{number}</b>{html.escape(title)}<span>{proved} of {total}</span>"
            f'<i><u style="width:{share}%"></u></i></li>'
        )
    return "".join(rows)
