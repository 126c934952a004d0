"""The page of everything that a phone without our software shows, for people who speak a language.

    menu pages, what a SIM shows, messages, reasons, lines of the protection card
    -> each in every language, with its longest length of what there is room for

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6; 3GPP TS 23.038, 6.2.1
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from string import Formatter
from typing import Final, TypeVar

from tallystick.application.channels.texts import TEXTS, Text
from tallystick.application.education import protection
from tallystick.application.education.texts import LINES
from tallystick.application.education.texts.words import Plain
from tallystick.application.notices.texts import WORDS
from tallystick.application.notices.texts.reasons import MOST_PLACES, REASONS
from tallystick.application.notices.texts.words import Said
from tallystick.entry.setup import demo_policy
from tallystick.kernel.money import Money
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.policy.facts import Channel
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Aspect
from tallystick.protocol.gsm7 import SMS_PLACES, USSD_PLACES, places, to_gsm7
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.toolkit import ORDERS, TEXT_PLACES

_HEAD = """# Menus, messages and their words

<!-- Written by `python dev.py docs` from application/channels/texts, application/notices/texts and
application/education; change the words there. -->

Everything that a customer reads who has no app, in the three languages, so that people whose first
language it is can review it. The French and Swahili words were not yet reviewed so. A field in
braces is filled when the page is shown; *places* are those of the GSM alphabet that a page takes
with the longest value in each field. A line break is shown as `/`. How pages follow one another is
told in [channels](../protocol/channels.md). Not here: reasons of the policy, in the policy's own
language.

Who reviews looks for three things: that it says the same as the English text, that somebody who
reads little understands it at once, and that nothing sounds like a threat or an offer. The small
letters c with cedilla and those with a circumflex are not in the alphabet.
"""
Key = TypeVar("Key", bound=StrEnum)

_SHOWN_ON_SIM: Final = frozenset({Text.SIM_BOUND, Text.SIM_DONE, Text.SIM_CANCELLED})
_AMOUNT = str(Money(2**53 - 1, "KES"))
_LONGEST: Final[Mapping[str, str]] = {
    "provider": "W" * 24,
    "amount": _AMOUNT,
    "fee": _AMOUNT,
    "name": "W" * 30,
    "person": "W" * 20 + " ***001",
    "code": "9" * 16 + "-123456",
    "receipt": "9" * 9 + "-123456",
    "currency": "KES",
    "least": "12",
    "most": "12",
    "at": "2026-01-01 00:00",
    "minutes": "9999",
    "hours": "720",
}
_IN_MESSAGES: Final[Mapping[str, str]] = {
    "amount": str(Money(10**12, "KES")),
    "fee": str(Money(10**12, "KES")),
    "code": "0000-0000",
}
_IN_ORDERS: Final[Mapping[str, str]] = {
    "amount": str(Money(10**7, "KES")),
    "fee": str(Money(10**5, "KES")),
    "name": "W" * 20,
}
_IN_ORDER_CODE: Final[Mapping[str, str]] = {
    "code": "123 456",
    "person": "W" * 20,
    "minutes": "99",
}
"""What is shorter in messages, in an order that a SIM shows, and in the code of an order."""

_HEADLINES: Final = {
    Aspect.LIMITS: "limits",
    Aspect.WAITS: "waiting times",
    Aspect.LOST: "a lost phone",
    Aspect.NEVER: "what we never ask",
}


def menus_page() -> str:
    """The page, as Markdown.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    menu = [text for text in Text if text not in _SHOWN_ON_SIM]
    parts = (
        _section(f"## Pages of the menu ({USSD_PLACES} places)", menu, TEXTS, USSD_PLACES),
        _section(
            f"## What a SIM with our application shows ({TEXT_PLACES} places)",
            [text for text in Text if text in _SHOWN_ON_SIM],
            TEXTS,
            TEXT_PLACES,
        ),
        _section(
            f"## The order that a SIM shows and signs ({TEXT_PLACES} places, else English)",
            list(ORDERS[Language.ENGLISH]),
            ORDERS,
            TEXT_PLACES,
        ),
        _section(
            f"## Messages ({SMS_PLACES} places, with the provider's name and a colon before)",
            list(WORDS[Language.ENGLISH]),
            WORDS,
            SMS_PLACES,
            before=f"{'W' * 20}: ",
        ),
        _section(
            f"## Why a phone was stopped ({MOST_PLACES} places, within a message)",
            list(REASONS[Language.ENGLISH]),
            REASONS,
            MOST_PLACES,
        ),
        _section("## Lines and parts of what protects a customer", list(Plain), LINES, 0),
        _example(),
    )
    return _HEAD + "".join(f"\n{line}" for part in parts for line in part) + "\n"


def longest(said: str, texts: Mapping[str, str]) -> int:
    """The places that `said` takes with the longest value in each field; `texts` are some more.

    Source: 3GPP TS 23.038, 6.2.1
    """
    fields = {name for _, name, _, _ in Formatter().parse(said) if name is not None}
    return places(said.format(**{name: {**_LONGEST, **texts}[name] for name in fields}))


def _section(
    title: str,
    keys: list[Key],
    tables: Mapping[Language, Mapping[Key, str]],
    most: int,
    before: str = "",
) -> Iterator[str]:
    yield from (title, "")
    for key in keys:
        yield f"### {key.name.lower().replace('_', '-')}"
        yield ""
        yield "| language | places | words |"
        yield "|---|---|---|"
        for language in Language:
            said = tables[language][key]
            told = ""
            if most:
                told = str(len(before) + longest(said, _values(key, language)))
            yield f"| {language.value} | {told} | {_cell(said)} |"
        yield ""


def _values(key: StrEnum, language: Language) -> dict[str, str]:
    """The longest words that may be filled into others, and what is shorter for `key`."""
    stages = (Text.ACCEPTED, Text.SETTLED, Text.REFUSED, Text.UNKNOWN, Text.RETURNED)
    shorter = _IN_MESSAGES if isinstance(key, Said) else {}
    if isinstance(key, PaymentKind):
        shorter = _IN_ORDERS
    if key is Said.ORDER_CODE:
        shorter = {**shorter, **_IN_ORDER_CODE}
    return {
        **shorter,
        "stage": max((TEXTS[language][one] for one in stages), key=len),
        "because": max(REASONS[language].values(), key=len),
    }


def _example() -> Iterator[str]:
    """What somebody of tier 1 who dials reads under the policy of the demonstration."""
    policy = compile_policy(read_policy(demo_policy()))
    yield "## What protects a customer of tier 1 who dials, under the demonstration's policy"
    yield ""
    for language in Language:
        told = protection(policy, 1, Channel.USSD.value, language)
        yield f"### {language.value}"
        yield ""
        for aspect in Aspect:
            yield from _lines(_HEADLINES[aspect], (to_gsm7(line) for line in told[aspect]))
        yield ""


def _lines(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"- {title}"
    for line in lines:
        yield f"    - {_cell(line)}"


def _cell(said: str) -> str:
    return said.replace("|", "\\|").replace("\n", " / ")
