"""Controls: what each costs, lifts, caps and serves, and which others it needs or excludes.

Source: ISO/TS 12812-2:2017, 6.1; 7.3; 7.4
"""

import re
from collections.abc import Mapping

from tallystick.process.catalogue import Layer, catalogue
from tallystick.process.programme.words import Environment, Impact
from tallystick.process.risk.model import Control, ScoringTable
from tallystick.process.risk.reading.words import (
    EMITTERS,
    IMPACTS,
    ISO_18045,
    PROBE,
    checked_id,
    listed,
    listed_of,
)
from tallystick.process.yamltext.section import Section, suggestion

MAX_COST = 100
MAX_FRICTION = 10
LAYERS = tuple(one.value for one in Layer)
CONTROL_WORDS = (
    "label", "layer", "requirements", "mandatory", "cost", "friction", "lifts", "caps",
    "environments", "needs", "excludes", "enforced_by", "observed_by",
)  # fmt: skip
_CODE = re.compile(r"^[a-z][a-z0-9_./-]{1,120}\Z")


def read_controls(root: Section, tables: Mapping[str, ScoringTable]) -> dict[str, Control]:
    """The controls under `controls`, by id; `tables` has the words that they may lift to.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    section = root.section("controls")
    names = tuple(name for name, _ in section.names())
    found: dict[str, Control] = {}
    for name, at in section.names():
        checked_id(section, name, at)
        found[name] = _control(section.section(name, CONTROL_WORDS), name, names, tables)
        one = found[name]
        if not (one.lifts or one.caps or one.requirements):
            section.defects.add(at, f"{name} lifts nothing, caps nothing and serves no requirement")
    if not found:
        root.defects.add(section.at, "a pack has at least one control")
    _refuse_circles(section, found)
    return found


def read_lifts(
    section: Section, word: str, table: ScoringTable | None, what: str
) -> dict[str, str]:
    """Factor to word under `word`, each of `table`; `what` names the owner in errors.

    Source: ISO/IEC 18045, B.4
    """
    if word not in section:
        return {}
    lifts = section.section(word)
    return lifts_in(lifts, table, what)


def lifts_in(lifts: Section, table: ScoringTable | None, what: str) -> dict[str, str]:
    """The pairs of factor and word in `lifts`, each of `table`.

    Source: ISO/IEC 18045, B.4
    """
    found: dict[str, str] = {}
    for factor, at in lifts.names():
        if table is None:
            lifts.defects.add(at, f"{what} lifts in words of {ISO_18045}, which the pack lacks")
        elif factor not in table.factors:
            near = suggestion(factor, table.factors)
            lifts.defects.add(at, f"{what}: {table.id} has no factor {factor[:40]!r}{near}")
        else:
            found[factor] = lifts.choice(factor, table.factors[factor])
    return found


def _control(
    section: Section, name: str, names: tuple[str, ...], tables: Mapping[str, ScoringTable]
) -> Control:
    rows = catalogue().requirements
    requirements = listed_of(section, "requirements", rows, "requirement")
    mandatory = listed_of(section, "mandatory", rows, "requirement")
    for word in ("needs", "excludes"):
        for other, at in listed(section, word):
            if other == name:
                section.defects.add(at, f"{name} {word} itself")
    return Control(
        id=name,
        label=section.text("label"),
        layer=Layer(section.choice("layer", LAYERS)),
        requirements=requirements,
        mandatory=mandatory,
        cost=section.integer("cost", 0, MAX_COST),
        friction=section.integer("friction", 0, MAX_FRICTION),
        lifts=read_lifts(section, "lifts", tables.get(ISO_18045), name),
        caps=_caps(section),
        environments=listed_of(section, "environments", _environments(), "environment"),
        needs=listed_of(section, "needs", names, "control"),
        excludes=listed_of(section, "excludes", names, "control"),
        enforced_by=_enforced(section),
        observed_by=_probes(section, "observed_by"),
    )


def _environments() -> tuple[str, ...]:
    return tuple(one.value for one in Environment)


def _caps(section: Section) -> Impact | None:
    return IMPACTS[section.choice("caps", IMPACTS)] if "caps" in section else None


def _probes(section: Section, word: str) -> tuple[str, ...]:
    for name, at in listed(section, word):
        if not PROBE.match(name):
            section.defects.add(at, f"a probe has a name such as keys.life, not {name[:40]!r}")
    return tuple(name for name, _ in listed(section, word) if PROBE.match(name))


def _enforced(section: Section) -> tuple[str, ...]:
    """`policy:<emitter>`, `code:<module>` or `document:<what>`."""
    for name, at in listed(section, "enforced_by"):
        sort, _, rest = name.partition(":")
        if sort == "policy" and rest not in EMITTERS:
            near = suggestion(rest, EMITTERS)
            section.defects.add(at, f"no policy can emit {rest[:40]!r}{near}")
        elif sort not in {"policy", "code", "document"} or not rest.strip():
            text = "enforced_by is policy:<emitter>, code:<module> or document:<what>"
            section.defects.add(at, f"{text}, not {name[:40]!r}")
        elif sort == "code" and not _CODE.match(rest):
            section.defects.add(at, f"{rest[:40]!r} is not the name of a module")
    return tuple(name for name, _ in listed(section, "enforced_by"))


def _refuse_circles(section: Section, found: Mapping[str, Control]) -> None:
    """Note every control that needs itself through others, and that excludes what it needs."""
    for name, one in found.items():
        reached: set[str] = set()
        waiting = list(one.needs)
        while waiting:
            needed = waiting.pop()
            if needed not in reached:
                reached.add(needed)
                waiting.extend(found[needed].needs if needed in found else ())
        if name in reached and name not in one.needs:
            section.defects.add(section.position(name), f"{name} needs itself through others")
        clash = sorted(reached & set(one.excludes))
        if clash:
            text = f"{name} excludes {clash[0]}, which it needs"
            section.defects.add(section.position(name), text)
