"""Reads what every part of a programme has: ids that are slugs, words out of a closed list.

Source: ISO/TS 12812-2:2017, 6.1
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, TypeVar

from tallystick.process.programme.model import Certificate
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import Section
from tallystick.process.yamltext.tree import Scalar

SLUG: Final = r"^[a-z][a-z0-9-]{1,60}$"
_NAMED: Final = (
    "jurisdictions",
    "parties",
    "organisation",
    "devices",
    "secure_envs",
    "zones",
    "nodes",
    "assets",
    "flows",
    "actors",
)
_CERTIFICATE: Final = ("id", "scheme", "level", "van", "protection_profile", "valid_to")

W = TypeVar("W", bound=StrEnum)
G = TypeVar("G", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class Named:
    """The ids that a text declares, by section; what names one of them is resolved with it.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    ids: dict[str, tuple[str, ...]]

    def of(self, section: str) -> tuple[str, ...]:
        """The ids of `section`, in the order of the text.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.ids[section]


def declared(root: Section) -> Named:
    """The ids in every section of the text that has them.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    ids: dict[str, tuple[str, ...]] = {}
    for word in _NAMED:
        found = root.section(word).names() if word in root else ()
        ids[word] = tuple(name for name, _ in found)
    return Named(ids)


def entries(
    root: Section, word: str, words: Iterable[str]
) -> Iterator[tuple[str, Section, Position]]:
    """Each id under `word` with its mapping, whose keys are `words`, and where the id stands.

    Notes a defect for an id that is no slug and for a section without any.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    found = root.section(word)
    known, empty = tuple(words), True
    for name, at in found.names():
        empty = False
        if not re.match(SLUG, name):
            text = f"an id is small letters, digits and -, as in sim-2, not {name[:40]!r}"
            root.defects.add(at, text)
        yield name, found.section(name, known), at
    if empty and word in root:
        root.defects.add(root.position(word), f"{word} has no entry")


def choice_of(section: Section, word: str, kind: type[W], default: W | None = None) -> W:
    """The one of `kind` under `word`; `default` where it may be missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if default is not None and word not in section:
        return default
    chosen = section.choice(word, tuple(one.value for one in kind))
    return kind(chosen) if chosen else next(iter(kind))


def choices_of(section: Section, word: str, kind: type[W]) -> tuple[W, ...]:
    """The list of `kind` under `word`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    known = tuple(one.value for one in kind)
    return tuple(kind(one) for one in section.choices(word, known))


def grade_of(section: Section, word: str, kind: type[G]) -> G:
    """The grade under `word`, whose word is its name in small letters.

    Source: ISO/TS 12812-2:2017, A
    """
    known = {spelt(one): one for one in kind}
    chosen = section.choice(word, tuple(known))
    return known[chosen] if chosen else next(iter(kind))


def spelt(grade: IntEnum) -> str:
    """The word of a grade, as texts spell it.

    Source: ISO/TS 12812-2:2017, A
    """
    return grade.name.lower().replace("_", "-")


def optional(section: Section, word: str, known: Iterable[str]) -> str:
    """The one of `known` under `word`, empty where it is missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return section.choice(word, known) if word in section else ""


def listed(section: Section, word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The list out of `known` under `word`, empty where it is missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return section.choices(word, known) if word in section else ()


def slugs(section: Section, word: str) -> tuple[str, ...]:
    """The list of slugs under `word`, none twice, empty where it is missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    found: list[str] = []
    for item in section.items(word) if word in section else ():
        value = item.value if isinstance(item, Scalar) else None
        if not isinstance(value, str) or not re.match(SLUG, value):
            section.defects.add(item.at, f"{section.trail} {word} is a list of words such as sim-2")
        elif value in found:
            section.defects.add(item.at, f"{section.trail} {word} names {value!r} twice")
        else:
            found.append(value)
    return tuple(found)


def plain(section: Section, word: str, most: int = 80) -> str:
    """The words or number under `word` as text, empty where it is missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if word not in section:
        return ""
    value, at = section.scalar(word)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if value is not None and not 0 < len(text) <= most:
        section.defects.add(at, f"{section.trail} {word} is 1 to {most} characters")
    return text


def flag(section: Section, word: str, *, default: bool | None = None) -> bool:
    """The yes or no under `word`; `default` where it may be missing.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if default is not None and word not in section:
        return default
    value, at = section.scalar(word)
    if value is not None and not isinstance(value, bool):
        section.defects.add(at, f"{section.trail} {word} is true or false")
    return value is True


def length_of(section: Section, word: str, low: int = 1) -> int:
    """The length of time under `word` in ms; 0 where it is missing.

    Source: ISO 8601-1, 5.5.2.4
    """
    return section.duration(word, low) if word in section else 0


def certificates(section: Section) -> tuple[Certificate, ...]:
    """The evaluations under `certificates`.

    Source: ISO/TS 12812-2:2017, 9.2
    """
    if "certificates" not in section:
        return ()
    return tuple(
        Certificate(
            id=plain(one, "id") if "id" in one else one.text("id"),
            scheme=one.text("scheme", SLUG, "a word such as fips140-3"),
            level=plain(one, "level"),
            van=plain(one, "van"),
            protection_profile=plain(one, "protection_profile"),
            valid_to=day(one, "valid_to"),
        )
        for one in section.sections("certificates", _CERTIFICATE)
    )
