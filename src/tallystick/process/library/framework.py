"""The rows as requirement nodes under their clauses, with controls, threats and groups.

Source: ISO/TS 12812-2:2017, 5; 6.2.2; D
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.process.catalogue.model import Catalogue, Layer, Requirement, Service, Threat
from tallystick.process.conformance.oscal.blocks import READING
from tallystick.process.library.writing import Plain
from tallystick.process.risk.model import Control, Pack

FRAMEWORK: Final = "tallystick-mfs"
PACKAGER: Final = "tallystick"
COPYRIGHT: Final = "Apache-2.0; the words are the project's own"
_CATEGORIES: Final[Mapping[Layer, str]] = {
    Layer.PROCESS: "process",
    Layer.APPLICATION: "technical",
    Layer.INFRASTRUCTURE: "technical",
}
_GROUPS: Final[Mapping[Service, str]] = {
    Service.REMOTE_PAYMENT: "Payments at a distance",
    Service.PROXIMATE_PAYMENT: "Payments at a till",
    Service.MOBILE_BANKING: "Banking on the telephone",
    Service.E_MONEY: "Electronic money",
}


def urn(sort: str, *parts: str) -> str:
    """The name of something of this library: `urn:tallystick:risk:SORT:...`, in small letters.

    Source: RFC 8141, 2
    """
    return ":".join(("urn", PACKAGER, "risk", sort, *parts)).lower()


def head(identifier: str, name: str, description: str, version: int) -> dict[str, Plain]:
    """The head of a library.

    Source: ISO/TS 12812-2:2017, 5
    """
    return {
        "urn": urn("library", identifier),
        "locale": "en",
        "ref_id": identifier,
        "name": name,
        "description": description,
        "copyright": COPYRIGHT,
        "version": version,
        "provider": PACKAGER,
        "packager": PACKAGER,
    }


def framework_library(found: Catalogue, pack: Pack, version: int) -> Mapping[str, Plain]:
    """The library of the framework, its reference controls and its threats.

    Source: ISO/TS 12812-2:2017, 5
    """
    name = "Requirements for mobile financial services"
    return {
        **head(FRAMEWORK, name, READING, version),
        "objects": {
            "threats": [_threat(one) for one in found.threats.values()],
            "reference_controls": [_control(one) for one in pack.controls.values()],
            "framework": {
                "urn": urn("framework", FRAMEWORK),
                "ref_id": FRAMEWORK,
                "name": name,
                "description": READING,
                "implementation_groups_definition": [
                    {"ref_id": one.value, "name": words} for one, words in _GROUPS.items()
                ],
                "requirement_nodes": list(_nodes(found, pack)),
            },
        },
    }


def _threat(one: Threat) -> dict[str, Plain]:
    return {
        "urn": urn("threat", FRAMEWORK, one.id),
        "ref_id": one.id,
        "name": f"{one.id} {one.channel.value}",
        "description": one.text,
    }


def _control_urn(identifier: str) -> str:
    return urn("function", FRAMEWORK, identifier)


def _control(one: Control) -> dict[str, Plain]:
    return {
        "urn": _control_urn(one.id),
        "ref_id": one.id,
        "name": one.label,
        "category": _CATEGORIES[one.layer],
    }


def node_urn(identifier: str) -> str:
    """The name of the node of a clause or a row.

    Source: RFC 8141, 2
    """
    return urn("req_node", FRAMEWORK, identifier)


def _nodes(found: Catalogue, pack: Pack) -> Iterator[dict[str, Plain]]:
    """Clauses in their order, each before what stands below it, with its rows behind it."""
    serving: dict[str, list[str]] = {}
    for control in pack.controls.values():
        for identifier in control.requirements:
            serving.setdefault(identifier, []).append(control.id)
    depths: dict[str, int] = {}
    for number, title in _outline(found):
        parent = number.rpartition(".")[0]
        while parent and parent not in depths:
            parent = parent.rpartition(".")[0]
        depths[number] = depths.get(parent, 0) + 1
        yield {
            "urn": node_urn(f"clause-{number}"),
            "assessable": False,
            "depth": depths[number],
            **({"parent_urn": node_urn(f"clause-{parent}")} if parent else {}),
            "ref_id": number,
            "name": title,
        }
        for row in found.requirements.values():
            if row.clause == number:
                yield _row(row, depths[number] + 1, serving.get(row.id, []))


def _outline(found: Catalogue) -> Iterator[tuple[str, str]]:
    """The clauses that have rows, and the headings above them, in the order of the standard."""
    wanted: dict[str, str] = {}
    for clause in found.clauses.values():
        if not any(one.clause == clause.number for one in found.requirements.values()):
            continue
        parts = clause.number.split(".")
        for length in range(1, len(parts)):
            above = ".".join(parts[:length])
            title = found.headings.get(above) or found.clauses.get(above)
            if title is not None:
                wanted.setdefault(above, title.title)
        wanted.setdefault(clause.number, clause.title)
    yield from sorted(wanted.items(), key=lambda one: _order(one[0]))


def _order(number: str) -> tuple[bool, tuple[tuple[int, str], ...]]:
    parts = tuple((int(one), "") if one.isdigit() else (0, one) for one in number.split("."))
    return (not number[0].isdigit(), parts)


def _row(row: Requirement, depth: int, controls: list[str]) -> dict[str, Plain]:
    forbids = "; forbids something" if row.prohibition else ""
    node: dict[str, Plain] = {
        "urn": node_urn(row.id),
        "assessable": True,
        "depth": depth,
        "parent_urn": node_urn(f"clause-{row.clause}"),
        "ref_id": row.id,
        "description": row.text,
        "annotation": f"{row.modality.value}{forbids}; {row.origin.value}, {row.confidence.value}"
        " confidence",
        "typical_evidence": "\n".join(f"{one.by.value}: {one.check}" for one in row.verification),
        "implementation_groups": [one.value for one in row.services],
    }
    if row.threats:
        node["threats"] = [urn("threat", FRAMEWORK, one) for one in row.threats]
    if controls:
        node["reference_controls"] = [_control_urn(one) for one in controls]
    return node
