"""Problem documents: how every refusal looks outside, sealed or in clear.

Source: RFC 9457; ISO/TS 12812-2:2017, 7.3.4
"""

from typing import Annotated

from tallystick.kernel.classification import PUBLIC, SENSITIVE
from tallystick.kernel.errors import MfsError, error_by_code
from tallystick.kernel.model import Wire
from tallystick.protocol.receipt import Receipt

PROBLEM_TYPE = "urn:tallystick:problem:"


class Problem(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, why, and what to do; a remembered refusal carries its receipt.

    `suffices` names what a step-up takes: `grade:G`, `categories:N`, `factor:F`, `fresh:SECONDS`.
    Source: RFC 9457, 3.1
    """

    type: Annotated[str, PUBLIC]
    title: Annotated[str, PUBLIC]
    status: Annotated[int, PUBLIC]
    detail: Annotated[str, PUBLIC]
    remedy: Annotated[str, PUBLIC] = ""
    because: Annotated[str, PUBLIC] = ""
    retry_after_s: Annotated[int, PUBLIC] = 0
    suffices: Annotated[tuple[str, ...], PUBLIC] = ()
    receipt: Annotated[Receipt | None, SENSITIVE] = None


def problem_of(error: MfsError, receipt: Receipt | None = None) -> Problem:
    """The problem document of `error`.

    Source: RFC 9457, 3.1
    """
    return Problem(
        type=PROBLEM_TYPE + error.code,
        title=error.code.replace("-", " "),
        status=error.status,
        detail=error.detail,
        remedy=error.remedy,
        because=error.because,
        retry_after_s=error.retry_after_s or (1 if error.retryable else 0),
        suffices=error.suffices,
        receipt=receipt,
    )


def error_of(problem: Problem) -> MfsError:
    """The error that a problem document stands for, to be raised by whoever received it.

    Source: RFC 9457, 3.1
    """
    cls = error_by_code(problem.type.removeprefix(PROBLEM_TYPE))
    return cls(
        problem.detail,
        remedy=problem.remedy,
        because=problem.because,
        retry_after_s=problem.retry_after_s or None,
        suffices=problem.suffices,
    )
