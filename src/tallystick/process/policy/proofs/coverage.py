"""What no single line of a policy shows: rows never reached, limits that are missing or idle.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable

from tallystick.kernel.errors import TooLarge
from tallystick.process.policy.facts import ENUMERATED
from tallystick.process.policy.language.model import Limit, Row, Window
from tallystick.process.policy.proofs.space import Space, box_of, in_words
from tallystick.process.policy.proofs.table import PASSING, Table
from tallystick.process.yamltext.section import Defects


def check_coverage(table: Table, paying: int, defects: Defects) -> None:
    """Note every row that is never reached, every payment without a limit, every idle limit.

    `paying` is the bit of the box of payments and quotes.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for number, row in enumerate(table.policy.decisions):
        try:
            _check_row(table, number, row, paying, defects)
        except TooLarge:
            text = f"the row {row.id!r} is too entangled to be proved; split it"
            defects.add(row.at, text)
            return
    _check_limits(table, defects)


def _check_row(table: Table, number: int, row: Row, paying: int, defects: Defects) -> None:
    here, before = 1 << number, table.before(number)
    if table.space.find(here, before) is None:
        defects.add(row.at, f"the row {row.id!r} is never reached: rows before it take all it says")
        return
    if row.outcome not in PASSING:
        return
    uncapped = table.space.find(here | paying, before | table.limits)
    if uncapped is not None:
        point = {field: uncapped[field] for field in ENUMERATED if field in uncapped}
        text = f"the row {row.id!r} lets a payment pass that no limit caps"
        defects.add(row.at, f"{text}: {in_words(point)}")


def _check_limits(table: Table, defects: Defects) -> None:
    limits = table.policy.limits
    for limit in limits:
        for other in limits:
            if other is limit or not _idle(limit, other):
                continue
            if not _inside(table.space, limit, other):
                continue
            if _inside(table.space, other, limit) and _idle(other, limit) and other.at > limit.at:
                continue
            text = f"the limit {limit.id!r} never binds: {other.id!r} is as strict and as wide"
            defects.add(limit.at, text)
            break


def _inside(space: Space, limit: Limit, wider: Limit) -> bool:
    box = box_of(limit.words).words
    return all(
        box.get(field, frozenset(space.vocabulary[field])) <= words
        for field, words in box_of(wider.words).words.items()
    )


def _idle(limit: Limit, other: Limit) -> bool:
    """Whether `other` caps everything that `limit` caps, at least as low."""
    return other.per_payment_minor <= limit.per_payment_minor and all(
        _capped(window, other.windows) for window in limit.windows
    )


def _capped(window: Window, others: Iterable[Window]) -> bool:
    return any(
        other.window_ms >= window.window_ms
        and other.max_amount <= window.max_amount
        and other.max_count <= window.max_count
        for other in others
    )
