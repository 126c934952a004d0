"""Why a phone was stopped, in each language; what an operator wrote is not translated.

A table that lacks a reason, is too long for a message or has a character outside the GSM alphabet
does not load.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.devices import Reason
from tallystick.kernel.errors import Broken
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import places

MOST_PLACES: Final = 40
"""How long a reason may be, so that the message around it fits."""

_ENGLISH: Final[Mapping[Reason, str]] = {
    Reason.COPIED: "a copy of it was used",
    Reason.SUSPENDED: "you stopped it yourself",
    Reason.RESUMED: "you let it act again",
    Reason.LOST: "you said that it is lost",
    Reason.STOLEN: "you said that it was stolen",
    Reason.GIVEN: "you give it away",
    Reason.GAVE: "you gave it away",
    Reason.REMOVED: "you removed it",
    Reason.DIALLED: "you blocked it by dialling",
    Reason.AGENT_LOST: "you told an agent that it is lost",
    Reason.AGENT_STOLEN: "you told an agent that it was stolen",
    Reason.REPLACED: "your account moved to another phone",
    Reason.UNLOCKING: "what unlocks it was changed",
    Reason.UNUSED: "it was not used for long",
    Reason.STAFF: "our staff stopped it",
}
_FRENCH: Final[Mapping[Reason, str]] = {
    Reason.COPIED: "une copie a servi",
    Reason.SUSPENDED: "vous l'avez suspendu",
    Reason.RESUMED: "vous l'avez remis en service",
    Reason.LOST: "vous l'avez dit perdu",
    Reason.STOLEN: "vous l'avez dit volé",
    Reason.GIVEN: "vous le donnez",
    Reason.GAVE: "vous l'avez donné",
    Reason.REMOVED: "vous l'avez retiré",
    Reason.DIALLED: "vous l'avez bloqué par le menu",
    Reason.AGENT_LOST: "dit perdu chez un agent",
    Reason.AGENT_STOLEN: "dit volé chez un agent",
    Reason.REPLACED: "votre compte est sur un autre mobile",
    Reason.UNLOCKING: "son déverrouillage a changé",
    Reason.UNUSED: "il n'a pas servi longtemps",
    Reason.STAFF: "notre personnel l'a suspendu",
}
_SWAHILI: Final[Mapping[Reason, str]] = {
    Reason.COPIED: "nakala yake imetumika",
    Reason.SUSPENDED: "umekisimamisha wewe",
    Reason.RESUMED: "umekiruhusu tena",
    Reason.LOST: "umesema kimepotea",
    Reason.STOLEN: "umesema kimeibwa",
    Reason.GIVEN: "unakitoa kwa mwingine",
    Reason.GAVE: "ulikitoa kwa mwingine",
    Reason.REMOVED: "umekiondoa",
    Reason.DIALLED: "umekifunga kwa menyu",
    Reason.AGENT_LOST: "wakala ameambiwa kimepotea",
    Reason.AGENT_STOLEN: "wakala ameambiwa kimeibwa",
    Reason.REPLACED: "akaunti imehamia simu nyingine",
    Reason.UNLOCKING: "kinachokifungua kimebadilishwa",
    Reason.UNUSED: "hakikutumika muda mrefu",
    Reason.STAFF: "wahudumu wetu wamekisimamisha",
}


def check_reasons(table: Mapping[Reason, str]) -> Mapping[Reason, str]:
    """`table`, if it has every reason, each short enough.

    Raises Broken, and Malformed for a character that a phone would not show.
    Source: ISO/TS 12812-2:2017, 7.3.6; 3GPP TS 23.038, 6.2.1
    """
    for reason in Reason:
        if not 0 < places(table.get(reason, "")) <= MOST_PLACES:
            raise Broken(f"the reason {reason.name} is missing or too long in a language")
    return table


REASONS: Final[Mapping[Language, Mapping[Reason, str]]] = {
    Language.ENGLISH: check_reasons(_ENGLISH),
    Language.FRENCH: check_reasons(_FRENCH),
    Language.SWAHILI: check_reasons(_SWAHILI),
}
"""Every reason in every language that messages speak."""


def reason_in(language: Language, because: str) -> str:
    """The kept reason `because` in `language`; an operator's own words are `Reason.STAFF`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return REASONS[language][reason_of(because) or Reason.STAFF]


def reason_of(because: str) -> Reason | None:
    """The reason that is kept as `because`, with or without more in brackets; None for other words.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    plain = because.partition(" (")[0]
    return next((one for one in Reason if one.value == plain), None)
