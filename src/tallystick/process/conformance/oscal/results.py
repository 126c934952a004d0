"""The assessment results: what was observed, and what follows from it for each row.

Our numbers are properties in our namespace, never facets. A finding that is stale, excepted or not
applicable is `not-satisfied` for OSCAL, with the reason `other` and our own state beside it.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Iterator

from tallystick.process.conformance.checks import Observation
from tallystick.process.conformance.findings import Finding, Reason, State, counts
from tallystick.process.conformance.oscal.assessment import METHODS, tool_uuid
from tallystick.process.conformance.oscal.blocks import (
    Node,
    back_matter,
    head,
    include,
    node,
    prop,
    props,
    resource,
)
from tallystick.process.conformance.oscal.holdings import document_of, holdings
from tallystick.process.conformance.oscal.names import (
    as_token,
    control_id,
    line,
    objective_id,
    stamp,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.oscal.plan import IMPLEMENTED, implemented_uuid, this_system


def assessment_results(picture: Picture, plan_href: str) -> Node:
    """The results of the assessment that was planned at `plan_href`.

    Source: OSCAL 1.2.1
    """
    evidence = evidence_uuid(picture)
    kept: list[Node] = []
    if picture.evidence_file:
        kept.append(
            resource(
                evidence,
                "Every observation, whole",
                href=picture.evidence_file,
                digest=picture.evidence,
                media_type="application/json",
            )
        )
    kept += holdings(picture)
    return node(
        {
            "uuid": uuid_of("results", picture.provider, str(picture.made_at)),
            "metadata": head(picture, f"Assessment results of {picture.provider}"),
            "import-ap": {"href": plan_href},
            "results": [_result(picture)],
            "back-matter": back_matter(kept),
        }
    )


def evidence_uuid(picture: Picture) -> str:
    """The UUID of the resource that holds the observations whole.

    Source: OSCAL 1.2.1
    """
    return uuid_of("evidence", picture.provider, picture.evidence)


def observation_uuid(one: Observation) -> str:
    """The UUID of one observation: of its check, its instant and its verdict.

    Source: OSCAL 1.2.1
    """
    return uuid_of("observation", one.check, str(one.observed_at), one.verdict.value)


def observations_of(findings: tuple[Finding, ...]) -> list[Observation]:
    """Each observation that a finding rests on, once, in the order of first use.

    Source: OSCAL 1.2.1
    """
    found: dict[str, Observation] = {}
    for finding in findings:
        for one in finding.observations:
            found.setdefault(observation_uuid(one), one)
    return list(found.values())


def _result(picture: Picture) -> Node:
    total = len(picture.findings)
    tallied = {name: f"{count} of {total}" for name, count in counts(picture.findings).items()}
    return node(
        {
            "uuid": uuid_of("result", picture.provider, str(picture.made_at)),
            "title": "What holds now, and for how long it held",
            "description": "; ".join(f"{name}: {said}" for name, said in tallied.items()),
            "start": stamp(picture.start),
            "end": stamp(picture.made_at),
            "props": [
                *props({f"count-{name}": said for name, said in tallied.items()}),
                *_log_props(picture),
            ],
            "reviewed-controls": include(control_id(one.id) for one in picture.rows()),
            "observations": [
                observation_node(picture, one) for one in observations_of(picture.findings)
            ],
            "findings": [_finding(picture, one) for one in picture.findings],
        }
    )


def _log_props(picture: Picture) -> list[Node]:
    if picture.log is None:
        return []
    log = picture.log
    return props({"log-origin": log.origin, "log-size": log.size, "log-root": log.root})


def observation_node(picture: Picture, one: Observation) -> Node:
    """An observation as OSCAL says it, with its numbers, its kind and its place in the log.

    Source: OSCAL 1.2.1
    """
    kept: list[Node] = []
    if picture.evidence_file:
        kept = [{"href": f"#{evidence_uuid(picture)}", "description": f"entry {one.check}"}]
    document = document_of(picture, one)
    if document:
        kept.append({"href": f"#{document}", "description": "what was attested"})
    return node(
        {
            "uuid": observation_uuid(one),
            "title": line(one.check),
            "description": line(one.summary) or "-",
            "props": list(_observation_props(picture, one)),
            "methods": [METHODS[one.kind]],
            "types": ["control-objective"],
            "origins": [{"actors": [{"type": "tool", "actor-uuid": tool_uuid(picture)}]}],
            "subjects": [{"subject-uuid": this_system(picture.provider), "type": "component"}],
            "relevant-evidence": kept,
            "collected": stamp(one.observed_at),
            "expires": stamp(one.fresh_until),
        }
    )


def _observation_props(picture: Picture, one: Observation) -> Iterator[Node]:
    yield prop("check", one.check)
    yield prop("kind", one.kind.value)
    yield prop("attempts", "yes" if one.attempts else "no")
    yield prop("verdict", one.verdict.value)
    yield prop("environment", one.environment)
    yield prop("policy-sha256", picture.held.policy)
    if one.log is not None:
        yield from props(
            {
                "log-origin": one.log.origin,
                "log-size": one.log.size,
                "log-root": one.log.root,
                "log-first": one.log.first,
                "log-last": one.log.last,
            }
        )
    for name, value in sorted(one.measured.items()):
        yield prop(f"measured-{as_token(name)}", value)


def finding_uuid(picture: Picture, requirement: str) -> str:
    """The UUID of the finding for `requirement` in this picture.

    Source: OSCAL 1.2.1
    """
    return uuid_of("finding", picture.provider, requirement, str(picture.made_at))


def _finding(picture: Picture, found: Finding) -> Node:
    held = picture.effectiveness.get(found.requirement)
    said: dict[str, object] = {"state": found.state.value, "reason": found.reason.value}
    if found.until:
        said["until"] = stamp(found.until)
    if held is not None:
        satisfied, applied = held.share()
        said |= {"satisfied-ms": satisfied, "applied-ms": applied}
    return node(
        {
            "uuid": finding_uuid(picture, found.requirement),
            "title": found.requirement,
            "description": line(found.says) or "-",
            "props": props(said),
            "target": {
                "type": "objective-id",
                "target-id": objective_id(found.requirement),
                "status": _status(found),
                "implementation-status": {"state": IMPLEMENTED[found.state]},
            },
            "implementation-statement-uuid": implemented_uuid(found.requirement),
            "related-observations": [
                {"observation-uuid": observation_uuid(one)} for one in found.observations
            ],
        }
    )


def _status(found: Finding) -> Node:
    if found.state is State.SATISFIED:
        return {"state": "satisfied", "reason": "pass"}
    failed = found.state is State.NOT_SATISFIED and found.reason in {
        Reason.FAILED,
        Reason.ATTACK_SUCCEEDED,
    }
    return {"state": "not-satisfied", "reason": "fail" if failed else "other"}
