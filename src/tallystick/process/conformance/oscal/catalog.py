"""The catalogue of requirements as an OSCAL catalog: clauses are groups, rows are controls.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 5
"""

from collections.abc import Iterator

from tallystick.process.catalogue.model import Requirement, VerificationClass
from tallystick.process.conformance.oscal.blocks import Json, Node, head, node, prop
from tallystick.process.conformance.oscal.names import (
    RMF_NS,
    control_id,
    line,
    objective_id,
    statement_id,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture

METHODS = {
    VerificationClass.PROBE: "TEST",
    VerificationClass.TEST: "TEST",
    VerificationClass.DOCUMENT: "EXAMINE",
}


def catalog(picture: Picture) -> Node:
    """The catalog: every row, whether it applies or not.

    Source: OSCAL 1.2.1
    """
    groups: list[Node] = [
        {
            "id": f"clause-{clause.number.lower()}",
            "class": "clause",
            "title": line(f"{clause.number} {clause.title}"),
            "controls": [
                _control(one)
                for one in picture.catalogue.by_clause(clause.number)
                if one.clause == clause.number
            ],
        }
        for clause in picture.catalogue.clauses.values()
    ]
    return {
        "uuid": uuid_of("catalog", picture.held.catalogue),
        "metadata": head(
            picture,
            "Requirements for mobile financial services",
            version=picture.held.catalogue[:12],
        ),
        "groups": groups,
    }


def _control(row: Requirement) -> Node:
    return {
        "id": control_id(row.id),
        "class": row.modality.value,
        "title": line(_title(row.text)),
        "props": list(_props(row)),
        "parts": [
            {"id": statement_id(row.id), "name": "statement", "prose": line(row.text)},
            _objective(row),
        ],
    }


def _title(text: str) -> str:
    """The first words of a row, up to 90 characters."""
    words = text.rstrip(".").split()
    title = ""
    for word in words:
        if len(title) + len(word) >= 90:
            return title.rstrip(",;:") + " ..."
        title = f"{title} {word}".strip()
    return title


def _props(row: Requirement) -> Iterator[Node]:
    yield prop("label", row.id, ns="")
    yield prop("forbids", "yes" if row.prohibition else "no")
    yield prop("origin", row.origin.value)
    yield prop("confidence", row.confidence.value)
    yield prop("seen-by", row.depth.value)
    yield prop("accountable", row.accountable.value)
    for name, several in (
        ("layer", row.layers),
        ("service", row.services),
        ("performer", row.performers),
        ("reference", row.references),
        ("threat", row.threats),
    ):
        for one in several:
            yield prop(name, one)


def _objective(row: Requirement) -> Node:
    methods: list[Json] = [
        node(
            {
                "name": "assessment-method",
                "id": f"{control_id(row.id)}_mth-{number}",
                "props": [prop("method", METHODS[one.by], ns=RMF_NS)],
                "prose": line(one.check),
            }
        )
        for number, one in enumerate(row.verification, start=1)
    ]
    return {
        "id": objective_id(row.id),
        "name": "assessment-objective",
        "prose": line(f"Determine whether this holds: {row.text}"),
        "parts": methods,
    }
