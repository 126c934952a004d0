"""The system security plan: the provider's system, its components, and how each row is met.

Whether a row counts as implemented follows from its finding: observed to hold, observed to fail
(partial), decided not to apply, or not observed (planned), never from what somebody typed.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 6.2
"""

from typing import Final

from tallystick.process.catalogue.model import Requirement
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.conformance.oscal.blocks import Node, head, prop
from tallystick.process.conformance.oscal.component import (
    by_component,
    component_title,
    component_uuid,
)
from tallystick.process.conformance.oscal.names import (
    control_id,
    line,
    statement_id,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture

IMPLEMENTED: Final = {
    State.SATISFIED: "implemented",
    State.NOT_SATISFIED: "partial",
    State.STALE: "planned",
    State.NOT_APPLICABLE: "not-applicable",
    State.EXCEPTED: "alternative",
}
"""What a finding says about the implementation of its row."""


def this_system(provider: str) -> str:
    """The UUID of the provider's system as a whole.

    Source: OSCAL 1.2.1
    """
    return uuid_of("this-system", provider)


def security_plan(picture: Picture, profile_href: str) -> Node:
    """The plan over the profile at `profile_href`.

    Source: OSCAL 1.2.1
    """
    found = {one.requirement: one for one in picture.findings}
    return {
        "uuid": uuid_of("plan", picture.provider, str(picture.made_at)),
        "metadata": head(picture, f"System security plan of {picture.provider}"),
        "import-profile": {"href": profile_href},
        "system-characteristics": _characteristics(picture),
        "system-implementation": {
            "users": [
                {
                    "uuid": uuid_of("operator", picture.provider),
                    "title": "Operators",
                    "role-ids": ["provider"],
                    "authorized-privileges": [
                        {
                            "title": "Signed acts",
                            "functions-performed": ["acts that the policy gives to their role"],
                        }
                    ],
                }
            ],
            "components": _components(picture),
        },
        "control-implementation": {
            "description": "How each row is met; the states follow from observations.",
            "implemented-requirements": [
                _requirement(row, found[row.id]) for row in picture.rows() if row.id in found
            ],
        },
    }


def _characteristics(picture: Picture) -> Node:
    services = ", ".join(one.value for one in picture.services)
    return {
        "system-ids": [{"id": this_system(picture.provider), "identifier-type": _UUID_TYPE}],
        "system-name": picture.provider,
        "description": f"A mobile financial service ({services}).",
        "props": [
            prop("environment", picture.environment),
            prop("policy-version", picture.held.policy_version),
            prop("policy-sha256", picture.held.policy),
            prop("dossier-sha256", picture.held.dossier),
            prop("build-commit", picture.held.commit),
        ],
        "system-information": {
            "information-types": [
                {
                    "uuid": uuid_of("information", picture.provider, "payments"),
                    "title": "Orders and accounts",
                    "description": "Orders, their consent and proof, and the balances they make.",
                    "confidentiality-impact": {"base": "high"},
                    "integrity-impact": {"base": "high"},
                    "availability-impact": {"base": "high"},
                }
            ]
        },
        "status": {"state": "operational"},
        "authorization-boundary": {
            "description": "The service, its store, its keys and its doors; phones, networks and"
            " core systems lie outside."
        },
    }


_UUID_TYPE: Final = "https://ietf.org/rfc/rfc4122"


def _components(picture: Picture) -> list[Node]:
    whole: Node = {
        "uuid": this_system(picture.provider),
        "type": "this-system",
        "title": picture.provider,
        "description": "The system as a whole.",
        "status": {"state": "operational"},
    }
    parts: list[Node] = [
        {
            "uuid": component_uuid(code),
            "type": "software",
            "title": component_title(code),
            "description": f"{component_title(code)}, of {picture.tool} {picture.version}.",
            "status": {"state": "operational"},
        }
        for code in by_component(picture.rows())
    ]
    return [whole, *parts]


def _requirement(row: Requirement, found: Finding) -> Node:
    return {
        "uuid": implemented_uuid(row.id),
        "control-id": control_id(row.id),
        "props": [prop("state", found.state.value), prop("reason", found.reason.value)],
        "statements": [
            {
                "statement-id": statement_id(row.id),
                "uuid": uuid_of("plan-statement", row.id),
                "by-components": [
                    {
                        "component-uuid": component_uuid(row.component),
                        "uuid": uuid_of("plan-by-component", row.id, row.component),
                        "description": line(row.capability),
                        "implementation-status": {"state": IMPLEMENTED[found.state]},
                    }
                ],
            }
        ],
    }


def implemented_uuid(requirement: str) -> str:
    """The UUID under which the plan speaks of `requirement`.

    Source: OSCAL 1.2.1
    """
    return uuid_of("plan-requirement", requirement)
