"""Which operation a request in clear asks for, and when it came; its body, and replies in clear.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from tallystick.entry.accounting import Accounting
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import MfsError, TooLarge
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant
from tallystick.protocol.problems import problem_of

_OPERATION = "tallystick.operation"
_BEGAN = "tallystick.began"


def asked_for(request: Request, operation: str) -> None:
    """Note that `request` asks for `operation`, and that it came now.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    request.scope[_OPERATION] = operation
    request.scope.setdefault(_BEGAN, monotonic())


def began(request: Request) -> float:
    """When `request` came, by the monotonic clock.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return float(request.scope[_BEGAN])


def count_answer(accounting: Accounting, request: Request, status: int, code: str) -> None:
    """Count the answer to `request`; what asked for nothing known counts as `open`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    scope = request.scope
    accounting.answered(scope.get(_OPERATION, "open"), status, code, scope.get(_BEGAN, 0.0))


def peer_of(request: Request) -> str:
    """The address that `request` came from.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return request.client.host if request.client else ""


async def body_of(
    request: Request, accounting: Accounting, now: Instant, *, cost: float, limit: int
) -> bytes:
    """The body of `request`, which counts `cost` against the rate of its address.

    Raises RateLimited, and TooLarge past `limit` bytes.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    accounting.admit_source(peer_of(request), now, cost)
    collected = bytearray()
    async for chunk in request.stream():
        collected += chunk
        if len(collected) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
    return bytes(collected)


def json_of(reply: Wire, status: int = 200) -> Response:
    """`reply` as JSON.

    Source: RFC 8259
    """
    return Response(encode(reply), status, media_type="application/json")


def problem_of_refusal(accounting: Accounting, request: Request, error: MfsError) -> Response:
    """The problem document of a refusal in clear, counted.

    Source: RFC 9457, 3
    """
    count_answer(accounting, request, error.status, error.code)
    problem = problem_of(error)
    headers = {"retry-after": str(problem.retry_after_s)} if problem.retry_after_s else None
    return Response(encode(problem), error.status, headers, media_type="application/problem+json")
