"""Reads structured fields strictly; stricter than the standard where it lets a reader choose.

A name that comes twice in a dictionary or among parameters is refused (the standard lets the last
win), so is base64 without padding or with loose bits. So no two spellings that other readers take
for different things are one thing here.

Source: RFC 9651, 4.2
"""

import binascii
import re
from collections.abc import Callable
from decimal import Decimal

from tallystick.infrastructure.httpsig.fields import (
    Bare,
    Date,
    DisplayText,
    InnerList,
    Item,
    Member,
    Parameters,
    Symbol,
)
from tallystick.kernel.errors import Malformed

MAX_CHARACTERS = 16 * 1024

_NAME = re.compile(r"[a-z*][a-z0-9_.*-]*")
_NUMBER = re.compile(r"-?([0-9]{1,15})(?:\.([0-9]{1,3}))?(?![0-9.])")
_TEXT = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_SYMBOL = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_OCTETS = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_BOOLEAN = re.compile(r"\?([01])")
_DATE = re.compile(r"@(-?[0-9]{1,15})(?![0-9.])")
_DISPLAY = re.compile(r'%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"')
_ESCAPED = re.compile(r'\\(["\\])')
_HEXADECIMAL = re.compile(rb"%([0-9a-f]{2})")
_COMMA = re.compile(r"[ \t]*,[ \t]*(?=.)")


def read_item(text: str) -> Item:
    """The item that a field is.

    Raises Malformed.
    Source: RFC 9651, 4.2.3
    """
    reader = _Reader(text)
    found = reader.item()
    reader.end()
    return found


def read_list(text: str) -> tuple[Member, ...]:
    """The members of a field that is a list; an empty field is an empty list.

    Raises Malformed.
    Source: RFC 9651, 4.2.1
    """
    reader = _Reader(text)
    found: list[Member] = []
    while not reader.at_end():
        found.append(reader.member())
        if not reader.comma():
            break
    reader.end()
    return tuple(found)


def read_dictionary(text: str) -> dict[str, Member]:
    """The members of a field that is a dictionary, by name and in order.

    Raises Malformed, also for a name that comes twice.
    Source: RFC 9651, 4.2.2
    """
    reader = _Reader(text)
    found: dict[str, Member] = {}
    while not reader.at_end():
        name = reader.name()
        if name in found:
            raise Malformed(f"the field has {name} twice")
        if reader.skip("="):
            found[name] = reader.member()
        else:
            found[name] = Item(value=True, parameters=reader.parameters())
        if not reader.comma():
            break
    reader.end()
    return found


class _Reader:
    """A place in the text of one field."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise Malformed(f"a field has at most {MAX_CHARACTERS} characters")
        if not text.isascii():
            raise Malformed("a structured field is ASCII")
        self._text = text.strip(" ")
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._text)

    def end(self) -> None:
        if not self.at_end():
            raise Malformed("a structured field has something behind its end")

    def skip(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) * found
        return found

    def comma(self) -> bool:
        """Pass a comma between two members; one at the end of the field is refused."""
        return self._match(_COMMA) is not None

    def name(self) -> str:
        match = self._match(_NAME)
        if match is None:
            raise Malformed("a structured field has a name that is none")
        return match.group()

    def member(self) -> Member:
        if not self.skip("("):
            return self.item()
        items: list[Item] = []
        while True:
            self._spaces()
            if self.skip(")"):
                return InnerList(tuple(items), self.parameters())
            items.append(self.item())
            if not self._text.startswith((" ", ")"), self._at):
                raise Malformed("the items of an inner list have spaces between")

    def item(self) -> Item:
        value = self._bare()
        return Item(value, self.parameters())

    def parameters(self) -> Parameters:
        found: dict[str, Bare] = {}
        while self.skip(";"):
            self._spaces()
            name = self.name()
            if name in found:
                raise Malformed(f"the parameter {name} comes twice")
            found[name] = self._bare() if self.skip("=") else True
        return tuple(found.items())

    def _bare(self) -> Bare:
        for form, read in _FORMS:
            match = self._match(form)
            if match is not None:
                return read(match)
        raise Malformed("a structured field has a value that is none")

    def _spaces(self) -> None:
        while self.skip(" "):
            pass

    def _match(self, form: re.Pattern[str]) -> re.Match[str] | None:
        match = form.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match


def _number(match: re.Match[str]) -> Bare:
    whole, fraction = match.groups()
    if fraction is None:
        return int(match.group())
    if len(whole) > 12:
        raise Malformed("a decimal of a field has at most 12 digits before the point")
    return Decimal(match.group())


def _text(match: re.Match[str]) -> Bare:
    return _ESCAPED.sub(r"\1", match.group(1))


def _octets(match: re.Match[str]) -> Bare:
    given = match.group(1)
    try:
        octets = binascii.a2b_base64(given, strict_mode=True)
    except binascii.Error as error:
        raise Malformed("octets of a field are not base64") from error
    if binascii.b2a_base64(octets, newline=False).decode() != given:
        raise Malformed("octets of a field are not canonical base64")
    return octets


def _display(match: re.Match[str]) -> Bare:
    octets = _HEXADECIMAL.sub(lambda one: bytes((int(one.group(1), 16),)), match.group(1).encode())
    try:
        return DisplayText(octets.decode())
    except UnicodeDecodeError as error:
        raise Malformed("a text for people is not UTF-8") from error


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Bare]], ...] = (
    (_TEXT, _text),
    (_OCTETS, _octets),
    (_NUMBER, _number),
    (_BOOLEAN, lambda match: match.group(1) == "1"),
    (_DATE, lambda match: Date(int(match.group(1)))),
    (_DISPLAY, _display),
    (_SYMBOL, lambda match: Symbol(match.group())),
)
