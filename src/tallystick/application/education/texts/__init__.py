"""The words of the protection card, one table a language, in the alphabet of a phone that dials.

A table that lacks a line, has other fields than the English one, or has a character outside the GSM
alphabet does not load.

Source: ISO/TS 12812-2:2017, 7.3.6; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Mapping
from string import Formatter
from typing import Final

from tallystick.application.education.texts.words import Plain
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import places

_ENGLISH: Final[Mapping[Plain, str]] = {
    Plain.BALANCE: "Your account keeps at most {amount}.",
    Plain.ONCE: "One payment{when}: at most {amount}.",
    Plain.WITHIN: "Within {time}{when}: at most {amount}.",
    Plain.COUNT: "Within {time}{when}: at most {count} payments.",
    Plain.NOT_SO: "Not possible this way: {what}.",
    Plain.NEXT: "If all goes well, after {time} or more: {line}",
    Plain.MORE: "A payment{when} takes more than your PIN.",
    Plain.TERMS: "You pay once you accepted the terms, version {count}.",
    Plain.TRIES: "After {count} wrong PINs in a row you wait {time}, then ever longer.",
    Plain.BLOCKS: "After {count} such waits only our staff can help you.",
    Plain.HELD: "A payment{when} waits {time}. Until then you can say no.",
    Plain.REFUSED: "A payment{when} is refused.",
    Plain.RECOVERY: (
        "A recovery of your account takes at least {time}. Until then you can say no: our menu,"
        " 8, then 1."
    ),
    Plain.LOWERED: "While your account is recovered, and {time} after: at most {amount} at once.",
    Plain.AGENT: "Phone and SIM lost? Any agent helps from {opens} to {ends}. Bring your papers.",
    Plain.BLOCK: "To block our app on all your phones: our menu, 8, then 3, then your PIN.",
    Plain.TOLD: "We tell you of each block by message. Your money stays yours.",
    Plain.NEW_PAYEE: "to somebody new",
    Plain.KNOWN_PAYEE: "to somebody you paid before",
    Plain.UNPROVEN: "from a phone that proves no safe place of its keys",
    Plain.PROVEN: "from a phone that proves a safe place of its keys",
    Plain.UNSEEN: "while we cannot check all that we usually do",
    Plain.ABOVE: "above {amount}",
    Plain.UP_TO: "up to {amount}",
    Plain.DEVICE_NEW: "from a phone added less than {time} ago",
    Plain.DEVICE_OLD: "from a phone added {time} ago or more",
    Plain.ACCOUNT_NEW: "in the first {time} of your account",
    Plain.ACCOUNT_OLD: "after the first {time} of your account",
    Plain.SIM_NEW: "within {time} after your SIM changed",
    Plain.SIM_OLD: "{time} or more after your SIM changed",
    Plain.SESSION_NEW: "in the first {time} of a session",
    Plain.SESSION_OLD: "after the first {time} of a session",
    Plain.BEFORE: "before {clock}",
    Plain.FROM: "from {clock} on",
    Plain.FAILED: "after {count} wrong PINs",
    Plain.NOT_FAILED: "with at most {count} wrong PINs before",
    Plain.RISKY: "that looks like fraud",
    Plain.CALM: "that does not look like fraud",
    Plain.SEND: "sending",
    Plain.WITHDRAW: "withdrawing",
    Plain.MERCHANT: "paying a merchant",
    Plain.MINUTES: "{count} min",
    Plain.HOURS: "{count} h",
    Plain.DAYS: "{count} days",
}

_FRENCH: Final[Mapping[Plain, str]] = {
    Plain.BALANCE: "Votre compte garde au plus {amount}.",
    Plain.ONCE: "Un paiement{when}: au plus {amount}.",
    Plain.WITHIN: "En {time}{when}: au plus {amount}.",
    Plain.COUNT: "En {time}{when}: au plus {count} paiements.",
    Plain.NOT_SO: "Pas possible ainsi: {what}.",
    Plain.NEXT: "Si tout va bien, après {time} ou plus: {line}",
    Plain.MORE: "Un paiement{when} demande plus que votre PIN.",
    Plain.TERMS: "Vous payez une fois les conditions acceptées, version {count}.",
    Plain.TRIES: "Après {count} PIN faux de suite vous attendez {time}, puis toujours plus.",
    Plain.BLOCKS: "Après {count} attentes seul notre personnel peut vous aider.",
    Plain.HELD: "Un paiement{when} attend {time}. D'ici là vous pouvez dire non.",
    Plain.REFUSED: "Un paiement{when} est refusé.",
    Plain.RECOVERY: (
        "Une récupération du compte prend au moins {time}. D'ici là vous pouvez dire non: notre"
        " menu, 8, puis 1."
    ),
    Plain.LOWERED: "Pendant une récupération et {time} après: au plus {amount} à la fois.",
    Plain.AGENT: (
        "Mobile et SIM perdus? Tout agent vous aide de {opens} à {ends}. Prenez vos papiers."
    ),
    Plain.BLOCK: "Pour bloquer notre appli sur vos mobiles: notre menu, 8, puis 3, puis le PIN.",
    Plain.TOLD: "Chaque blocage vous est dit par message. Votre argent reste à vous.",
    Plain.NEW_PAYEE: "à quelqu'un de nouveau",
    Plain.KNOWN_PAYEE: "à quelqu'un que vous avez déjà payé",
    Plain.UNPROVEN: "d'un mobile qui ne prouve pas le lieu de ses clés",
    Plain.PROVEN: "d'un mobile qui prouve le lieu de ses clés",
    Plain.UNSEEN: "quand nous ne pouvons pas tout vérifier",
    Plain.ABOVE: "de plus de {amount}",
    Plain.UP_TO: "jusqu'à {amount}",
    Plain.DEVICE_NEW: "d'un mobile ajouté il y a moins de {time}",
    Plain.DEVICE_OLD: "d'un mobile ajouté il y a {time} ou plus",
    Plain.ACCOUNT_NEW: "dans les premiers {time} de votre compte",
    Plain.ACCOUNT_OLD: "après les premiers {time} de votre compte",
    Plain.SIM_NEW: "dans les {time} qui suivent un changement de SIM",
    Plain.SIM_OLD: "{time} ou plus après un changement de SIM",
    Plain.SESSION_NEW: "dans les premiers {time} d'une session",
    Plain.SESSION_OLD: "après les premiers {time} d'une session",
    Plain.BEFORE: "avant {clock}",
    Plain.FROM: "à partir de {clock}",
    Plain.FAILED: "après {count} PIN faux",
    Plain.NOT_FAILED: "avec au plus {count} PIN faux avant",
    Plain.RISKY: "qui ressemble à une fraude",
    Plain.CALM: "qui ne ressemble pas à une fraude",
    Plain.SEND: "envoyer",
    Plain.WITHDRAW: "retirer",
    Plain.MERCHANT: "payer un marchand",
    Plain.MINUTES: "{count} minutes",
    Plain.HOURS: "{count} heures",
    Plain.DAYS: "{count} jours",
}

_SWAHILI: Final[Mapping[Plain, str]] = {
    Plain.BALANCE: "Akaunti yako huweka si zaidi ya {amount}.",
    Plain.ONCE: "Malipo moja{when}: si zaidi ya {amount}.",
    Plain.WITHIN: "Ndani ya {time}{when}: si zaidi ya {amount}.",
    Plain.COUNT: "Ndani ya {time}{when}: malipo yasiyozidi {count}.",
    Plain.NOT_SO: "Haiwezekani kwa njia hii: {what}.",
    Plain.NEXT: "Mambo yakienda vizuri, baada ya {time} au zaidi: {line}",
    Plain.MORE: "Malipo{when} yanahitaji zaidi ya PIN yako.",
    Plain.TERMS: "Unalipa ukishakubali masharti, toleo {count}.",
    Plain.TRIES: "Ukikosea PIN mara {count} mfululizo unasubiri {time}, kisha zaidi.",
    Plain.BLOCKS: "Baada ya kusubiri mara {count}, wahudumu wetu tu wanaweza kukusaidia.",
    Plain.HELD: "Malipo{when} husubiri {time}. Hadi hapo unaweza kukataa.",
    Plain.REFUSED: "Malipo{when} hukataliwa.",
    Plain.RECOVERY: (
        "Kurejesha akaunti yako huchukua angalau {time}. Hadi hapo unaweza kukataa: menyu yetu,"
        " 8, kisha 1."
    ),
    Plain.LOWERED: "Wakati wa kurejesha na {time} baadaye: si zaidi ya {amount} kwa mara moja.",
    Plain.AGENT: (
        "Umepoteza simu na laini? Wakala yeyote anasaidia {opens} hadi {ends}. Leta vitambulisho."
    ),
    Plain.BLOCK: "Kufunga programu yetu kwenye simu zako: menyu yetu, 8, kisha 3, kisha PIN.",
    Plain.TOLD: "Tunakuambia kila kufungwa kwa ujumbe. Pesa zako ni zako.",
    Plain.NEW_PAYEE: "kwa mtu mpya",
    Plain.KNOWN_PAYEE: "kwa mtu uliyemlipa kabla",
    Plain.UNPROVEN: "kutoka simu isiyoonyesha usalama wa funguo zake",
    Plain.PROVEN: "kutoka simu inayoonyesha usalama wa funguo zake",
    Plain.UNSEEN: "wakati hatuwezi kuhakiki yote",
    Plain.ABOVE: "zaidi ya {amount}",
    Plain.UP_TO: "hadi {amount}",
    Plain.DEVICE_NEW: "kutoka simu iliyoongezwa kabla ya {time} kupita",
    Plain.DEVICE_OLD: "kutoka simu iliyoongezwa {time} au zaidi zilizopita",
    Plain.ACCOUNT_NEW: "katika {time} za kwanza za akaunti yako",
    Plain.ACCOUNT_OLD: "baada ya {time} za kwanza za akaunti yako",
    Plain.SIM_NEW: "ndani ya {time} baada ya laini yako kubadilishwa",
    Plain.SIM_OLD: "{time} au zaidi baada ya laini yako kubadilishwa",
    Plain.SESSION_NEW: "katika {time} za kwanza za kipindi",
    Plain.SESSION_OLD: "baada ya {time} za kwanza za kipindi",
    Plain.BEFORE: "kabla ya {clock}",
    Plain.FROM: "kuanzia {clock}",
    Plain.FAILED: "baada ya PIN {count} zilizokosewa",
    Plain.NOT_FAILED: "bila kukosea PIN zaidi ya mara {count}",
    Plain.RISKY: "yanayofanana na ulaghai",
    Plain.CALM: "yasiyofanana na ulaghai",
    Plain.SEND: "kutuma",
    Plain.WITHDRAW: "kutoa",
    Plain.MERCHANT: "kulipa duka",
    Plain.MINUTES: "dakika {count}",
    Plain.HOURS: "saa {count}",
    Plain.DAYS: "siku {count}",
}


def check_lines(table: Mapping[Plain, str]) -> Mapping[Plain, str]:
    """`table`, if it says everything that the English one says, with the same fields.

    Raises Broken for a line that is missing or has other fields, Malformed for a character that a
    phone would not show.
    Source: ISO/TS 12812-2:2017, 7.3.6; 3GPP TS 23.038, 6.2.1
    """
    for plain in Plain:
        said = table.get(plain)
        if said is None or _fields(said) != _fields(_ENGLISH[plain]):
            raise Broken(f"the line {plain} is missing or has other fields in a language")
        places("".join(literal for literal, _, _, _ in Formatter().parse(said)))
    return table


def _fields(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


LINES: Final[Mapping[Language, Mapping[Plain, str]]] = {
    Language.ENGLISH: check_lines(_ENGLISH),
    Language.FRENCH: check_lines(_FRENCH),
    Language.SWAHILI: check_lines(_SWAHILI),
}
"""Every language that the card speaks."""

_UNITS: Final = ((DAY_MS, 2, Plain.DAYS), (HOUR_MS, 2, Plain.HOURS), (MINUTE_MS, 1, Plain.MINUTES))
"""A unit, how many of it at least are told in it, and its word."""


def in_time(ms: int, says: Mapping[Plain, str]) -> str:
    """A duration in the largest unit that says it exactly; a part of a minute counts as a whole.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    minutes = max(1, -(-ms // MINUTE_MS)) * MINUTE_MS
    unit, _, word = next(
        one for one in _UNITS if minutes >= one[0] * one[1] and not minutes % one[0]
    )
    return says[word].format(count=minutes // unit)
