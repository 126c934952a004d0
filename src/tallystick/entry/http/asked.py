"""Which operation a request in clear asks for, and when it came; kept with the request.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from time import monotonic

from starlette.requests import Request

from tallystick.entry.accounting import Accounting

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
