"""The plan of action and milestones: every row that is not satisfied, and every exception's end.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 6.2.1
"""

from tallystick.process.catalogue.model import Requirement
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.conformance.oscal.blocks import Node, head, node, prop, props
from tallystick.process.conformance.oscal.names import control_id, line, stamp, uuid_of
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.oscal.plan import this_system
from tallystick.process.conformance.oscal.results import (
    observation_node,
    observation_uuid,
    observations_of,
)

OPEN = (State.NOT_SATISFIED, State.EXCEPTED, State.STALE)
"""The states that leave something to be done."""


def plan_of_action(picture: Picture, plan_href: str) -> Node:
    """What is open, over the system described at `plan_href`.

    Source: OSCAL 1.2.1
    """
    remaining = tuple(one for one in picture.findings if one.state in OPEN)
    rows = picture.catalogue.requirements
    unlinked = _without_evidence(picture)
    return node(
        {
            "uuid": uuid_of("actions", picture.provider, str(picture.made_at)),
            "metadata": head(picture, f"What is open at {picture.provider}"),
            "import-ssp": {"href": plan_href},
            "system-id": {
                "id": this_system(picture.provider),
                "identifier-type": "https://ietf.org/rfc/rfc4122",
            },
            "local-definitions": {"components": [_tool(picture)]},
            "observations": [observation_node(unlinked, one) for one in observations_of(remaining)],
            "risks": [_risk(one, rows[one.requirement]) for one in remaining],
            "poam-items": [_item(one) for one in remaining] or [_nothing()],
        }
    )


def _without_evidence(picture: Picture) -> Picture:
    """The same picture without the file of observations, which the results alone point at."""
    return Picture(
        provider=picture.provider,
        tool=picture.tool,
        version=picture.version,
        environment=picture.environment,
        made_at=picture.made_at,
        start=picture.start,
        catalogue=picture.catalogue,
        services=picture.services,
        checks=picture.checks,
        findings=picture.findings,
        held=picture.held,
    )


def _tool(picture: Picture) -> Node:
    return {
        "uuid": uuid_of("tool", picture.tool, picture.version),
        "type": "software",
        "title": f"{picture.tool} {picture.version}",
        "description": "Runs the checks and records what they saw.",
        "status": {"state": "operational"},
    }


def _risk_uuid(requirement: str) -> str:
    return uuid_of("risk", requirement)


def _risk(found: Finding, row: Requirement) -> Node:
    threats = ", ".join(row.threats) or "none named"
    return node(
        {
            "uuid": _risk_uuid(found.requirement),
            "title": line(f"{found.requirement} is {found.state.value}"),
            "description": line(found.says) or "-",
            "statement": line(f"What the row keeps out is not shown to be kept out: {threats}."),
            "props": [
                prop("control", control_id(row.id)),
                *(prop("threat", t) for t in row.threats),
            ],
            "status": "deviation-approved" if found.state is State.EXCEPTED else "open",
            "deadline": stamp(found.until) if found.state is State.EXCEPTED else None,
            "related-observations": [
                {"observation-uuid": observation_uuid(one)} for one in found.observations
            ],
        }
    )


def _item(found: Finding) -> Node:
    return node(
        {
            "uuid": uuid_of("item", found.requirement),
            "title": line(f"{found.requirement}: {_TODO[found.state]}"),
            "description": line(found.says) or "-",
            "props": props({"state": found.state.value, "reason": found.reason.value}),
            "related-observations": [
                {"observation-uuid": observation_uuid(one)} for one in found.observations
            ],
            "related-risks": [{"risk-uuid": _risk_uuid(found.requirement)}],
        }
    )


_TODO = {
    State.NOT_SATISFIED: "mend what was seen to fail",
    State.EXCEPTED: "meet it before the exception lapses",
    State.STALE: "bring fresh evidence",
}


def _nothing() -> Node:
    return {
        "uuid": uuid_of("item", "nothing"),
        "title": "Nothing is open",
        "description": "Every row that applies was satisfied when this was made.",
    }
