"""Errors of ours in the shapes that the service model has for them.

Source: AWS Payment Cryptography API, errors; RFC 9110, 15
"""

from typing import Final

from tallystick.entry.pki.partnerlists import UNKNOWN
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Expired,
    LimitExceeded,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.model import Record

DATA_TYPE: Final = b"application/json"
CONTROL_TYPE: Final = b"application/x-amz-json-1.0"


class Answer(Record, frozen=True, kw_only=True):
    """What goes out: status, name of the error (empty for none), body.

    Source: RFC 9110
    """

    status: int
    error: str
    body: bytes


NO_ROW: Final = "no row of the door's settings"
NO_CALL: Final = "no such call"
ENDED: Final = "the program is not in force"
"""Why a request is refused that was signed with the right secret, of a program that has ended."""
REASONS: Final = frozenset(
    {
        "INVALID_MAC", "INVALID_PIN", "INVALID_VALIDATION_DATA", "INVALID_AUTH_REQUEST_CRYPTOGRAM",
    }
)  # fmt: skip
"""What a verification can fail by, in the model's words."""


def denied() -> NotPermitted:
    """The refusal of what no row lets a program do.

    Source: ISO/TS 12812-2:2017, 7.5
    """
    return NotPermitted("the program may not do this with this key", because=NO_ROW)


def unproved(reason: str) -> NotAuthentic:
    """The refusal of what a verifying call was asked about; `reason` is the model's word for it.

    Source: AWS Payment Cryptography API, VerificationFailedException
    """
    return NotAuthentic("the verification failed", because=reason)


def no_such_call() -> NotFound:
    """The refusal of a call that the door does not have.

    Source: AWS Payment Cryptography API
    """
    return NotFound("the door has no such call", remedy="see the table of calls", because=NO_CALL)


_DATA_STATUS: Final = {
    "AccessDeniedException": 403, "ResourceNotFoundException": 404, "ThrottlingException": 429,
}  # fmt: skip
_SIGNATURE: Final = "InvalidSignatureException"


def name_of(error: MfsError, *, signed: bool, control: bool) -> tuple[str, int]:
    """The model's name of `error` and its status; `signed` says that the caller was proved.

    Source: AWS Payment Cryptography API, errors
    """
    if not signed and isinstance(error, Unauthenticated):
        return "MissingAuthenticationTokenException", 403
    if not signed and error.because == ENDED:
        return "UnrecognizedClientException", 400 if control else 403
    if not signed and isinstance(error, NotAuthentic | Expired):
        return _SIGNATURE, 403
    name = _name(error, control=control)
    if name == "InternalServerException":
        return name, 500
    if name == "ServiceUnavailableException":
        return name, 503
    return name, 400 if control else _DATA_STATUS.get(name, 400)


def _name(error: MfsError, *, control: bool) -> str:
    if error.because in REASONS:
        return "VerificationFailedException"
    known = _BY_CAUSE.get(error.because)
    if known is not None:
        return known
    rows = (*_ALIKE, *(_OF_CONTROL if control else _OF_DATA))
    return next((name for kind, name in rows if isinstance(error, kind)), "ValidationException")


_BY_CAUSE: Final = {
    "pins-in-software": "AccessDeniedException",
    "surrogate-purpose": "AccessDeniedException",
    "surrogate-warrant": "AccessDeniedException",
    NO_ROW: "AccessDeniedException",
    UNKNOWN: "AccessDeniedException",
    NO_CALL: "UnknownOperationException",
}
_ALIKE: Final[tuple[tuple[type[MfsError], str], ...]] = (
    (RateLimited, "ThrottlingException"),
    (NotFound, "ResourceNotFoundException"),
    (Broken, "InternalServerException"),
)
_OF_CONTROL: Final[tuple[tuple[type[MfsError], str], ...]] = (
    (Unavailable, "ServiceUnavailableException"),
    (Conflict, "ConflictException"),
    (LimitExceeded, "ServiceQuotaExceededException"),
)
_OF_DATA: Final[tuple[tuple[type[MfsError], str], ...]] = (
    (Unavailable, "InternalServerException"),
)


def refusal(error: MfsError, *, signed: bool, control: bool, about: str = "") -> Answer:
    """The answer that says `error`; `about` is the key or alias that was not found.

    Nothing of the request is repeated but that name, which the program itself gave.
    Source: AWS Payment Cryptography API, errors
    """
    name, status = name_of(error, signed=signed, control=control)
    said = f"{error.detail}: {error.remedy}" if error.remedy else error.detail
    text = "the service cannot answer now" if status >= 500 else said
    body: dict[str, object] = {"__type": name, "Message": text, "message": text}
    if name == "ResourceNotFoundException":
        body["ResourceId"] = about
    if name == "VerificationFailedException":
        body["Reason"] = error.because
    return Answer(status=status, error=name, body=encode(body))
