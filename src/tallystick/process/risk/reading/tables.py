"""Scoring tables: how many points a word of a factor counts, and what a sum of points resists.

Source: ISO/IEC 18045, B.4
"""

from itertools import pairwise

from tallystick.process.programme.words import Impact, Strength
from tallystick.process.risk.model import ScoringTable
from tallystick.process.risk.reading.words import IMPACTS, STRENGTHS, checked_id
from tallystick.process.yamltext.section import Section

_MOST_POINTS = 100
TABLE_WORDS = ("label", "factors", "thresholds")
_RESISTED = tuple(word for word, one in STRENGTHS.items() if one is not Strength.NONE)


def read_tables(root: Section) -> dict[str, ScoringTable]:
    """The tables under `tables`, by id.

    Source: ISO/IEC 18045, B.4
    """
    section = root.section("tables")
    found: dict[str, ScoringTable] = {}
    for name, at in section.names():
        checked_id(section, name, at)
        one = section.section(name, TABLE_WORDS)
        found[name] = ScoringTable(
            id=name, label=one.text("label"), factors=_factors(one), thresholds=_thresholds(one)
        )
    if not found:
        root.defects.add(section.at, "a pack has at least one table")
    return found


def read_required(root: Section) -> dict[Impact, Strength]:
    """The strength that each impact asks for, never less for a worse one.

    Source: ISO/TS 12812-2:2017, A
    """
    section = root.section("required", IMPACTS)
    found = {impact: STRENGTHS[section.choice(word, STRENGTHS)] for word, impact in IMPACTS.items()}
    for lighter, worse in pairwise(IMPACTS):
        if found[IMPACTS[lighter]] > found[IMPACTS[worse]]:
            text = f"required asks for less at {worse} than at {lighter}"
            root.defects.add(section.position(worse), text)
    return found


def _factors(section: Section) -> dict[str, dict[str, int]]:
    factors = section.section("factors")
    found: dict[str, dict[str, int]] = {}
    for name, at in factors.names():
        checked_id(factors, name, at)
        words = factors.section(name)
        points: dict[str, int] = {}
        for word, place in words.names():
            points[word] = words.integer(word, 0, _MOST_POINTS)
            if points[word] < max(points.values()):
                text = f"{words.trail}: words stand weakest first; {word} counts less than before"
                section.defects.add(place, text)
        if not points:
            section.defects.add(at, f"{factors.trail} {name} has no word")
        found[name] = points
    if not found:
        section.defects.add(factors.at, f"{section.trail} has no factor")
    return found


def _thresholds(section: Section) -> dict[Strength, int]:
    thresholds = section.section("thresholds", _RESISTED)
    found = {STRENGTHS[word]: thresholds.integer(word, 1, 1000) for word in _RESISTED}
    for weaker, stronger in pairwise(_RESISTED):
        if found[STRENGTHS[weaker]] >= found[STRENGTHS[stronger]]:
            text = f"{stronger} is reached with more points than {weaker}"
            section.defects.add(thresholds.position(stronger), text)
    return found
