"""Rows that a turn would write, as lines for people: what is new, what was and would be.

A line is the same each time that the same would happen: ids that are drawn anew and moments are
left out, so that a digest of the lines stands for what the act does.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tallystick.application.rehearsals.words import DRAWN, TABLES, UNTOLD, Words
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.changes import load_rows
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.table import Row, Table
from tallystick.kernel.codec import Decoder
from tallystick.kernel.money import Money
from tallystick.protocol.receipt import EventLeaf

_leaves = Decoder(EventLeaf, limit=1024 * 1024)
_ARROW: Final = "\N{RIGHTWARDS ARROW}"
_LONGEST: Final = 120
_SIDES: Final = {"debit": 1, "credit": -1}


class Told(NamedTuple):
    """What would change, one line each, and the ids that would be new.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    lines: tuple[str, ...]
    fresh: frozenset[str]

    def says(self, text: str) -> str:
        """`text` without the ids that are drawn anew each time.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for one in self.fresh:
            text = text.replace(one, one.partition("_")[0] + "_...")
        return text


def tell(turn: Turn, reader: Reader, currency: str) -> Told:
    """What the rows and events of `turn` would change of what `reader` finds.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
    """
    lines: list[str] = []
    fresh: set[str] = set()
    for table, rows in turn.changes.rows():
        stored = _stored(table, rows, reader)
        for row in rows:
            after = _named(table.insert_head, row)
            key = after[table.key]
            before = stored.get(key)
            if before is None and table.name in DRAWN:
                fresh.add(key)
            lines += _lines(table.name, key, before, after, currency)
    kinds = [_leaves.decode(leaf).kind for leaf in turn.leaves]
    lines.append(f"recorded as {', '.join(kinds)}")
    told = Told((), frozenset(fresh))
    return Told(tuple(told.says(one) for one in lines), told.fresh)


def _stored(table: Table, rows: list[Row], reader: Reader) -> dict[Any, dict[str, Any]]:
    keys = {_named(table.insert_head, row)[table.key] for row in rows} - {None}
    found = (_named(table.select_head, row) for row in load_rows(reader, table, keys))
    return {one[table.key]: one for one in found}


def _named(sql: str, row: Row) -> dict[str, Any]:
    """A row by the names of its columns, as `INSERT INTO t (...)` or `SELECT ... FROM` has them."""
    listed = sql.partition("(")[2].partition(")")[0]
    if sql.startswith("SELECT"):
        listed = sql.removeprefix("SELECT").partition(" FROM ")[0]
    return dict(zip((one.strip() for one in listed.split(",")), row, strict=True))


def _lines(
    table: str, key: Any, before: dict[str, Any] | None, after: dict[str, Any], currency: str
) -> Iterator[str]:
    if table in UNTOLD:
        return
    words = TABLES.get(table) or Words(table.replace("_", " "), {}, named=False)
    if table == "account":
        yield from _moved(key, before, after)
    called = f"{words.noun} {key}" if words.named else words.noun
    if before is None:
        more = ", ".join(
            f"{says} {_value(words, column, after[column], currency)}"
            for column, says in words.columns.items()
            if after[column] not in ("", b"", None, 0)
        )
        if more or not words.columns:
            yield f"new: {called}: {more}" if more else f"new: {called}"
        return
    told = [
        _change(words, column, before[column], after[column], currency)
        for column in words.columns
        if before[column] != after[column]
    ]
    if told:
        yield f"{called}: {', '.join(told)}"
    elif before != after and table != "account":
        yield f"{called} changes"


def _change(words: Words, column: str, before: Any, after: Any, currency: str) -> str:
    says = words.columns[column]
    if isinstance(before, bytes) and before and after:
        return f"{says} other than before"
    was, now = (_value(words, column, one, currency) for one in (before, after))
    return f"{says} {was} {_ARROW} {now}"


def _value(words: Words, column: str, value: Any, currency: str) -> str:
    if value in ("", b"", None):
        return "none"
    if isinstance(value, bytes):
        return "kept"
    if column in words.minor and isinstance(value, int):
        return str(Money(value, currency))
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _moved(key: str, before: dict[str, Any] | None, after: dict[str, Any]) -> Iterator[str]:
    """What comes to and goes from an account."""
    was = before or dict.fromkeys(after, 0)
    debit, credit = (after[one] - was[one] for one in ("posted_debit", "posted_credit"))
    net = (debit - credit) * _SIDES[after["side"]]
    if net:
        sign = "+" if net > 0 else ""
        yield f"{after['kind']} account {key}: {sign}{Money(net, after['currency'])}"
