"""One row of the operation table, and how rows of each protection are written.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.5
"""

from enum import StrEnum

from tallystick.kernel.model import Record


class Protection(StrEnum):
    """How a request and its reply are protected, on top of TLS.

    sealed: COSE_Encrypt0 in a session. handshake: what opens one. act: signed by an operator's key.
    bearer: the same, with the signature over the body in the header `authorization`.
    gateway: signed by a registered gateway, in an envelope (`request`) or as an HTTP message
    (`plain`), which is answered by a signed reply. callback: with the proof of a registered
    partner. open: public, in clear.
    Source: ISO/TS 12812-2:2017, 3.9; 3.14; 7.2.7
    """

    SEALED = "sealed"
    HANDSHAKE = "handshake"
    ACT = "act"
    BEARER = "bearer"
    GATEWAY = "gateway"
    CALLBACK = "callback"
    OPEN = "open"


class Operation(Record, frozen=True, kw_only=True):
    """One row: what it is for, how it is reached and protected, by whom, and how it may refuse.

    `request` and `reply` name the protocol structs; for sealed operations they are what is inside.
    `plain` is the request where a partner signs the HTTP message instead of an envelope.
    `refusals` are codes of the error tree besides those that every operation has. With `form` the
    request is a form, and the reply plain text. With `streamed` it comes as server-sent events.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    name: str
    method: str
    path: str
    protection: Protection
    request: str
    reply: str
    use_case: str
    clauses: tuple[str, ...]
    roles: tuple[str, ...]
    grades: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    form: bool = False
    plain: str = ""
    streamed: bool = False


COMMON_REFUSALS = ("malformed", "too-large", "rate-limited", "unavailable", "broken")
SESSION_REFUSALS = ("unauthenticated", "not-authentic", "replayed", "not-permitted")
ORDER_REFUSALS = (
    "conflict", "expired", "insufficient-funds", "limit-exceeded", "not-found", "out-of-reach",
    "service-suspended", "step-up-required",
)  # fmt: skip
_ACT_REFUSALS = (
    "not-authentic", "not-permitted", "conflict", "expired", "not-found", "out-of-reach",
)  # fmt: skip


def sealed(
    name: str, path: str, request: str, reply: str, use_case: str, clauses: tuple[str, ...],
    roles: tuple[str, ...] = ("customer", "agent", "merchant"), grades: tuple[str, ...] = (),
    refusals: tuple[str, ...] = (),
) -> Operation:  # fmt: skip
    """An operation inside a session.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return Operation(
        name=name, method="POST", path=path, protection=Protection.SEALED, request=request,
        reply=reply, use_case=use_case, clauses=clauses, roles=roles, grades=grades,
        refusals=(*SESSION_REFUSALS, *refusals),
    )  # fmt: skip


def act(
    name: str, request: str, use_case: str, clauses: tuple[str, ...], roles: tuple[str, ...]
) -> Operation:
    """An act that an operator signs.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return Operation(
        name=name, method="POST", path=f"/v1/acts/{name}", protection=Protection.ACT,
        request=request, reply="ActReply", use_case=use_case, clauses=clauses, roles=roles,
        refusals=_ACT_REFUSALS,
    )  # fmt: skip


def asked(name: str, path: str, request: str, reply: str, use_case: str) -> Operation:
    """A question or order of a partner, signed or by a secret of its own.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return Operation(
        name=name, method="POST", path=path, protection=Protection.BEARER, request=request,
        reply=reply, use_case=use_case, clauses=("6.1", "7.3.3"), roles=("partner",),
        refusals=("unauthenticated", "not-authentic", "not-permitted", "expired"),
    )  # fmt: skip


def public(
    name: str, method: str, path: str, protection: Protection, request: str, reply: str,
    use_case: str, clauses: tuple[str, ...], refusals: tuple[str, ...] = (), plain: str = "",
) -> Operation:  # fmt: skip
    """An operation in clear, or with a protection of its own.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return Operation(
        name=name, method=method, path=path, protection=protection, request=request, reply=reply,
        use_case=use_case, clauses=clauses, roles=("anyone",), refusals=refusals, plain=plain,
    )  # fmt: skip
