"""The OpenAPI document, generated from the operation table and the protocol structs.

A sealed operation takes and gives `application/cose`; what is inside is named by `x-inner-request`
and `x-inner-reply`, which refer to the same components as everything else.

Source: OpenAPI 3.1
"""

from typing import Any

from tallystick import __version__
from tallystick.entry.http.operations import (
    COMMON_REFUSALS,
    OPERATIONS,
    SCHEMAS,
    Operation,
    Protection,
)
from tallystick.kernel.codec import encode, json_schema
from tallystick.kernel.errors import error_by_code
from tallystick.protocol.problems import Problem

_REFERENCE = "#/components/schemas/{name}"
_SEALED = "application/cose"
_BEARER = "signature"
_FORM = "application/x-www-form-urlencoded"
_SIGNATURE = {
    "type": "http",
    "scheme": "bearer",
    "description": "An act `evaluate-policy` (compact JWS) over the body of the request.",
}
_SEALED_SCHEMA = {"type": "string", "format": "binary"}
_DESCRIPTION = (
    "Operations of a Tallystick provider. Sealed operations carry COSE_Encrypt0 (RFC 9052) under"
    " the keys of a session; x-inner-request and x-inner-reply name what is inside."
)


def openapi_document() -> bytes:
    """The document as JSON.

    Source: OpenAPI 3.1
    """
    names = [*SCHEMAS, "Problem"]
    _, components = json_schema([*SCHEMAS.values(), Problem], _REFERENCE)
    for name in ("AccessRequest", "AccessBatch", "AccessSubject", "AccessAction", "AccessResource"):
        components[name].pop("additionalProperties", None)
    for name in names:
        components.setdefault(name, {"type": "object"})
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Tallystick", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {_BEARER: _SIGNATURE}},
    }
    return encode(document)


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.use_case,
        "tags": [one.protection.value],
        "responses": _responses(one),
        "x-protection": one.protection.value,
        "x-clauses": list(one.clauses),
        "x-roles": list(one.roles),
        "x-grades": list(one.grades),
    }
    parameters = _parameters(one)
    if parameters:
        described["parameters"] = parameters
    if one.method == "POST":
        described["requestBody"] = {"required": True, "content": _request_content(one)}
    if one.protection is Protection.BEARER:
        described["security"] = [{_BEARER: []}]
    if one.protection is Protection.SEALED:
        described["x-inner-request"] = _ref(one.request)
        described["x-inner-reply"] = _ref(one.reply)
    return described


def _parameters(one: Operation) -> list[dict[str, Any]]:
    if "{session}" in one.path:
        return [_parameter("session", "path", {"type": "string"})]
    if "{aggregator}" in one.path:
        return [_parameter("aggregator", "path", {"type": "string"})]
    if one.name == "tally.consistency":
        size = {"type": "integer", "minimum": 1}
        return [_parameter("old", "query", size), _parameter("new", "query", size)]
    return []


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": schema}


def _request_content(one: Operation) -> dict[str, Any]:
    if one.protection is Protection.SEALED:
        return {_SEALED: {"schema": _SEALED_SCHEMA}}
    if one.protection is Protection.ACT:
        body = {
            "type": "object",
            "additionalProperties": False,
            "required": ["jws", "body"],
            "properties": {"jws": {"type": "string"}, "body": _ref(one.request)},
        }
        return {"application/json": {"schema": body}}
    if one.plain:
        return {"application/json": {"schema": {"oneOf": [_ref(one.request), _ref(one.plain)]}}}
    return {_FORM if one.form else "application/json": {"schema": _ref(one.request)}}


def _responses(one: Operation) -> dict[str, Any]:
    sealed = one.protection is Protection.SEALED
    sealed_reply = sealed or one.reply in {"SessionAccepted", "EnrolmentAccepted"}
    content = (
        {_SEALED: {"schema": _SEALED_SCHEMA}}
        if sealed_reply
        else {"application/json": {"schema": _ref(one.reply)}}
    )
    if one.streamed:
        content = {"text/event-stream": {"schema": {"type": "string"}}}
    if one.form:
        content = {"text/plain": {"schema": {"type": "string"}}}
    responses: dict[str, Any] = {"200": {"description": "done", "content": content}}
    by_status: dict[int, list[str]] = {}
    for code in sorted({*COMMON_REFUSALS, *one.refusals}):
        by_status.setdefault(error_by_code(code).status, []).append(code)
    problem: dict[str, Any] = {"application/problem+json": {"schema": _ref("Problem")}}
    if sealed:
        problem[_SEALED] = {"schema": _SEALED_SCHEMA}
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {"description": ", ".join(codes), "content": problem}
    if sealed:
        text = {"text/plain": {"schema": {"type": "string"}}}
        responses["415"] = {"description": "not application/cose", "content": text}
    return responses


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=name)}
