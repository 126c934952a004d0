"""The decision table and the limits: rows, conditions, outcomes.

    when: {field: word}                       the field has this word
    when: {field: [word, word]}               one of these
    when: {field: {above: 5, at_most: 9}}     lies between; also below and at_least

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import re
from collections.abc import Collection, Iterable
from decimal import Decimal

from tallystick.process.policy.facts import (
    ENUMERATED,
    FOREVER,
    MEASURED,
    VOCABULARY,
    Grade,
    Outcome,
    Word,
)
from tallystick.process.policy.language.model import Bounds, Ladder, Limit, Row, Window, Words
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.section import Section, duration_ms, suggestion
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence

SLUG = r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"
DEFAULT_ROW = "default"
RESERVED = ("default", "unknown-word", "currency", "amount", "operators", "factors", "dependency")
ROW_WORDS = ("id", "when", "outcome", "grade", "delay", "because", "non_monotone")
_LIMIT = ("id", "when", "per_payment", "windows", "because")
_WINDOW = ("window", "amount", "count")
_LIMITED = tuple(field for field in ENUMERATED if field != "operation")
_GRADES = tuple(grade.value for grade in Grade if grade is not Grade.NONE)
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
_COMPARISONS = ("above", "at_least", "below", "at_most")

Conditions = tuple[tuple[Words, ...], tuple[Bounds, ...]]


def read_rows(root: Section, tiers: Collection[int]) -> tuple[Row, ...]:
    """The ordered rows under `decisions`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return tuple(read_row(section, tiers) for section in root.sections("decisions", ROW_WORDS))


def read_default(root: Section) -> Row:
    """The row for everything that no other row matches; it denies.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    section = root.section("default", ("outcome", "because"))
    section.choice("outcome", (Outcome.DENY.value,))
    return Row(
        id=DEFAULT_ROW,
        words=(),
        bounds=(),
        outcome=Outcome.DENY,
        because=section.text("because"),
        at=section.at,
    )


def read_limits(root: Section, tiers: Collection[int]) -> tuple[Limit, ...]:
    """The limits, in the order of the text.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return tuple(_limit(section, tiers) for section in root.sections("limits", _LIMIT))


def read_when(section: Section, fields: Iterable[str]) -> tuple[Words, ...]:
    """The conditions under `when`, which name words of `fields` only.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return _conditions(section, fields, ())[0]


def refuse_repeated_ids(root: Section, named: Iterable[Row | Limit | Ladder]) -> None:
    """Note every id that stands twice or is reserved for the decision's own reasons.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    seen: dict[str, Position] = {}
    for one in named:
        if one.id in seen:
            root.defects.add(one.at, f"the id {one.id!r} stands twice, first at {seen[one.id]}")
        elif any(one.id == word or one.id.startswith(f"{word}-") for word in RESERVED):
            root.defects.add(one.at, f"the id {one.id!r} is reserved")
        elif one.id:
            seen[one.id] = one.at


def read_row(section: Section, tiers: Collection[int]) -> Row:
    """One row, with the words `ROW_WORDS`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    words, bounds = _conditions(section, (*ENUMERATED, *MEASURED), tiers)
    outcome = Outcome(section.choice("outcome", tuple(Outcome)) or Outcome.DENY)
    row = Row(
        id=section.text("id", SLUG, "a slug such as new-payee"),
        words=words,
        bounds=bounds,
        outcome=outcome,
        because=section.text("because"),
        at=section.at,
        grade=section.choice("grade", _GRADES) if outcome is Outcome.STEP_UP else "",
        delay_ms=section.duration("delay") if outcome is Outcome.DELAY else 0,
        non_monotone=section.text("non_monotone") if "non_monotone" in section else "",
    )
    if "grade" in section and outcome is not Outcome.STEP_UP:
        section.defects.add(section.position("grade"), "a grade goes with the outcome step-up only")
    if "delay" in section and outcome is not Outcome.DELAY:
        section.defects.add(section.position("delay"), "a delay goes with the outcome delay only")
    given = {word for one in words if one.field == "grade" for word in one.words}
    if row.grade and row.grade in given:
        at = section.position("grade")
        section.defects.add(at, f"a consent of grade {row.grade} would be asked for {row.grade}")
    return row


def _limit(section: Section, tiers: Collection[int]) -> Limit:
    words, _ = _conditions(section, _LIMITED, tiers)
    return Limit(
        id=section.text("id", SLUG, "a slug such as tier-1"),
        words=words,
        per_payment_minor=section.integer("per_payment", 1),
        windows=read_windows(section),
        because=section.text("because"),
        at=section.at,
    )


def read_windows(section: Section) -> tuple[Window, ...]:
    """The windows of a limit, of different lengths.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    windows = tuple(_window(one) for one in section.sections("windows", _WINDOW))
    lengths = [window.window_ms for window in windows]
    if len(set(lengths)) < len(lengths):
        section.defects.add(section.position("windows"), "two windows have the same length")
    return windows


