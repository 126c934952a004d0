"""The one error tree; whoever catches an error of ours catches one of these.

    MfsError                      code, public detail, what to do
    |- Refused                    expected: the caller or the policy; never logged as a fault
    |  |- Malformed        400    the bytes are not what the specification says
    |  |- TooLarge         413    more bytes than the operation takes
    |  |- Unauthenticated  401    no live session, or no valid proof of identity
    |  |- NotAuthentic     401    a MAC, signature or tag did not verify; one face for every cause
    |  |- StepUpRequired   401    allowed once a stronger factor or grade is given; not final
    |  |- NotPermitted     403    the policy or the role says no
    |  |- NotFound         404
    |  |- Conflict         409    the id is known with another body, or the state forbids the act
    |  |- Replayed         409    a message or code was seen before
    |  |- Expired          410    the quote, code, session or act is past its time
    |  |- InsufficientFunds 422   the debit would pass the floor of the account
    |  |- LimitExceeded    429    a limit of the policy would be passed
    |  |- UpgradeRequired  426    the application may not do this; another version may
    |  `- RateLimited      429    too many requests; come back later
    |- Unavailable         503    module, store or partner out of reach; retry the same id later
    |  `- OutOfReach       503    the policy waits for what the act leans on; nothing was kept
    |     `- ServiceSuspended 503 operators suspended it for everybody; nothing was kept
    `- Broken              500    an invariant does not hold; writes stop

A public detail may be shown to whoever sent the message: it never holds a secret, a name or a
number of a person. The true cause travels in ``__cause__`` and stays inside.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

from typing import ClassVar


class MfsError(Exception):
    """Root of every error that crosses a package surface of Tallystick.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        remedy: str = "",
        because: str = "",
        retry_after_s: int | None = None,
        suffices: tuple[str, ...] = (),
    ) -> None:
        """Carry a public `detail`, a `remedy` for the reader and the policy row in `because`.

        `suffices` names, for programs, what would be enough where a stronger proof is asked for.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy
        self.because = because
        self.retry_after_s = retry_after_s
        self.suffices = suffices

    def __str__(self) -> str:
        parts = [self.detail]
        if self.because:
            parts.append(f"(because {self.because})")
        if self.remedy:
            parts.append(f"-> {self.remedy}")
        return " ".join(parts)


class Refused(MfsError):
    """An expected refusal: the input or the policy, not a fault of the service.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "refused"
    status = 400


class Malformed(Refused):
    """The bytes do not have the specified form.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    code = "malformed"
    status = 400


class TooLarge(Refused):
    """The message is larger than its operation accepts.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    code = "too-large"
    status = 413


class Unauthenticated(Refused):
    """No live session or no valid proof of identity came with the request.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    code = "unauthenticated"
    status = 401


class NotAuthentic(Refused):
    """A MAC, signature, tag or proof did not verify; the message never says which.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "not-authentic"
    status = 401


class StepUpRequired(Refused):
    """The act is allowed with a stronger factor or consent grade; this answer is not final.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    code = "step-up-required"
    status = 401


class NotPermitted(Refused):
    """The policy in force or the role of the caller forbids the act.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "not-permitted"
    status = 403


class NotFound(Refused):
    """What the request names does not exist for this caller.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "not-found"
    status = 404


class Conflict(Refused):
    """The id is known with another body, or the present state forbids the act.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "conflict"
    status = 409


class Replayed(Refused):
    """The message, code or nonce was used before.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "replayed"
    status = 409


class Expired(Refused):
    """The quote, code, session or act is past its time.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    code = "expired"
    status = 410


class InsufficientFunds(Refused):
    """The debit would take the account below its floor.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "insufficient-funds"
    status = 422


class LimitExceeded(Refused):
    """A limit of the policy in force would be passed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "limit-exceeded"
    status = 429


class RateLimited(Refused):
    """Too many requests from one source; `retry_after_s` says when to come back.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    code = "rate-limited"
    status = 429
    retryable = True


class UpgradeRequired(Refused):
    """The application that the device runs may not do this: altered, withdrawn or too old.

    Source: ISO/TS 12812-2:2017, 7.2.8; 7.4.4
    """

    code = "upgrade-required"
    status = 426


class Unavailable(MfsError):
    """A module, store, clock or partner is out of reach; retry with the same id.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    code = "unavailable"
    status = 503
    retryable = True


class OutOfReach(Unavailable):
    """The policy holds the act back while what it leans on fails; not final, same id later.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    code = "out-of-reach"


class ServiceSuspended(OutOfReach):
    """Operators suspended this kind of payment or this channel for everybody; same id later.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    code = "service-suspended"


class Broken(MfsError):
    """An invariant does not hold; the service stops accepting writes.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code = "broken"
    status = 500


def error_classes() -> tuple[type[MfsError], ...]:
    """Every class of the tree, root first, in the order of definition.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    found: list[type[MfsError]] = [MfsError]
    for cls in found:
        found.extend(sub for sub in cls.__subclasses__() if sub not in found)
    return tuple(found)


def error_by_code(code: str) -> type[MfsError]:
    """The class that carries `code`; `Broken` for a code that this version does not know.

    Source: RFC 9457, 3.1
    """
    return _BY_CODE.get(code, Broken)


_BY_CODE: dict[str, type[MfsError]] = {cls.code: cls for cls in error_classes()}
