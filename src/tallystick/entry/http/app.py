"""The ASGI application and the server around it: one port, the lane first, Starlette for the rest.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.2.3
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.entry.http.access import AccessDoors
from tallystick.entry.http.aggregator import PartnerDoors
from tallystick.entry.http.beginnings import BeginningDoors
from tallystick.entry.http.doors import Doors
from tallystick.entry.http.early import EarlyRefusal
from tallystick.entry.http.lane import SEALED_TYPE, LaneHandler
from tallystick.entry.http.openapi import openapi_document
from tallystick.entry.http.streams import StreamDoor
from tallystick.entry.http.ussd import UssdDoor
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import (
    Broken,
    Malformed,
    MfsError,
    NotFound,
    TooLarge,
)
from tallystick.protocol.approvals import STREAM_PATH
from tallystick.protocol.keylist import DUAL_LIST_AT, LIST_AT
from tallystick.protocol.problems import problem_of

MAX_SEALED_BYTES = 64 * 1024
_Endpoint = Callable[[Request], Awaitable[Response]]


def _of_operators(doors: Doors) -> list[Route]:
    """What whoever runs the service asks: does it live, is it ready, what does it count."""
    return [
        Route("/health/live", doors.live, methods=["GET"]),
        Route("/health/ready", doors.ready, methods=["GET"]),
        Route("/metrics", doors.metrics, methods=["GET"]),
    ]


def application(
    doors: Doors,
    access: AccessDoors,
    ussd: UssdDoor,
    partners: PartnerDoors,
    sealed: dict[str, LaneHandler],
    early: EarlyRefusal,
    more: Sequence[Route] = (),
    *,
    beginnings: BeginningDoors,
    streams: StreamDoor,
) -> Starlette:
    """The whole service as an ASGI application, the sealed operations included.

    What would wait too long is refused by `early`, as in the lane. `more` are routes of doors that
    not every service has.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    document = openapi_document()

    async def openapi(_: Request) -> Response:
        return Response(document, media_type="application/json")

    routes = [
        Route("/v1/sessions", doors.hello, methods=["POST"]),
        Route("/v1/sessions/{session}", doors.establish, methods=["POST"]),
        Route("/v1/enrolments/{session}", doors.enrol, methods=["POST"]),
        Route("/v1/operators", doors.operator_enrol, methods=["POST"]),
        Route("/v1/certificates", doors.certificate, methods=["POST"]),
        Route("/v1/apps", doors.apps, methods=["POST"]),
        Route("/v1/devices/wipe", doors.wipe, methods=["POST"]),
        Route("/v1/acts/{act}", doors.act, methods=["POST"]),
        Route("/access/v1/evaluation", access.evaluation, methods=["POST"]),
        Route("/access/v1/evaluations", access.evaluations, methods=["POST"]),
        Route("/.well-known/authzen-configuration", access.configuration, methods=["GET"]),
        Route("/v1/ussd", ussd.message, methods=["POST"]),
        Route("/v1/aggregators/{aggregator}", partners.callback, methods=["POST"]),
        Route("/v1/sms/receipts", partners.receipt, methods=["POST"]),
        Route("/v1/partner/approvals", beginnings.begin, methods=["POST"]),
        Route("/v1/partner/approvals/status", beginnings.status, methods=["POST"]),
        Route("/v1/partner/approvals/cancel", beginnings.cancel, methods=["POST"]),
        Route("/v1/partner/approvals/offline", beginnings.offline, methods=["POST"]),
        Route("/v1/partner/approvals/reply", beginnings.reply, methods=["POST"]),
        Route(STREAM_PATH, streams.stream, methods=["POST"]),
        Route("/v1/sim/changes", partners.sim_change, methods=["POST"]),
        Route(LIST_AT, doors.keys, methods=["GET"]),
        Route(DUAL_LIST_AT, doors.dual_keys, methods=["GET"]),
        Route("/v1/message-keys", doors.message_keys, methods=["GET"]),
        Route("/v1/tally/checkpoint", doors.checkpoint, methods=["GET"]),
        Route("/v1/tally/consistency", doors.consistency, methods=["GET"]),
        *_of_operators(doors),
        Route("/openapi.json", openapi, methods=["GET"]),
        *(
            Route(path, _endpoint(handler, early), methods=["POST"])
            for path, handler in sorted(sealed.items())
        ),
        *more,
    ]

    async def refused(request: Request, error: Exception) -> Response:
        return doors.problem(request, _as_ours(error))

    return Starlette(
        routes=routes,
        exception_handlers={MfsError: refused, HTTPException: refused, Exception: refused},
    )


def _as_ours(error: Exception) -> MfsError:
    if isinstance(error, MfsError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code in {404, 405}:
            return NotFound("there is no such operation", remedy="see /openapi.json")
        return Malformed("the request does not fit the operation", remedy="see /openapi.json")
    return Broken("the service made an error; it was noted", remedy="try again later")


def _endpoint(handler: LaneHandler, early: EarlyRefusal) -> _Endpoint:
    """A sealed operation as an ordinary route, by the same handler that the lane calls."""

    async def endpoint(request: Request) -> Response:
        kind = request.headers.get("content-type", "").encode("latin-1")
        if not kind.startswith(SEALED_TYPE):
            return Response("send content-type: application/cose", 415)
        refused = early.of(request.url.path.encode())
        if refused is not None:
            retry = {"retry-after": str(refused[0].retry_after_s)}
            content = encode(problem_of(refused[0]))
            return Response(content, 503, retry, media_type="application/problem+json")
        collected = bytearray()
        async for chunk in request.stream():
            collected += chunk
            if len(collected) > MAX_SEALED_BYTES:
                raise TooLarge(f"the body is larger than {MAX_SEALED_BYTES} bytes")
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def respond(status: int, content_type: bytes, content: bytes, retry_after_s: int) -> None:
            headers = {"cache-control": "no-store"}
            if retry_after_s:
                headers["retry-after"] = str(retry_after_s)
            with suppress(asyncio.InvalidStateError):
                answered.set_result(
                    Response(content, status, headers, media_type=content_type.decode())
                )

        handler(bytes(collected), request.client.host if request.client else "", respond)
        return await answered

    return endpoint
