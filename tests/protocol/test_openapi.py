"""The OpenAPI document is valid, complete, and what the service really serves."""

import json
import re

from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.support.served import served

from tallystick.entry.http.openapi import openapi_document
from tallystick.entry.http.operations import OPERATIONS


def test_the_document_is_valid():
    OpenAPIV31SpecValidator(json.loads(openapi_document())).validate()


def test_every_operation_is_its_own_route_with_an_inner_schema_where_it_is_sealed():
    document = json.loads(openapi_document())
    described = {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert set(described) == {one.name for one in OPERATIONS}
    components = document["components"]["schemas"]
    for operation in described.values():
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(operation)):
            assert name in components
        if operation["x-protection"] == "sealed":
            assert operation["x-inner-request"]
            assert operation["x-inner-reply"]


def test_whatever_asks_for_terms_or_pays_names_that_its_service_may_be_suspended():
    paying = {
        "payment.quote", "payment.order", "approval.begin", "approval.approve",
        "approvals.begin", "approvals.reply",
    }  # fmt: skip
    assert paying == {one.name for one in OPERATIONS if "service-suspended" in one.refusals}


def test_the_service_serves_what_it_describes(tmp_path):
    with served(tmp_path / "p", join=False) as provider:
        reply = provider.transport.get("/openapi.json")
        assert json.loads(reply.body) == json.loads(openapi_document())
        for path, methods in json.loads(reply.body)["paths"].items():
            concrete = path.replace("{session}", "ses_" + "0" * 26)
            for method in methods:
                if method == "post":
                    answer = provider.transport.post(concrete, b"{}", "application/json")
                else:
                    answer = provider.transport.get(concrete)
                kind = answer.headers.get("content-type", "")
                assert answer.status != 500, (method, path)
                if answer.status == 404:
                    assert b"no such operation" not in answer.body, (method, path)
                if answer.status >= 400 and answer.status != 415:
                    assert kind.startswith("application/problem+json"), (method, path, kind)
