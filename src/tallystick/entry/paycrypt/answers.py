"""Errors of ours in the shapes that the service model has for them.

Source: AWS Payment Cryptography API, errors; RFC 9110, 15
"""

from typing import Final

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


class Denied(NotPermitted):
    """No row lets the program do this.

    Source: ISO/TS 12812-2:2017, 7.5
    """


class Unproved(NotAuthentic):
    """What a verifying call was asked about is not so; `reason` is the model's word for it.

    Source: AWS Payment Cryptography API, VerificationFailedException
    """

    def __init__(self, reason: str) -> None:
        """Carry the model's `reason`.

        Source: AWS Payment Cryptography API, VerificationFailedException
        """
        super().__init__("the verification failed")
        self.reason = reason


class NoSuchCall(NotFound):
    """The door has no such call.

    Source: AWS Payment Cryptography API
    """


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
    if not signed and isinstance(error, NotAuthentic | Expired):
        return _SIGNATURE, 403
    name = _name(error, control=control)
    if name == "InternalServerException":
        return name, 500
    if name == "ServiceUnavailableException":
        return name, 503
    return name, 400 if control else _DATA_STATUS.get(name, 400)


def _name(error: MfsError, *, control: bool) -> str:
    if error.because == "pins-in-software":
        return "AccessDeniedException"
    rows = (*_ALIKE, *(_OF_CONTROL if control else _OF_DATA))
    return next((name for kind, name in rows if isinstance(error, kind)), "ValidationException")


_ALIKE: Final[tuple[tuple[type[MfsError], str], ...]] = (
    (Unproved, "VerificationFailedException"),
    (Denied, "AccessDeniedException"),
    (NoSuchCall, "UnknownOperationException"),
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
    text = "the service cannot answer now" if status >= 500 else str(error)
    body: dict[str, object] = {"__type": name, "Message": text, "message": text}
    if name == "ResourceNotFoundException":
        body["ResourceId"] = about
    if isinstance(error, Unproved):
        body["Reason"] = error.reason
    return Answer(status=status, error=name, body=encode(body))
