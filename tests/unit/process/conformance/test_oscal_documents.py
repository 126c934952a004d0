"""The eight documents say what was found and nothing else; lint sees what is wrong with them."""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from tests.unit.process.conformance.pictures import EVIDENCE, NOW, picture

from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.findings import State
from tallystick.process.conformance.oscal.documents import documents, file_of
from tallystick.process.conformance.oscal.lint import lint
from tallystick.process.conformance.oscal.mapping import FRAMEWORKS, places, unmapped
from tallystick.process.conformance.oscal.names import as_token, control_id, uuid_of
from tallystick.process.conformance.oscal.picture import Picture

FILES = {"evidence.json": EVIDENCE}


@cache
def made() -> str:
    return encode_canonical(documents(picture())).decode()


def fresh() -> dict[str, Any]:
    return json.loads(made())


def test_lint_finds_nothing_in_what_is_written() -> None:
    assert lint(fresh(), FILES) == ()


def test_the_same_picture_gives_the_same_octets() -> None:
    assert encode_canonical(documents(picture())).decode() == made()


def results(found: dict[str, Any]) -> dict[str, Any]:
    return found["assessment-results.json"]["assessment-results"]["results"][0]


def body(found: dict[str, Any], model: str) -> dict[str, Any]:
    return found[file_of(model)][model]


Mutation = Callable[[dict[str, Any]], object]

