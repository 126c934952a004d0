"""What an authority states: under which policy, of which digest, with which number, and when.

Source: RFC 3161, 2.4.2
"""

import re
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    INTEGER,
    NULL,
    OBJECT,
    OCTETS,
    SEQUENCE,
    TIME,
    Members,
    Value,
    dotted,
    number,
    single,
)
from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import Instant, instant_of

_GENERAL: Final = re.compile(
    rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,8}[1-9]))?Z", re.ASCII
)
_ACCURACY, _ORDERING_FIRST, _NAME, _EXTENSIONS = SEQUENCE, BOOLEAN, 0xA0, 0xA1
_MILLI, _MICRO = 0x80, 0x81
_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement: `digest` under `algorithm`, `at` in ms, and how exact that is (ms, 0 unsaid).

    `nonce` is None where none was sent.
    Source: RFC 3161, 2.4.2
    """

    policy: str
    algorithm: str
    digest: bytes
    serial: int
    at: Instant
    accuracy_ms: int
    nonce: int | None


def read_statement(octets: bytes) -> Statement:
    """The statement in `octets`.

    Raises Malformed for another form, another version, or an extension that must be understood.
    Source: RFC 3161, 2.4.2
    """
    members = Members(single(octets, SEQUENCE))
    if number(members.take(INTEGER)) != 1:
        raise Malformed("the statement is of another version than 1")
    policy = dotted(members.take(OBJECT))
    algorithm, digest = _imprint(members.take(SEQUENCE))
    serial, at = number(members.take(INTEGER)), general_time(members.take(TIME))
    accuracy = _accuracy(members.maybe(_ACCURACY))
    ordering = members.maybe(_ORDERING_FIRST)
    if ordering is not None and ordering.body != b"\xff":
        raise Malformed("the statement says of its order what goes without saying")
    nonce = members.maybe(INTEGER)
    members.maybe(_NAME)
    if members.maybe(_EXTENSIONS) is not None:
        raise Malformed("the statement has extensions, which are not understood here")
    members.end()
    return Statement(
        policy=policy,
        algorithm=algorithm,
        digest=digest,
        serial=serial,
        at=at,
        accuracy_ms=accuracy,
        nonce=None if nonce is None else number(nonce),
    )


def _imprint(value: Value) -> tuple[str, bytes]:
    members = Members(value)
    algorithm = algorithm_of(members.take(SEQUENCE))
    digest = members.take(OCTETS).body
    members.end()
    return algorithm, digest


def algorithm_of(value: Value) -> str:
    """The object identifier of an algorithm that has no parameters, or a null for them.

    Raises Malformed for other parameters.
    Source: RFC 5280, 4.1.1.2; RFC 5754, 2
    """
    members = Members(value)
    found = dotted(members.take(OBJECT))
    nothing = members.maybe(NULL)
    if nothing is not None and nothing.body:
        raise Malformed("an algorithm has parameters where it takes none")
    members.end()
    return found


def general_time(value: Value) -> Instant:
    """The instant (ms) that `value` says; fractions below a millisecond are cut.

    Raises Malformed for what is no instant in UTC in its one form.
    Source: RFC 3161, 2.4.2; ITU-T X.690, 11.7
    """
    match = _GENERAL.fullmatch(value.body)
    if match is None:
        raise Malformed("the instant is not in the form of one in UTC")
    year, month, day, hour, minute, second, fraction = (
        (part or b"").decode("ascii") for part in match.groups()
    )
    milli = f"{fraction[:3]:0<3}"
    return instant_of(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{milli}Z")


def _accuracy(value: Value | None) -> int:
    if value is None:
        return 0
    members = Members(value)
    seconds, milli, micro = members.maybe(INTEGER), members.maybe(_MILLI), members.maybe(_MICRO)
    members.end()
    below = [0 if one is None else number(one, one.tag) for one in (milli, micro)]
    if any(one >= _THOUSAND for one in below):
        raise Malformed("how exact it is has a part that is a whole of the next")
    whole = 0 if seconds is None else number(seconds)
    return whole * 1000 + below[0] + (below[1] + 999) // 1000
