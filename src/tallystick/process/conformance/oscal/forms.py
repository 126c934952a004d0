"""Reads the table of shapes, and says whether a value has the form that a member asks for.

Source: OSCAL 1.2.1
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from tallystick.kernel.errors import Broken
from tallystick.process.conformance.oscal.shapes import SHAPES

_MEMBER: Final = re.compile(
    r"(?P<name>[a-z-]+)(?P<required>!?) "
    r"(?:\{(?P<words>[^}]*)\}|(?P<form>[A-Za-z]+))(?P<many>(?:\[\])?)"
)
_NAME: Final = r"(?:[^\W\d]|_)[\w.\-]*"
_DAY: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"

FORMS: Final = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "token": _NAME,
    "control": _NAME,
    "catalogued": _NAME,
    "statement": _NAME,
    "part": _NAME,
    "line": r"[^\s](?:[^\n]*[^\s])?",
    "string": r"[^\s](?:[^\n]*[^\s])?",
    "text": r"(?s:[^\s].*)",
    "when": rf"{_DAY}T{_TIME}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})",
    "href": r"#?[^\s#]+",
    "uri": r"[a-zA-Z][a-zA-Z0-9+.-]+:[^\s]+",
    "hex": r"(?:[0-9a-f]{2}){28,64}",
}
"""What texts of each form look like, from their first to their last character."""

_COMPILED: Final = {
    name: re.compile(text) for name, text in (FORMS | {"ref": FORMS["uuid"]}).items()
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: whether it must be there, whether it is an array, and its form.

    `words` is its vocabulary, empty where it has none.
    Source: OSCAL 1.2.1
    """

    required: bool
    many: bool
    form: str
    words: tuple[str, ...]


@cache
def members_of(shape: str) -> dict[str, Member]:
    """The members of the object called `shape` in the table.

    Raises Broken for a table that cannot be read.
    Source: OSCAL 1.2.1
    """
    text = SHAPES[shape]
    found = {
        match["name"]: Member(
            required=bool(match["required"]),
            many=bool(match["many"]),
            form=match["form"] or "word",
            words=tuple((match["words"] or "").split()),
        )
        for match in _MEMBER.finditer(text)
    }
    unknown = [
        one.form
        for one in found.values()
        if one.form not in _COMPILED
        and one.form not in SHAPES
        and one.form not in {"word", "flag", "positive"}
    ]
    if len(found) != len([one for one in text.split(",") if one.strip()]) or unknown:
        raise Broken(f"the shape {shape} cannot be read")
    return found


def is_form(value: object, member: Member) -> bool:
    """Whether `value` is what `member` asks for; objects are not judged here.

    Source: OSCAL 1.2.1
    """
    if member.form == "flag":
        return isinstance(value, bool)
    if member.form == "positive":
        return type(value) is int and value > 0
    if not isinstance(value, str):
        return False
    if member.words:
        return value in member.words
    return _COMPILED[member.form].fullmatch(value) is not None
