"""The words of the dialled menu, one table a language; another language is another table.

A table that lacks a page, has other fields than the English one, or has a character outside the GSM
alphabet does not load: the package cannot be built or served with it.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Mapping
from string import Formatter
from typing import Final

from tallystick.application.channels.texts.english import ENGLISH
from tallystick.application.channels.texts.french import FRENCH
from tallystick.application.channels.texts.swahili import SWAHILI
from tallystick.application.channels.texts.words import Text
from tallystick.kernel.errors import Broken
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import places

__all__ = ["ENGLISH", "FRENCH", "SWAHILI", "TEXTS", "Text", "check_table", "fields_of"]


def fields_of(text: str) -> frozenset[str]:
    """The names of the fields that `text` leaves open.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def check_table(table: Mapping[Text, str]) -> Mapping[Text, str]:
    """`table`, if it has every page, with the fields of the English one, in the GSM alphabet.

    Raises Broken for a page that is missing or has other fields, Malformed for a character that a
    phone would not show.
    Source: 3GPP TS 23.038, 6.2.1
    """
    for text in Text:
        said = table.get(text)
        if said is None or fields_of(said) != fields_of(ENGLISH[text]):
            raise Broken(f"the page {text} is missing or has other fields in a language")
        places("".join(literal for literal, _, _, _ in Formatter().parse(said)))
    return table


TEXTS: Final[Mapping[Language, Mapping[Text, str]]] = {
    Language.ENGLISH: check_table(ENGLISH),
    Language.FRENCH: check_table(FRENCH),
    Language.SWAHILI: check_table(SWAHILI),
}
"""Every language that the menu speaks."""
