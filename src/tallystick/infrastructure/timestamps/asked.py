"""What somebody asks of our authority, read strictly.

Source: RFC 3161, 2.4.1
"""

from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    INTEGER,
    OBJECT,
    OCTETS,
    SEQUENCE,
    Members,
    dotted,
    number,
    single,
    truth,
)
from tallystick.infrastructure.timestamps.statement import algorithm_of
from tallystick.kernel.errors import Malformed

MOST_BYTES: Final = 4096
_MOST_NONCE: Final = 1 << 512
_EXTENSIONS: Final = 0xA0


@dataclass(frozen=True, slots=True)
class Asking:
    """A stamp over `digest` under `algorithm`; `imprint` is both in DER.

    `policy` is empty and `nonce` None where none was sent; `certificates` says whether they are to
    come along, `extended` whether there are extensions.
    Source: RFC 3161, 2.4.1
    """

    algorithm: str
    digest: bytes
    imprint: bytes
    policy: str
    nonce: int | None
    certificates: bool
    extended: bool


def read_asking(octets: bytes) -> Asking:
    """The question in `octets` (DER).

    Raises Malformed for another form or another version.
    Source: RFC 3161, 2.4.1
    """
    if len(octets) > MOST_BYTES:
        raise Malformed("the question is too long")
    members = Members(single(octets, SEQUENCE))
    if number(members.take(INTEGER)) != 1:
        raise Malformed("the question is of another version than 1")
    imprint = members.take(SEQUENCE)
    parts = Members(imprint)
    algorithm, digest = algorithm_of(parts.take(SEQUENCE)), parts.take(OCTETS).body
    parts.end()
    policy, nonce = members.maybe(OBJECT), members.maybe(INTEGER)
    asked = members.maybe(BOOLEAN)
    certificates = asked is not None and truth(asked)
    extended = members.maybe(_EXTENSIONS) is not None
    members.end()
    chosen = None if nonce is None else number(nonce)
    if chosen is not None and chosen >= _MOST_NONCE:
        raise Malformed("the random number is too long")
    return Asking(
        algorithm=algorithm,
        digest=digest,
        imprint=imprint.octets,
        policy="" if policy is None else dotted(policy),
        nonce=chosen,
        certificates=certificates,
        extended=extended,
    )
