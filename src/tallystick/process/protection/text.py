"""A profile as Markdown, section by section as evaluators expect it.

Source: ISO/IEC 15408-1, B; CommonMark 0.31
"""

from collections.abc import Iterable, Iterator, Sequence

from tallystick.process.protection.model import ProtectionProfile

_SHAPE = (
    "This document has the shape of a protection profile and is none: nobody evaluated it. Its"
    " requirements are rows of a catalogue that is aligned with ISO/TS 12812-2:2017 in own words,"
    " and no components of ISO/IEC 15408. It follows from the programme and the pack whose digests"
    " stand below; whoever has both can make it again."
)


def profile_markdown(found: ProtectionProfile) -> str:
    """The profile as one text.

    Source: ISO/IEC 15408-1, B
    """
    parts = (
        *_introduction(found),
        *_problem(found),
        *_objectives(found),
        *_requirements(found),
        *_rationale(found),
    )
    return "\n".join(parts).rstrip() + "\n"


def _introduction(found: ProtectionProfile) -> Iterator[str]:
    yield from (f"# {_cell(found.programme)}: security problem, objectives and requirements", "")
    yield from ("## 1. Introduction", "", _SHAPE, "")
    yield from _table(
        ("what", "which"),
        (
            ("programme", f"{found.programme} of {found.owner}"),
            ("SHA-256 of the programme", found.programme_digest),
            ("pack of rules and controls", found.pack),
            ("SHA-256 of the pack", found.pack_digest),
            ("services", ", ".join(found.services)),
        ),
    )
    yield from ("### 1.1 What is looked at", "", f"Parts: {', '.join(found.parts)}.", "")
    yield from (f"Telephones: {', '.join(found.devices) or 'none'}.", "")
    yield from ("## 2. Conformance claims", "", "None.", "")


def _problem(found: ProtectionProfile) -> Iterator[str]:
    yield from ("## 3. Security problem", "", "### 3.1 Assets", "")
    yield "What the loss of each property would mean, from 1 (negligible) to 5 (severe)."
    yield ""
    yield from _table(
        ("asset", "kind", "confidentiality", "integrity", "availability", "kept at", "personal"),
        (
            (one.id, one.kind, one.confidentiality, one.integrity, one.availability,
             ", ".join(one.kept_at) or "-", "yes" if one.personal else "no")
            for one in found.assets
        ),
    )  # fmt: skip
    yield from ("### 3.2 Threat agents", "")
    yield from _table(
        ("agent", "motivation", "expertise", "knowledge", "equipment"),
        (
            (one.id, one.motivation, one.expertise, one.knowledge, one.equipment)
            for one in found.agents
        ),
    )
    yield from ("### 3.3 Threats", "")
    yield from _table(
        ("threat", "catalogue", "what", "assets", "places", "must resist"),
        (
            (one.id, one.catalogued, one.says, ", ".join(one.assets), one.places, one.required)
            for one in found.threats
        ),
    )
    yield from ("### 3.4 Rules that are kept whatever the risk", "")
    yield from _table(("rule", "what"), ((one.id, one.says) for one in found.rules))
    yield from ("### 3.5 Assumptions", "")
    yield from _table(("assumption", "what"), ((one.id, one.says) for one in found.assumptions))


def _objectives(found: ProtectionProfile) -> Iterator[str]:
    yield "## 4. Security objectives"
    yield ""
    for number, title, of_service in (
        ("4.1", "Of the service", True),
        ("4.2", "Of what is around it", False),
    ):
        yield from (f"### {number} {title}", "")
        yield from _table(
            ("objective", "what"),
            ((one.id, one.says) for one in found.objectives if one.of_service is of_service),
        )


def _requirements(found: ProtectionProfile) -> Iterator[str]:
    yield from ("## 5. Security requirements", "")
    yield f"{len(found.requirements)} of {found.rows} rows that apply serve an objective above."
    yield ""
    yield from _table(
        ("row", "strength", "what", "verified by"),
        ((one.id, one.modality, one.says, "; ".join(one.verified)) for one in found.requirements),
    )


def _rationale(found: ProtectionProfile) -> Iterator[str]:
    yield from ("## 6. Rationale", "", "### 6.1 Threats and the objectives that counter them", "")
    places = sum(one.places for one in found.threats)
    enough = sum(one.enough for one in found.threats)
    unserved = sum(one.unserved for one in found.threats)
    yield (
        f"The objectives are enough at {enough} of {places} places; {unserved} of {places} are on"
        " telephones that get no service."
    )
    yield ""
    yield from _table(
        ("threat", "countered by", "enough at", "no service at"),
        (
            (one.id, _listed(one.objectives), f"{one.enough} of {one.places}", one.unserved)
            for one in found.threats
        ),
    )
    yield from ("### 6.2 Rules and the objectives that keep them", "")
    kept = sum(bool(one.objectives) for one in found.rules)
    yield from (f"{kept} of {len(found.rules)} rules have an objective.", "")
    yield from _table(
        ("rule", "kept by"), ((one.id, _listed(one.objectives)) for one in found.rules)
    )
    yield from ("### 6.3 Assumptions and the objectives that uphold them", "")
    yield from _table(
        ("assumption", "upheld by"), ((one.id, one.objective) for one in found.assumptions)
    )
    yield from ("### 6.4 Objectives and the rows that they take", "")
    yield from _table(
        ("objective", "rows"),
        ((one.id, _listed(one.requirements)) for one in found.objectives if one.requirements),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "**nothing**"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(_cell(one) for one in row)} |"
    yield ""


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    for mark in ("\\", "|", "<", "`"):
        text = text.replace(mark, f"\\{mark}")
    return text