MUTATIONS: dict[str, tuple[str, Mutation]] = {
    "an extra key": ("shape", lambda d: results(d).update({"score": "99"})),
    "a bad uuid": ("shape", lambda d: results(d).update(uuid="not-a-uuid")),
    "a uuid of version 1": (
        "shape",
        lambda d: results(d).update(uuid="c232ab00-9414-11ec-b909-0242ac120002"),
    ),
    "an instant without zone": ("shape", lambda d: results(d).update(start="2026-01-01T00:00:00")),
    "a token that starts with a digit": (
        "shape",
        lambda d: results(d)["findings"][0]["target"].update({"target-id": "7.3.2"}),
    ),
    "a wrong state": (
        "vocabulary",
        lambda d: results(d)["findings"][0]["target"]["status"].update(state="stale"),
    ),
    "a missing description": ("shape", lambda d: results(d)["findings"][0].pop("description")),
    "an empty array": ("shape", lambda d: results(d).update(findings=[])),
    "a duplicate uuid": (
        "identity",
        lambda d: results(d)["findings"][0].update(uuid=results(d)["findings"][1]["uuid"]),
    ),
    "an observation that is not there": (
        "reference",
        lambda d: next(f for f in results(d)["findings"] if "related-observations" in f)[
            "related-observations"
        ][0].update({"observation-uuid": uuid_of("nowhere")}),
    ),
    "an older version": (
        "version",
        lambda d: body(d, "assessment-results")["metadata"].update({"oscal-version": "1.0.4"}),
    ),
    "a newer version": (
        "version",
        lambda d: body(d, "catalog")["metadata"].update({"oscal-version": "1.9.9"}),
    ),
    "an unknown method": (
        "vocabulary",
        lambda d: results(d)["observations"][0].update(methods=["GUESS"]),
    ),
    "an unknown hash": (
        "vocabulary",
        lambda d: body(d, "assessment-results")["back-matter"]["resources"][0]["rlinks"][0][
            "hashes"
        ][0].update(algorithm="MD5"),
    ),
    "a facet with a system of its own": (
        "shape",
        lambda d: body(d, "plan-of-action-and-milestones")["risks"][0].update(
            characterizations=[{"facets": [{"name": "a", "system": "https://x", "value": "1"}]}]
        ),
    ),
    "a control outside of the profile": (
        "control",
        lambda d: results(d)["reviewed-controls"]["control-selections"][0][
            "include-controls"
        ].append({"control-id": "mfs-10.2.1-01"}),
    ),
    "a control that nobody has": (
        "control",
        lambda d: body(d, "profile")["imports"][0]["include-controls"][0]["with-ids"].append(
            "mfs-99"
        ),
    ),
    "a statement that nobody has": (
        "control",
        lambda d: body(d, "system-security-plan")["control-implementation"][
            "implemented-requirements"
        ][0]["statements"][0].update({"statement-id": "mfs-6.1-01_xyz"}),
    ),
    "an objective that nobody has": (
        "control",
        lambda d: results(d)["findings"][0]["target"].update({"target-id": "mfs-6.1-01_nil"}),
    ),
    "an import that is not there": (
        "link",
        lambda d: body(d, "assessment-results")["import-ap"].update(href="plan-b.json"),
    ),
    "a resource that is not there": (
        "link",
        lambda d: results(d)["observations"][0]["relevant-evidence"][0].update(
            href="#" + uuid_of("nowhere")
        ),
    ),
    "another digest": (
        "link",
        lambda d: body(d, "assessment-results")["back-matter"]["resources"][0]["rlinks"][0][
            "hashes"
        ][0].update(value="00" * 32),
    ),
    "an actor that is not there": (
        "reference",
        lambda d: results(d)["observations"][0]["origins"][0]["actors"][0].update(
            {"actor-uuid": uuid_of("nobody")}
        ),
    ),
    "a component that is not there": (
        "reference",
        lambda d: body(d, "system-security-plan")["control-implementation"][
            "implemented-requirements"
        ][0]["statements"][0]["by-components"][0].update({"component-uuid": uuid_of("nothing")}),
    ),
    "a property without a namespace": (
        "vocabulary",
        lambda d: results(d)["props"][0].pop("ns"),
    ),
    "two controls of one id": (
        "identity",
        lambda d: body(d, "catalog")["groups"][0]["controls"].append(
            body(d, "catalog")["groups"][0]["controls"][0]
        ),
    ),
    "an empty text": ("shape", lambda d: results(d).update(title="")),
    "no observation that it rests on": (
        "reference",
        lambda d: results(d)["observations"].pop(0),
    ),
    "another model": ("shape", lambda d: d.update({"catalog.json": {"katalog": {}}})),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_is_found_by_lint(name: str) -> None:
    rule, mutate = MUTATIONS[name]
    found = fresh()
    mutate(found)
    assert rule in {one.rule for one in lint(found, FILES)}, name


def test_every_row_that_applies_has_one_finding_and_the_counts_have_denominators() -> None:
    found = results(fresh())
    rows = picture().rows()
    assert len(found["findings"]) == len(rows)
    said = {one["name"]: one["value"] for one in found["props"]}
    states = Counter(one.state for one in picture().findings)
    assert set(states) == set(State), "the picture shows every state"
    for state in State:
        assert said[f"count-{state.value}"] == f"{states[state]} of {len(rows)}"


def test_only_what_is_satisfied_is_called_satisfied() -> None:
    stated = {one["title"]: one["target"]["status"] for one in results(fresh())["findings"]}
    for one in picture().findings:
        status = stated[one.requirement]
        assert (status["state"] == "satisfied") == (one.state is State.SATISFIED)
        if one.state in {State.STALE, State.NOT_APPLICABLE, State.EXCEPTED}:
            assert status["reason"] == "other"


def test_the_plan_of_action_has_what_is_open_and_the_end_of_each_exception() -> None:
    found = body(fresh(), "plan-of-action-and-milestones")
    still = [
        one
        for one in picture().findings
        if one.state.value
        in {
            "not-satisfied",
            "stale",
            "excepted-until",
        }
    ]
    assert len(found["poam-items"]) == len(still)
    (excepted,) = [one for one in found["risks"] if one["status"] == "deviation-approved"]
    assert excepted["deadline"] == "2026-01-31T00:00:00.000Z"


def test_all_rows_are_controls_and_all_threats_are_named() -> None:
    found = body(fresh(), "catalog")
    controls = [one for group in found["groups"] for one in group["controls"]]
    assert [one["id"] for one in controls] == [control_id(one) for one in catalogue().requirements]
    threats = {p["value"] for one in controls for p in one["props"] if p["name"] == "threat"}
    assert threats == set(catalogue().threats)


def test_mappings_name_places_and_say_which_framework_no_row_names() -> None:
    found = body(fresh(), "mapping-collection")
    named = {one["title"] for one in found["back-matter"]["resources"]}
    missing = {p["value"] for p in found["metadata"]["props"] if p["name"] == "unmapped"}
    assert named | missing == {one.title for one in FRAMEWORKS}
    assert missing == {one.title for one in unmapped(picture())}
    iso = next(one for one in FRAMEWORKS if one.name == "iso-27001")
    assert places(iso, catalogue().requirement("MFS-6.1-01")) == ("5.2", "5.3")
    assert len(found["mappings"]) == len(named)


def test_findings_that_are_not_those_of_the_rows_are_refused() -> None:
    whole = picture()
    short = Picture(
        provider="p",
        tool="t",
        version="1",
        environment="e",
        made_at=NOW,
        start=NOW - 1,
        catalogue=whole.catalogue,
        services=whole.services,
        checks=(),
        findings=whole.findings[1:],
    )
    with pytest.raises(Broken):
        documents(short)


def test_names_are_tokens_and_ids_depend_on_all_their_parts() -> None:
    assert as_token("7.3.2") == "n-7.3.2"
    assert as_token("pin wrong") == "pin-wrong"
    assert uuid_of("a", "b") != uuid_of("ab")
    assert re.fullmatch(r"[0-9a-f-]{14}5[0-9a-f]{3}-[89ab][0-9a-f-]+", uuid_of("a"))
