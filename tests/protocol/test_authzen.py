"""The decision point by AuthZEN: the certification scenario, our own facts, and who may ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.decision_point import NAMES, Answered, ask, exchange, scenario_policy
from tests.support.looking import leaves_of
from tests.support.served import Served, served

ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
ADMIN = BOB | {"properties": {"role": "admin"}}
RECORD = {"type": "record", "id": "record-1"}
ARCHIVED = {"type": "record", "id": "record-2", "properties": {"status": "archived"}}
PARTNER = ("partner",)
READ, WRITE = {"name": "read"}, {"name": "write"}


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("authzen") / "p"
    with served(folder, policy_text=scenario_policy(), names=NAMES, more_roles=PARTNER) as provider:
        yield provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("partner") / "p", more_roles=PARTNER) as one:
        yield one


def question(subject: Any, action: Any, resource: Any) -> dict[str, Any]:
    return {"subject": subject, "action": action, "resource": resource}


def deleting(*, soft: bool) -> dict[str, Any]:
    return {"name": "delete", "properties": {"soft": soft}}


@pytest.mark.parametrize(
    ("subject", "action", "resource", "decision"),
    [
        (ALICE, READ, RECORD, True),
        (ALICE, WRITE, RECORD, True),
        (BOB, READ, RECORD, True),
        (BOB, WRITE, RECORD, False),
        (ALICE, WRITE, ARCHIVED, False),
        (ADMIN, WRITE, ARCHIVED, True),
        (ALICE, deleting(soft=True), RECORD, True),
        (ALICE, deleting(soft=False), RECORD, False),
    ],
)
def test_the_eight_decisions_of_the_scenario(
    certified: Served, subject: Any, action: Any, resource: Any, decision: bool
) -> None:
    asked = question(subject, action, resource)
    for more in ({}, {"context": {"time": "2025-06-27T18:03-07:00"}}, {"foo": {"nested": True}}):
        found = ask(certified, ONE, asked | more)
        assert (found.status, found.body["decision"]) == (200, decision), found.body
    batch = ask(certified, MANY, {"evaluations": [asked, asked]})
    assert [one["decision"] for one in batch.body["evaluations"]] == [decision, decision]


@pytest.mark.parametrize(
    "body",
    [
        {"action": READ, "resource": RECORD},
        {"subject": ALICE, "resource": RECORD},
        {"subject": ALICE, "action": READ},
        question({"id": "alice"}, READ, RECORD),
        question({"type": "user"}, READ, RECORD),
        question(ALICE, {}, RECORD),
        question(ALICE, READ, {"id": "record-1"}),
        question(ALICE, READ, {"type": "record"}),
        question("alice", READ, RECORD),
        question(ALICE, {"name": 123}, RECORD),
        question(ALICE | {"properties": []}, READ, RECORD),
        question(
            {"type": "user", "id": "x", "properties": {"tier": "two"}},
            READ,
            {"type": "x", "id": "y"},
        ),
        b"",
        b"{",
        b"[]",
        b"\xff",
    ],
)
def test_what_is_no_question_is_refused(certified: Served, body: Any) -> None:
    found = ask(certified, ONE, body, headers={"x-request-id": "r-1"})
    assert found.status == 400
    assert found.headers["x-request-id"] == "r-1"
    assert found.headers["content-type"] == "application/problem+json"


def test_another_content_type_is_refused(certified: Served) -> None:
    body = question(ALICE, READ, RECORD)
    assert ask(certified, ONE, body, headers={"content-type": "text/plain"}).status == 400


def test_the_callers_id_comes_back(certified: Served) -> None:
    body = question(ALICE, READ, RECORD)
    assert (
        ask(certified, ONE, body, headers={"x-request-id": "abc 7"}).headers["x-request-id"]
        == "abc 7"
    )
    assert "x-request-id" not in ask(certified, ONE, body).headers


def decisions(found: Answered) -> list[bool]:
    assert found.status == 200, found.body
    return [one["decision"] for one in found.body["evaluations"]]


def test_a_batch_inherits_whole_entities_and_keeps_its_order(certified: Served) -> None:
    top = {"subject": ALICE, "action": WRITE, "resource": RECORD}
    assert decisions(ask(certified, MANY, top | {"evaluations": [{}, {"resource": ARCHIVED}]})) == [
        True,
        False,
    ]
    by_subject = {"action": WRITE, "resource": ARCHIVED}
    asked = [{"subject": ALICE}, {"subject": ADMIN}]
    assert decisions(ask(certified, MANY, by_subject | {"evaluations": asked})) == [False, True]


def test_one_defective_evaluation_does_not_spoil_the_others(certified: Served) -> None:
    top = {"subject": ALICE, "action": READ}
    found = ask(certified, MANY, top | {"evaluations": [{"resource": RECORD}, {}, 7]})
    assert decisions(found) == [True, False, False]
    assert "lacks resource" in found.body["evaluations"][1]["context"]["error"]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_batch_may_stop_at_the_first(
    certified: Served, semantic: str, expected: list[bool]
) -> None:
    asked = [{"resource": RECORD}, {"resource": ARCHIVED}, {"resource": RECORD}]
    body = {"subject": ALICE, "action": WRITE, "evaluations": asked}
    found = ask(certified, MANY, body | {"options": {"evaluations_semantic": semantic}})
    assert decisions(found) == expected


def test_without_evaluations_a_batch_is_one_question(certified: Served) -> None:
    body = question(ALICE, READ, RECORD)
    assert ask(certified, MANY, body).body["decision"] is True
    assert ask(certified, MANY, body | {"evaluations": []}).body["decision"] is True
    assert ask(certified, MANY, body | {"evaluations": {}}).body["decision"] is True
    assert ask(certified, MANY, body | {"evaluations": "all"}).status == 400


def test_the_configuration_says_where(certified: Served) -> None:
    found = exchange(certified, "GET", "/.well-known/authzen-configuration", None, {})
    assert found.status == 200
    assert found.headers["content-type"] == "application/json"
    base = found.body["policy_decision_point"]
    assert base == certified.url
    assert found.body["access_evaluation_endpoint"] == base + ONE
    assert found.body["access_evaluations_endpoint"] == base + MANY
    assert found.body["obligations_supported"] == ["step-up"]


def published(text: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each request of the scenario: its path, its body, and what is expected of it."""
    part = text[text.index("# Basic Certification") : text.index("# Search Certification")]
    for section in re.split(r"^#{2,3} ", part, flags=re.MULTILINE)[1:]:
        path = MANY if part.index(section) > part.index("# Batch Certification") else ONE
        pieces = re.split(r"\*\*Request[^*]*\*\*", section)[1:]
        for number, piece in enumerate(pieces):
            expected = "**Expected:**" + pieces[number].partition("**Expected:**")[2]
            block = re.search(r"~~~ json\n(.+?)~~~", piece, re.DOTALL)
            if block is not None:
                if "HTTP" not in expected:
                    expected = "**Expected:**" + pieces[-1].partition("**Expected:**")[2]
                yield path, json.loads(block[1]), expected


