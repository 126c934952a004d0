"""The assessment plan: each check as an activity, how often it is due, and what it bears on.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""

from typing import Final

from tallystick.kernel.time import HOUR_MS
from tallystick.process.conformance.checks import Check, CheckKind
from tallystick.process.conformance.oscal.blocks import ALL, Node, head, include, prop
from tallystick.process.conformance.oscal.names import (
    RMF_NS,
    as_token,
    control_id,
    line,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture

METHODS: Final = {
    CheckKind.POSITIVE: "TEST",
    CheckKind.NEGATIVE: "TEST",
    CheckKind.TELEMETRY: "TEST",
    CheckKind.STATIC: "EXAMINE",
    CheckKind.BUILD: "TEST",
    CheckKind.ATTESTED: "EXAMINE",
}
"""OSCAL's word for each kind of check."""


def tool_uuid(picture: Picture) -> str:
    """The UUID of the program that runs the checks.

    Source: OSCAL 1.2.1
    """
    return uuid_of("tool", picture.tool, picture.version)


def activity_uuid(check: str) -> str:
    """The UUID of the activity that a check is.

    Source: OSCAL 1.2.1
    """
    return uuid_of("activity", check)


def assessment_plan(picture: Picture, plan_href: str) -> Node:
    """The plan to assess the system described at `plan_href`.

    Source: OSCAL 1.2.1
    """
    controls = [control_id(one.id) for one in picture.rows()]
    checks = [one for one in picture.checks if _of_profile(one, set(controls))]
    members: Node = {
        "uuid": uuid_of("assessment-plan", picture.provider, str(picture.made_at)),
        "metadata": head(picture, f"Assessment plan of {picture.provider}"),
        "import-ssp": {"href": plan_href},
        "reviewed-controls": include(controls),
        "assessment-subjects": [{"type": "component", "include-all": ALL}],
        "assessment-assets": {
            "components": [
                {
                    "uuid": tool_uuid(picture),
                    "type": "software",
                    "title": f"{picture.tool} {picture.version}",
                    "description": "Runs the checks and records what they saw.",
                    "status": {"state": "operational"},
                }
            ],
            "assessment-platforms": [
                {
                    "uuid": uuid_of("platform", picture.tool, picture.version),
                    "title": "Where the checks run",
                    "uses-components": [{"component-uuid": tool_uuid(picture)}],
                }
            ],
        },
    }
    if checks:
        members["local-definitions"] = {
            "activities": [_activity(one, set(controls)) for one in checks]
        }
        members["tasks"] = [_task(one) for one in checks]
    return members


def _of_profile(check: Check, controls: set[str]) -> bool:
    return any(control_id(one) in controls for one in check.requirements)


def _activity(check: Check, controls: set[str]) -> Node:
    return {
        "uuid": activity_uuid(check.id),
        "title": line(check.id),
        "description": line(check.says),
        "props": [
            prop("method", METHODS[check.kind], ns=RMF_NS),
            prop("kind", check.kind.value),
            prop("attempts", "yes" if check.attempts else "no"),
            prop("freshness-ms", check.freshness_ms),
        ],
        "related-controls": include(
            control_id(one) for one in check.requirements if control_id(one) in controls
        ),
    }


def _task(check: Check) -> Node:
    return {
        "uuid": uuid_of("task", check.id),
        "type": "action",
        "title": line(f"run {as_token(check.id)}"),
        "timing": {
            "at-frequency": {"period": max(1, check.freshness_ms // HOUR_MS), "unit": "hours"}
        },
        "associated-activities": [
            {
                "activity-uuid": activity_uuid(check.id),
                "subjects": [{"type": "component", "include-all": ALL}],
            }
        ],
    }
