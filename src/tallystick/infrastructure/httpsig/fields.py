"""Structured fields of HTTP: what the values of a field can be, and one strict spelling of each.

    item        value;parameter=value
    inner list  (item item);parameter=value
    list        member, member
    dictionary  name=member, name=member

Source: RFC 9651, 3; 4.1
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.kernel.errors import Malformed


@dataclass(frozen=True, slots=True)
class Symbol:
    """A word without quotes, such as `application/json`.

    Source: RFC 9651, 3.3.4
    """

    text: str


@dataclass(frozen=True, slots=True)
class Date:
    """A moment in whole seconds since 1970, written `@SECONDS`.

    Source: RFC 9651, 3.3.7
    """

    seconds: int


@dataclass(frozen=True, slots=True)
class DisplayText:
    """Text for people in any script, written `%"..."`.

    Source: RFC 9651, 3.3.8
    """

    text: str


Bare = bool | int | Decimal | str | Symbol | bytes | Date | DisplayText
Parameters = tuple[tuple[str, Bare], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One value with its parameters, each name once and in the order of the field.

    Source: RFC 9651, 3.3
    """

    value: Bare
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class InnerList:
    """Items in parentheses with parameters of their own.

    Source: RFC 9651, 3.1.1
    """

    items: tuple[Item, ...]
    parameters: Parameters = ()


Member = Item | InnerList


def write_member(member: Member) -> str:
    """The one spelling of `member`.

    Raises Malformed for what no field can hold.
    Source: RFC 9651, 4.1.1.1; 4.1.3
    """
    if isinstance(member, InnerList):
        inside = " ".join(write_member(item) for item in member.items)
        return f"({inside}){write_parameters(member.parameters)}"
    return write_bare(member.value) + write_parameters(member.parameters)


def write_parameters(parameters: Parameters) -> str:
    """The parameters behind a value; one that is true has its name alone.

    Source: RFC 9651, 4.1.1.2
    """
    return "".join(
        f";{name}" if value is True else f";{name}={write_bare(value)}"
        for name, value in parameters
    )


def write_list(members: Iterable[Member]) -> str:
    """The one spelling of a list.

    Source: RFC 9651, 4.1.1
    """
    return ", ".join(write_member(member) for member in members)


def write_dictionary(members: Mapping[str, Member]) -> str:
    """The one spelling of a dictionary, in its own order.

    Source: RFC 9651, 4.1.2
    """
    return ", ".join(
        name + write_parameters(member.parameters)
        if isinstance(member, Item) and member.value is True
        else f"{name}={write_member(member)}"
        for name, member in members.items()
    )


def write_bare(value: Bare) -> str:
    """The one spelling of a value without parameters.

    Raises Malformed for a number out of range or text that is not printable ASCII.
    Source: RFC 9651, 4.1.3.1 to 4.1.11
    """
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        if not value.isascii() or not value.isprintable():
            raise Malformed("a text of a field is printable ASCII")
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return f":{binascii.b2a_base64(value, newline=False).decode()}:"
    return _rarer(value)


def _rarer(value: Decimal | Symbol | Date | DisplayText) -> str:
    if isinstance(value, Symbol):
        return value.text
    if isinstance(value, Date):
        return "@" + _integer(value.seconds)
    if isinstance(value, DisplayText):
        octets = value.text.encode()
        return '%"' + "".join(map(_shown, octets)) + '"'
    rounded = value.quantize(Decimal("0.001"))
    whole, _, fraction = f"{rounded:f}".partition(".")
    if len(whole.lstrip("-")) > 12:
        raise Malformed("a decimal of a field has at most 12 digits before the point")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def _integer(value: int) -> str:
    if not -(10**15) < value < 10**15:
        raise Malformed("an integer of a field has at most 15 digits")
    return str(value)


def _shown(octet: int) -> str:
    plain = 0x20 <= octet <= 0x7E and octet not in b'%"'
    return chr(octet) if plain else f"%{octet:02x}"
