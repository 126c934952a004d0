"""The alphabet of SMS and USSD, and names made safe to stand in such a text.

A text message has 160 places and a menu page 182; a character of the extension table takes two. One
character outside both tables would turn the whole message into UCS-2 with less than half the room.

Source: ISO/TS 12812-2:2017, 7.3.4; 3GPP TS 23.038, 6.2.1
"""

import re
import unicodedata

from tallystick.kernel.errors import Malformed

SMS_PLACES = 160
USSD_PLACES = 182

_ESCAPE = 0x1B
_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = dict(
    zip("^{}\\[~]|€\f", (0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65, 0x0A), strict=True)
)
_BASIC = frozenset(_TABLE) - {"\x1b"}
_EXTENSION = frozenset(_EXTENDED)
_CODES = {character: code for code, character in enumerate(_TABLE) if code != _ESCAPE}
_CHARACTERS = dict(enumerate(_TABLE))
_EXTENDED_CHARACTERS = {code: character for character, code in _EXTENDED.items()}

_NOT_OF_A_NAME = re.compile(r"[^A-Za-zÀ-ÿ' .-]+")
_DOT_INSIDE = re.compile(r"\.(?=\S)")


def places(text: str) -> int:
    """How many places of a text message `text` takes.

    Raises Malformed for a character that the alphabet does not have.
    Source: 3GPP TS 23.038, 6.2.1
    """
    count = 0
    for character in text:
        if character in _BASIC:
            count += 1
        elif character in _EXTENSION:
            count += 2
        else:
            raise Malformed("a text for SMS or USSD has a character outside the GSM alphabet")
    return count


def gsm7_octets(text: str) -> bytes:
    """`text` in the GSM alphabet, one septet in each octet; an extended character takes two.

    Raises Malformed for a character that the alphabet does not have.
    Source: 3GPP TS 23.038, 6.2.1
    """
    octets = bytearray()
    for character in text:
        if character in _CODES:
            octets.append(_CODES[character])
        elif character in _EXTENDED:
            octets += bytes((_ESCAPE, _EXTENDED[character]))
        else:
            raise Malformed("a text for SMS or USSD has a character outside the GSM alphabet")
    return bytes(octets)


def gsm7_text(octets: bytes) -> str:
    """The text of `octets`, one septet of the GSM alphabet in each.

    Raises Malformed, without repeating any of it, for what is not in the alphabet.
    Source: 3GPP TS 23.038, 6.2.1
    """
    found: list[str] = []
    table = _CHARACTERS
    for octet in octets:
        if octet == _ESCAPE and table is _CHARACTERS:
            table = _EXTENDED_CHARACTERS
            continue
        if octet not in table or octet == _ESCAPE:
            raise Malformed("a text from SMS or USSD is not in the GSM alphabet")
        found.append(table[octet])
        table = _CHARACTERS
    return "".join(found)


def to_gsm7(text: str) -> str:
    """`text` with every foreign character replaced: by its letter without marks, else by `?`.

    Source: 3GPP TS 23.038, 6.2.1
    """
    return "".join(_nearest(character) for character in text)


def _nearest(character: str) -> str:
    if character in _BASIC or character in _EXTENSION:
        return character
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if plain in _BASIC else "?"


def plain_name(name: str, most: int) -> str:
    """A person's name as it may stand in a text: letters, at most `most` places, nothing to tap on.

    Digits, line breaks, slashes and dots inside a word are dropped, so that a name can neither
    carry a link nor pretend to be another line of the message.
    Source: ISO/TS 12812-2:2017, 7.3.4; 7.3.6
    """
    letters = "".join(_nearest(one) for one in name)
    kept = _DOT_INSIDE.sub(" ", _NOT_OF_A_NAME.sub(" ", letters))
    return " ".join(kept.split())[:most].strip() or "?"


def masked_number(number: str) -> str:
    """A telephone or till number with all but its last three digits hidden.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    digits = "".join(one for one in number if one in "0123456789")
    return f"***{digits[-3:]}" if len(digits) > 3 else "***"