def test_the_published_scenario_passes(certified: Served, test_data: Path) -> None:
    file = test_data / "authzen" / "authorization-api-1_0-scenario.md"
    if not file.exists():
        pytest.skip("the scenario is not among the test data")
    seen = 0
    for path, body, expected in published(file.read_text(encoding="utf-8")):
        found = ask(certified, path, body)
        if "HTTP 400" in expected:
            assert found.status == 400, (body, found.body)
        else:
            assert found.status == 200, (body, found.body)
            block = re.search(r"~~~ json\n(.+?)~~~", expected, re.DOTALL)
            wanted = json.loads(block[1]) if block else {}
            if "evaluations" in wanted:
                assert decisions(found) == [one["decision"] for one in wanted["evaluations"]]
            elif "evaluations" in found.body:
                assert len(decisions(found)) == len(body["evaluations"])
            elif "decision" in wanted or '"decision": true' in expected:
                assert found.body["decision"] is wanted.get("decision", True), body
        seen += 1
    assert seen >= 20, seen


PAYMENT = question(
    {
        "type": "customer",
        "id": "somebody",
        "properties": {
            "tier": 2,
            "account_status": "active",
            "device_trust": "software",
            "grade": "device-signed",
            "factors": ["possession", "knowledge"],
            "device_age_ms": 10**10,
        },
    },
    {
        "name": "pay",
        "properties": {"kind": "p2p", "amount_minor": 2_000_001, "currency": "KES"},
    },
    {"type": "account", "id": "another", "properties": {"payee_known": False}},
) | {"context": {"channel": "app"}}


def test_our_own_facts_are_asked_by_name_and_a_step_up_names_the_grade(provider: Served) -> None:
    found = ask(provider, ONE, PAYMENT).body
    assert found["decision"] is False
    assert found["context"]["row"] == "person-signed-large"
    assert found["context"]["outcome"] == "step-up"
    assert found["context"]["obligations"] == [
        {"type": "step-up", "id": "person-signed-large", "acr_value": "device-signed-attested"}
    ]
    stronger = json.loads(json.dumps(PAYMENT))
    stronger["subject"]["properties"] |= {
        "grade": "device-signed-attested",
        "device_trust": "attested-hardware",
    }
    found = ask(provider, ONE, stronger).body
    assert (found["decision"], found["context"]["row"]) == (True, "person-attested")
    assert {
        "id": "tier-2/86400",
        "window_s": 86_400,
        "amount_minor": 50_000_000,
        "count": None,
    } in found["context"]["limits"]
    assert found["context"]["policy_version"] == 1
    fewer = json.loads(json.dumps(stronger))
    fewer["subject"]["properties"]["factors"] = ["possession"]
    found = ask(provider, ONE, fewer).body
    assert found["context"]["obligations"][0]["acr_value"] == "categories-2"


def test_a_fact_that_nobody_gave_is_denied_and_two_ways_are_refused(provider: Served) -> None:
    bare = question(
        {"type": "customer", "id": "x"}, {"name": "pay"}, {"type": "account", "id": "y"}
    )
    found = ask(provider, ONE, bare).body
    assert (found["decision"], found["context"]["row"]) == (False, "unknown-word")
    twice = PAYMENT | {"context": {"channel": "app", "tier": 3}}
    assert ask(provider, ONE, twice).status == 400


@pytest.mark.threat("THR-INS-01")
def test_only_a_partner_who_signed_this_body_just_now_may_ask(provider: Served) -> None:
    assert ask(provider, ONE, PAYMENT, signed=False).status == 401
    assert ask(provider, ONE, PAYMENT, role="care-desk").status == 403
    body = json.dumps(PAYMENT).encode()
    partner = provider.operators["partner"][0]
    for jws in (
        partner.signature("evaluate-policy", body + b" "),
        partner.signature("close-day", body),
        "a.b.c",
        "",
    ):
        refused = ask(provider, ONE, body, headers={"authorization": f"Bearer {jws}"})
        assert refused.status in {400, 401}, jws
    assert ask(provider, ONE, body).status == 200


def test_asking_records_nothing_and_permits_nothing(provider: Served) -> None:
    before = leaves_of(provider)
    ask(provider, MANY, {"evaluations": [PAYMENT] * 20})
    assert leaves_of(provider) == before
