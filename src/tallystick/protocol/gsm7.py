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

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")

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
