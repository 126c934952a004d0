"""Optional blocks of a key block's header: what each may hold, read and written.

Source: X9.143, 7; TR-31
"""

import re
from typing import Final

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

MOST_BLOCKS: Final = 99
_LONGEST = 9_000
_HEX: Final = frozenset("0123456789ABCDEFabcdef")
_PRINTABLE: Final = re.compile(r"[ -~]*\Z")
_ID: Final = re.compile(r"(?:[A-Z]{2}|[1-9][0-9])\Z")

_FORMS: Final[dict[str, re.Pattern[str]]] = {
    "AL": re.compile(r"01A[ESV]?\Z|01[A-Z]\Z"),
    "BI": re.compile(r"0[01](?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{10})\Z"),
    "CT": re.compile(r"0[0-2][0-9A-Za-z+/=]*\Z"),
    "DA": re.compile(r"01(?:[A-Z][0-9A-Z][A-Z0-9][A-Z]E?)*[ -~]*\Z"),
    "ET": re.compile(r"[ -~]+\Z"),
    "HM": re.compile(r"[0-9A-F]{2}\Z"),
    "IK": re.compile(r"[0-9A-Fa-f]{16}\Z"),
    "KC": re.compile(r"0[01][0-9A-Fa-f]{4,10}\Z"),
    "KP": re.compile(r"0[01][0-9A-Fa-f]{4,10}\Z"),
    "KS": re.compile(r"(?:[0-9A-Fa-f]{2}){5,12}\Z"),
    "KV": re.compile(r"[0-9A-Za-z]{4}\Z"),
    "LB": re.compile(r"[ -~]+\Z"),
    "PB": re.compile(r"[ -~]*\Z"),
    "TC": re.compile(r"[0-9]{8,14}Z?\Z|[0-9T:. -]{10,32}Z?\Z"),
    "TS": re.compile(r"[0-9]{14}Z\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}Z?\Z"),
}
"""The form of each block that is known by name; other names hold what can be printed."""


class OptionalBlock(Record, frozen=True, kw_only=True):
    """One block: its two-character name and its text.

    Source: X9.143, 7
    """

    name: str
    text: str


def check_block(block: OptionalBlock) -> None:
    """Return only if the text has the form that its name asks for; raises Malformed otherwise.

    Source: X9.143, 7
    """
    if not _ID.match(block.name):
        raise Malformed("the name of an optional block has two letters or two digits")
    form = _FORMS.get(block.name, _PRINTABLE)
    if len(block.text) > _LONGEST or not form.match(block.text):
        raise Malformed(f"the optional block {block.name} does not have its form")


def read_blocks(text: str, count: int) -> tuple[tuple[OptionalBlock, ...], int]:
    """The first `count` blocks of `text` and where they end.

    Raises Malformed for a block of another form, a name twice, or padding that is not last.
    Source: X9.143, 7
    """
    found: list[OptionalBlock] = []
    at = 0
    for _ in range(count):
        block, at = _read_one(text, at)
        check_block(block)
        found.append(block)
    names = [one.name for one in found]
    if len(set(names)) != len(names) or "PB" in names[:-1]:
        raise Malformed("an optional block stands twice, or padding is not the last")
    return tuple(found), at


def write_blocks(blocks: tuple[OptionalBlock, ...], width: int) -> tuple[str, int]:
    """The text of `blocks` with padding up to a multiple of `width`, and how many blocks it has.

    Source: X9.143, 7
    """
    names = [one.name for one in blocks]
    if len(set(names)) != len(names) or "PB" in names:
        raise Malformed("an optional block is given twice, or padding is given")
    for one in blocks:
        check_block(one)
    text = "".join(_write_one(one) for one in blocks)
    if not text or len(text) % width == 0:
        return text, len(blocks)
    room = -(len(text) + 4) % width
    return text + _write_one(OptionalBlock(name="PB", text="0" * room)), len(blocks) + 1


def _write_one(block: OptionalBlock) -> str:
    length = len(block.text) + 4
    if length <= 0xFF:
        return f"{block.name}{length:02X}{block.text}"
    return f"{block.name}0004{length + 6:04X}{block.text}"


def _read_one(text: str, at: int) -> tuple[OptionalBlock, int]:
    name, length, head = text[at : at + 2], _number(text[at + 2 : at + 4], 2), 4
    if length == 0:
        width = _number(text[at + 4 : at + 6], 2)
        if not 2 <= width <= 4:
            raise Malformed("an optional block has a length out of range")
        length, head = _number(text[at + 6 : at + 6 + width], width), 6 + width
    end = at + length
    if length < head or end > len(text):
        raise Malformed("an optional block is longer than its key block")
    return OptionalBlock(name=name, text=text[at + head : end]), end


def _number(text: str, digits: int) -> int:
    if len(text) != digits or not _HEX.issuperset(text):
        raise Malformed("the length of an optional block is not hexadecimal")
    return int(text, 16)