def _window(section: Section) -> Window:
    if "amount" not in section and "count" not in section:
        section.defects.add(section.at, "a window caps an amount, a count or both")
    return Window(
        window_ms=section.duration("window", 1000),
        max_amount=section.integer("amount", 1) if "amount" in section else FOREVER,
        max_count=section.integer("count", 1) if "count" in section else FOREVER,
    )


def _conditions(section: Section, known: Iterable[str], tiers: Collection[int]) -> Conditions:
    when = section.section("when", known)
    words: list[Words] = []
    bounds: list[Bounds] = []
    for name, node in when.values():
        if name in MEASURED:
            bounds.append(_bounds(when, name, node))
        elif name in ENUMERATED:
            words.append(read_words(when, name, node, tiers))
    return tuple(words), tuple(bounds)


def read_words(when: Section, name: str, node: Node, tiers: Collection[int]) -> Words:
    """The condition of the enumerated field `name`: one word, or a list of them.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    items = node.items if isinstance(node, Sequence) else (node,)
    known = VOCABULARY.get(name, tuple(tiers))
    found: list[Word] = []
    for item in items:
        value = item.value if isinstance(item, Scalar) else None
        if value is None or isinstance(value, Decimal) or not _one_of(value, known):
            hint = suggestion(str(value), map(_written, known)) if value is not None else ""
            when.defects.add(item.at, f"{name} is not compared with {str(value)[:40]!r}{hint}")
        elif value in found:
            when.defects.add(item.at, f"{name} names {value!r} twice")
        else:
            found.append(value)
    if not items:
        when.defects.add(node.at, f"{name} names no word")
    return Words(field=name, words=tuple(found))


def _written(word: Word) -> str:
    return str(word).lower() if isinstance(word, bool) else str(word)


def _one_of(value: Word, known: tuple[Word, ...]) -> bool:
    return any(type(value) is type(word) and value == word for word in known)


def _bounds(when: Section, name: str, node: Node) -> Bounds:
    field = MEASURED[name]
    if not isinstance(node, Mapping) or not node.entries:
        text = f"{name} is compared with {', '.join(_COMPARISONS)}, as in {{above: ...}}"
        when.defects.add(node.at, text)
        return Bounds(field=field)
    low, high = -FOREVER, FOREVER
    compared = Section(node, name, when.defects, _COMPARISONS)
    for word, at in compared.names():
        value = _measure(when, name, node.entries[word][1])
        if word in {"above", "at_least"}:
            if low > -FOREVER:
                when.defects.add(at, f"{name} has two lower bounds")
            low = max(low, value + (word == "above"))
        elif word in {"below", "at_most"}:
            if high < FOREVER:
                when.defects.add(at, f"{name} has two upper bounds")
            high = min(high, value - (word == "below"))
    if low > high:
        when.defects.add(node.at, f"{name} can never lie between these bounds; write two rows")
    return Bounds(field=field, low=low, high=high)


def _measure(when: Section, name: str, node: Node) -> int:
    value = node.value if isinstance(node, Scalar) else None
    if name.endswith("_age"):
        length = duration_ms(value) if isinstance(value, str) else None
        if length is not None:
            return length
        form = "an ISO 8601 duration such as PT24H"
    elif name == "time_of_day":
        time = _TIME.match(value) if isinstance(value, str) else None
        if time is not None:
            return int(time.group(1)) * 60 + int(time.group(2))
        form = "a time such as 22:30"
    else:
        if type(value) is int and 0 <= value < FOREVER:
            return value
        form = "an integer; amounts are in minor units"
    when.defects.add(node.at, f"{name} is compared with {form}")
    return 0
