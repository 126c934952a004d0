"""The findings as attestations for readers of software bills: claims, evidence, conformance.

    standard     the rows of the catalogue below their clauses, with levels `shall` and `should`
    claim        that a row holds, or that it does not, with what speaks for it and what against
    evidence     one observation: where it stands whole, and which events of the log it rests on
    attestation  row by row: the claims, and in words how it stands

Whether a row that nobody looked at lately conforms is not known, so it has no score. A score is 1
or 0 for one row; there is none for all of them together.

Source: OWASP CycloneDX 1.6, declarations; ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.kernel.evidence import Verdict
from tallystick.process.catalogue.model import Modality
from tallystick.process.conformance.checks import Observation
from tallystick.process.conformance.findings import Finding, State, counts
from tallystick.process.conformance.oscal.blocks import READING, Json, Node, node
from tallystick.process.conformance.oscal.names import line, stamp, uuid_of
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.oscal.results import observation_uuid, observations_of

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_SERVICE: Final = "service"
_ASSESSOR: Final = "assessor"
_STANDARD: Final = "standard"


def attestations(picture: Picture, *, signature: str, proofs: str) -> Node:
    """The document; `signature` and `proofs` are the files with the officer's and the log's proof.

    Source: OWASP CycloneDX 1.6, declarations
    """
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid_of('attestations', picture.provider, picture.evidence)}",
        "version": 1,
        "metadata": {
            "timestamp": stamp(picture.made_at),
            "tools": {
                "components": [
                    {"type": "application", "name": picture.tool, "version": picture.version}
                ]
            },
            "component": {
                "type": "platform",
                "bom-ref": "platform",
                "name": picture.provider,
                "version": picture.version,
            },
        },
        "declarations": _declarations(picture, signature, proofs),
        "definitions": {"standards": [_standard(picture)]},
    }


def _declarations(picture: Picture, signature: str, proofs: str) -> Node:
    decided = [one for one in picture.findings if _decides(one)]
    organization: Node = {"name": picture.provider}
    return node(
        {
            "assessors": [
                {"bom-ref": _ASSESSOR, "thirdParty": False, "organization": organization}
            ],
            "attestations": [
                {
                    "summary": _summary(picture.findings),
                    "assessor": _ASSESSOR,
                    "map": [_mapped(picture, one) for one in picture.findings],
                }
            ],
            "claims": [_claim(picture, one) for one in decided],
            "evidence": [
                _evidence(picture, one, proofs) for one in observations_of(tuple(decided))
            ],
            "targets": {
                "services": [
                    {
                        "bom-ref": _SERVICE,
                        "name": picture.provider,
                        "description": ", ".join(one.value for one in picture.services),
                    }
                ]
            },
            "affirmation": {
                "statement": READING,
                "signatories": [
                    {
                        "organization": organization,
                        "externalReference": {"type": "digital-signature", "url": signature},
                    }
                ],
            },
        }
    )


def _summary(found: Iterable[Finding]) -> str:
    findings = tuple(found)
    return "; ".join(
        f"{name}: {count} of {len(findings)}" for name, count in counts(findings).items()
    )


def _decides(one: Finding) -> bool:
    """Whether something was seen that says that the row holds, or that it does not."""
    return one.underneath in {State.SATISFIED, State.NOT_SATISFIED} and bool(one.observations)


def _mapped(picture: Picture, one: Finding) -> Node:
    claim: list[Json] = [_claim_ref(one.requirement)] if _decides(one) else []
    holds = one.underneath is State.SATISFIED
    held = picture.effectiveness.get(one.requirement)
    return node(
        {
            "requirement": one.requirement,
            "claims": claim if holds else [],
            "counterClaims": [] if holds else claim,
            "conformance": node(
                {
                    "score": {State.SATISFIED: 1, State.NOT_SATISFIED: 0}.get(one.state),
                    "rationale": line(f"{one.state.value}, {one.reason.value}: {one.says}"),
                }
            ),
            "confidence": None
            if held is None
            else {"rationale": f"satisfied for {held.says()} of the period"},
        }
    )


def _claim_ref(requirement: str) -> str:
    return f"claim-{requirement}"


def _claim(picture: Picture, one: Finding) -> Node:
    row = picture.catalogue.requirements[one.requirement]
    holds = one.underneath is State.SATISFIED
    passed = [_evidence_ref(o) for o in one.observations if o.verdict is Verdict.PASS]
    failed = [_evidence_ref(o) for o in one.observations if o.verdict is not Verdict.PASS]
    return node(
        {
            "bom-ref": _claim_ref(one.requirement),
            "target": _SERVICE,
            "predicate": row.text if holds else f"This does not hold: {row.text}",
            "reasoning": line(one.says),
            "evidence": passed if holds else failed,
            "counterEvidence": failed if holds else passed,
        }
    )


def _evidence_ref(one: Observation) -> str:
    return f"evidence-{observation_uuid(one)}"


def _evidence(picture: Picture, one: Observation, proofs: str) -> Node:
    return node(
        {
            "bom-ref": _evidence_ref(one),
            "propertyName": one.kind.value,
            "description": line(f"{one.check}: {one.verdict.value}. {one.summary}"),
            "data": list(_data(picture, one, proofs)),
            "created": stamp(one.observed_at),
            "expires": stamp(one.fresh_until),
        }
    )


def _data(picture: Picture, one: Observation, proofs: str) -> Iterator[Node]:
    """Where the observation is: whole, in the log, and the events that it rests on."""
    yield {
        "name": f"entry {one.check}, SHA-256 of the file {picture.evidence}",
        "contents": {"url": picture.evidence_file},
    }
    run = picture.recorded.get((one.check, one.observed_at))
    if run is not None and picture.log is not None:
        yield {
            "name": f"event {run} of {picture.log.origin} records the run",
            "contents": {"url": proofs},
        }
    if one.records and picture.log is not None:
        events = ", ".join(str(index) for index in one.records)
        yield {
            "name": f"rests on events {events} of {picture.log.origin}",
            "contents": {"url": proofs},
        }


def _standard(picture: Picture) -> Node:
    rows = picture.rows()
    clauses = {one.clause for one in rows}
    return {
        "bom-ref": _STANDARD,
        "name": "Requirements for mobile financial services",
        "version": picture.held.catalogue,
        "description": READING,
        "owner": picture.tool,
        "requirements": [
            *(
                {
                    "bom-ref": f"clause-{one.number}",
                    "identifier": one.number,
                    "title": one.title,
                }
                for one in picture.catalogue.clauses.values()
                if one.number in clauses
            ),
            *(
                {
                    "bom-ref": one.id,
                    "identifier": one.id,
                    "text": one.text,
                    "parent": f"clause-{one.clause}",
                    "properties": [
                        {"name": "tallystick:modality", "value": one.modality.value},
                        {"name": "tallystick:forbids", "value": "yes" if one.prohibition else "no"},
                    ],
                }
                for one in rows
            ),
        ],
        "levels": [
            {
                "bom-ref": f"level-{level.value}",
                "identifier": level.value,
                "requirements": [one.id for one in rows if one.modality is level],
            }
            for level in Modality
            if any(one.modality is level for one in rows)
        ],
    }
