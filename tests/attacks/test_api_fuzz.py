"""Fuzzing of every operation from its own schema; what a session seals is mutated, then sealed."""

import json
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.served import served

from tallystick.entry.auditing import audit_provider
from tallystick.entry.http.openapi import openapi_document
from tallystick.entry.http.operations import OPERATIONS, Protection
from tallystick.infrastructure.envelope.cose import open_reply, seal_request
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE

EXAMPLES = int(os.environ.get("TALLYSTICK_FUZZ_EXAMPLES", "40"))
DOCUMENT = json.loads(openapi_document())
SEALED = [one for one in OPERATIONS if one.protection is Protection.SEALED]
CLEAR = [one for one in OPERATIONS if one.protection is not Protection.SEALED]
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / "provider"
    with served(folder) as one:
        yield one
    assert not audit_provider(one.folder).findings


@pytest.fixture(scope="module")
def people(provider):
    return (
        provider.person("+254700000950", "Fuzz Person", funds=100_000),
        provider.person("+254700000951", "Fuzz Agent", kind="agent", tier=3, till="400950"),
    )


def check(status: int, headers: dict[str, str]) -> None:
    assert status < 500 or (status == 503 and headers.get("retry-after")), status


@pytest.mark.requirement("MFS-7.2.5-05")
@pytest.mark.threat("THR-BE-01")
@pytest.mark.parametrize("operation", CLEAR, ids=lambda one: one.name)
def test_no_message_in_clear_breaks_the_service(provider, operation):
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    found = schema[operation.path][operation.method]

    @QUICK
    @given(case=found.as_strategy())
    def fuzz(case):
        answer = case.call(base_url=provider.url)
        headers = {name.lower(): str(value) for name, value in answer.headers.items()}
        check(answer.status_code, headers)

    fuzz()


def inner_document() -> dict:
    """The document with what is inside sealed messages in their place, for the generator."""
    document = json.loads(openapi_document())
    for one in SEALED:
        operation = document["paths"][one.path]["post"]
        content = {"application/json": {"schema": operation["x-inner-request"]}}
        operation["requestBody"]["content"] = content
    return document


INNER = inner_document()


def mutated(path: str) -> st.SearchStrategy[bytes]:
    """Bodies of an operation, some changed: a member lost, added or of another type, bytes."""
    found = schemathesis.openapi.from_dict(INNER)[path]["POST"]
    right = found.as_strategy().map(lambda case: case.body)

    def spoil(pair):
        body, how, value = pair
        if not isinstance(body, dict) or how == "right":
            return encode(body)
        names = sorted(body)
        if how == "lose" and names:
            body.pop(names[0])
        elif how == "add":
            body["surprise"] = value
        elif how == "retype" and names:
            body[names[-1]] = value
        octets = encode(body)
        if how == "cut":
            return octets[: len(octets) // 2]
        return octets + b" " if how == "space" else octets

    anything = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just([{}])
    how = st.sampled_from(("right", "right", "lose", "add", "retype", "cut", "space"))
    return st.tuples(right, how, anything).map(spoil) | st.binary(max_size=200)


def encode(body) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), default=str).encode()


@pytest.mark.requirement("MFS-7.2.5-05")
@pytest.mark.threat("THR-BE-01")
@pytest.mark.parametrize("operation", SEALED, ids=lambda one: one.name)
def test_no_sealed_message_breaks_the_service(provider, people, operation):
    @QUICK
    @given(body=mutated(operation.path), which=st.sampled_from((0, 1)))
    def fuzz(body, which):
        session = people[which].session
        live = session._open_session()
        live.sequence += 1
        message = seal_request(live.keys, operation.name, live.sequence, body)
        answer = provider.transport.post(operation.path, message, SEALED_MEDIA_TYPE)
        check(answer.status, answer.headers)
        if answer.sealed:
            content = open_reply(
                live.keys, operation.name, live.sequence, answer.status, answer.body
            )
            assert json.loads(content) is not None
        if operation.name == "session.end" and answer.status == 200:
            session.close()

    fuzz()
