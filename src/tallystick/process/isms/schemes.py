"""Schemes of evaluation on one scale, as data: what each level of each is worth.

The table is total (every level has a strength) and monotone (a stronger level never has a weaker
one); a table that is not is refused when it is read. A scheme or level that is not in it is worth
nothing, and that is said.

Source: ISO/TS 12812-2:2017, 9.4; ISO/IEC 18045, B.4
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType

from tallystick.kernel.errors import Broken, Malformed, MfsError
from tallystick.kernel.model import Record
from tallystick.process.programme.words import Strength
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import UNBOUNDED, Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes

WORDS: Mapping[str, Strength] = MappingProxyType(
    {one.name.lower().replace("_", "-"): one for one in Strength}
)
"""How a strength is written in texts."""

_SCHEME = ("title", "levels", "van", "ends", "note")
_ARRANGEMENT = ("title", "schemes", "members", "most", "with_profile")
_REMEDY = "correct the table of schemes"


class Scheme(Record, frozen=True, kw_only=True):
    """One scheme: its levels from the weakest on, each with the strength that it stands for.

    `van` says that a vulnerability analysis is named beside the level; `ends` is the instant (ms)
    from which the scheme counts for nothing.
    Source: ISO/TS 12812-2:2017, 9.4
    """

    id: str
    title: str
    levels: Mapping[str, Strength]
    van: bool
    ends: int
    note: str


class Arrangement(Record, frozen=True, kw_only=True):
    """Who recognises whose certificates (by country code), and to which strength at most.

    Source: ISO/TS 12812-2:2017, 9.4
    """

    id: str
    title: str
    schemes: tuple[str, ...]
    members: tuple[str, ...]
    most: Strength
    with_profile: Strength


class SchemeTable(Record, frozen=True, kw_only=True):
    """Every scheme and arrangement by its id, and the strengths of vulnerability analyses.

    Source: ISO/TS 12812-2:2017, 9.4
    """

    schemes: Mapping[str, Scheme]
    van: Mapping[str, Strength]
    arrangements: Mapping[str, Arrangement]

    def strength(self, scheme: str, level: str, van: str = "") -> Strength | None:
        """What an evaluation is worth; None where the table does not say.

        Of level and vulnerability analysis the stronger counts; an analysis that the scheme does
        not use, or that is not known, makes it None.
        Source: ISO/TS 12812-2:2017, 9.4; ISO/IEC 18045, B.4
        """
        known = self.schemes.get(scheme)
        if known is None or level not in known.levels:
            return None
        if not van:
            return known.levels[level]
        if not known.van or van not in self.van:
            return None
        return max(known.levels[level], self.van[van])


def wire_word(strength: Strength) -> str:
    """`strength` as other systems write it: `iso_18045_high` and so on; `none` for no strength.

    Source: ISO/IEC 18045, B.4; ISO/TS 12812-2:2017, 9.4
    """
    word = strength.name.lower().replace("_", "-")
    return word if strength is Strength.NONE else f"iso_18045_{word}"


@cache
def schemes() -> SchemeTable:
    """The shipped table, read once.

    Raises Broken if it is damaged.
    Source: ISO/TS 12812-2:2017, 9.4
    """
    try:
        place = files(__package__ or "") / "data" / "schemes.yaml"
        return read_schemes(place.read_text(encoding="utf-8"))
    except (OSError, MfsError) as error:
        raise Broken(
            f"the table of schemes cannot be read: {error}", remedy="install the package again"
        ) from error


def read_schemes(text: str) -> SchemeTable:
    """The table in `text`.

    Raises Malformed with every defect and its position, a strength that falls among them.
    Source: ISO/TS 12812-2:2017, 9.4
    """
    defects = Defects(remedy=_REMEDY)
    root = Section(read_nodes(text, "table of schemes"), "", defects, _TOP)
    van = _strengths(root, "van")
    found: dict[str, Scheme] = {}
    for name, node in root.section("schemes").values():
        found[name] = _scheme(name, Section(node, name, defects, _SCHEME))
    arrangements: dict[str, Arrangement] = {}
    for name, node in root.section("recognition").values():
        part = Section(node, name, defects, _ARRANGEMENT)
        arrangements[name] = Arrangement(
            id=name,
            title=part.text("title"),
            schemes=part.choices("schemes", found),
            members=tuple(
                one.value
                for one in part.items("members")
                if isinstance(one, Scalar) and isinstance(one.value, str)
            ),
            most=_one(part, "most"),
            with_profile=_one(part, "with_profile"),
        )
    defects.refuse()
    return SchemeTable(
        schemes=MappingProxyType(found),
        van=MappingProxyType(van),
        arrangements=MappingProxyType(arrangements),
    )


_TOP = ("schemes", "van", "recognition")


def _scheme(name: str, part: Section) -> Scheme:
    value, at = part.scalar("van")
    if not isinstance(value, bool):
        part.defects.add(at, f"{name} van is true or false")
    return Scheme(
        id=name,
        title=part.text("title"),
        levels=MappingProxyType(_strengths(part, "levels")),
        van=value is True,
        ends=day(part, "ends") if "ends" in part else UNBOUNDED,
        note=part.text("note"),
    )


def _strengths(section: Section, word: str) -> dict[str, Strength]:
    part = section.section(word)
    found = {name: _one(part, name) for name, _ in part.names()}
    for (weaker, low), (stronger, high) in pairwise(found.items()):
        if high < low:
            part.defects.add(
                part.position(stronger),
                f"{part.trail} {stronger} stands after {weaker} and has a weaker strength",
            )
    return found


def _one(part: Section, word: str) -> Strength:
    return WORDS.get(part.choice(word, WORDS), Strength.NONE)


def strength_of(word: str) -> Strength:
    """The strength that `word` means.

    Raises Malformed for another word.
    Source: ISO/IEC 18045, B.4
    """
    found = WORDS.get(word)
    if found is None:
        raise Malformed(f"{word[:20]!r} is no strength", remedy=f"use one of {', '.join(WORDS)}")
    return found
