"""What an authority answers: a status, and a signed statement in a message of CMS.

    response > token > signed data > statement, certificates, one signer > signed attributes

Everything is read with its octets, so that what is kept can be put together again and compared.

Source: RFC 3161, 2.4.2; RFC 5652, 5
"""

from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.der import (
    INTEGER,
    OBJECT,
    OCTETS,
    SEQUENCE,
    SET,
    Members,
    Value,
    dotted,
    number,
    single,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.timestamps.statement import algorithm_of
from tallystick.kernel.errors import Malformed, Unavailable

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
STATEMENT: Final = "1.2.840.113549.1.9.16.1.4"
GRANTED: Final = 0
_FIRST, _SECOND = 0xA0, 0xA1
_FAILURES: Final = {
    0: "it does not know the algorithm",
    2: "it does not take such a request",
    5: "it could not read the request",
    14: "it has no time now",
    15: "it does not know the policy",
    16: "it does not know the extension",
    17: "it cannot give what was asked besides",
    25: "it failed",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed statement in parts: `attributes` by identifier, each with its one value.

    `signed` is what the signature is over. `digest` is the object identifier of the hash of both
    content and attributes, `issuer` and `serial` name the certificate of the signer.
    Source: RFC 5652, 5.1; 5.3
    """

    content: bytes
    certificates: tuple[bytes, ...]
    issuer: bytes
    serial: int
    digest: str
    attributes: dict[str, Value]
    signed: bytes
    scheme: str
    signature: bytes
    digest_octets: bytes
    scheme_octets: bytes


def read_response(octets: bytes) -> Signed:
    """The signed statement in a response that grants what was asked.

    Raises Malformed for another form, Unavailable with the reason where nothing was granted. A
    grant with changes counts as none: nothing is asked for that could be changed.
    Source: RFC 3161, 2.4.2
    """
    members = Members(single(octets, SEQUENCE))
    status = Members(members.take(SEQUENCE))
    said = number(status.take(INTEGER))
    if said != GRANTED:
        raise Unavailable(f"the authority grants no time stamp: {_why(status)}")
    token = members.take(SEQUENCE)
    members.end()
    return _signed_data(token)


def _why(status: Members) -> str:
    """The reason of a refusal, in our words."""
    for one in status.rest():
        if one.tag == 0x03 and len(one.body) > 1:
            bits = int.from_bytes(one.body[1:], "big")
            width = 8 * (len(one.body) - 1)
            for bit, words in _FAILURES.items():
                if bit < width and bits >> (width - 1 - bit) & 1:
                    return words
    return "it says no reason"


def _signed_data(value: Value) -> Signed:
    outer = Members(value)
    if dotted(outer.take(OBJECT)) != SIGNED_DATA:
        raise Malformed("the token is no signed message")
    members = Members(outer.take(_FIRST).holds(SEQUENCE))
    outer.end()
    if number(members.take(INTEGER)) != 3:
        raise Malformed("the signed message is of another version than 3")
    digests = members.take(SET)
    content = _content(members.take(SEQUENCE))
    certificates = members.maybe(_FIRST)
    members.maybe(_SECOND)
    signer = Members(members.take(SET).holds(SEQUENCE))
    members.end()
    return _signer(
        signer,
        digests.holds(SEQUENCE),
        content,
        () if certificates is None else tuple(one.octets for one in certificates.inside()),
    )


def _content(value: Value) -> bytes:
    members = Members(value)
    if dotted(members.take(OBJECT)) != STATEMENT:
        raise Malformed("the signed message is about something else than an instant")
    content = members.take(_FIRST).holds(OCTETS).body
    members.end()
    return content


def _signer(
    members: Members, digest: Value, content: bytes, certificates: tuple[bytes, ...]
) -> Signed:
    if number(members.take(INTEGER)) != 1:
        raise Malformed("the signer is named otherwise than by issuer and number")
    named = Members(members.take(SEQUENCE))
    issuer, serial = named.take(SEQUENCE).octets, number(named.take(INTEGER))
    named.end()
    own, attributes = members.take(SEQUENCE), members.take(_FIRST)
    if algorithm_of(own) != algorithm_of(digest):
        raise Malformed("the message names two hashes")
    scheme = members.take(SEQUENCE)
    signature = members.take(OCTETS).body
    members.maybe(_SECOND)
    members.end()
    return Signed(
        content=content,
        certificates=certificates,
        issuer=issuer,
        serial=serial,
        digest=algorithm_of(own),
        attributes=_attributes(attributes),
        signed=write(SET, attributes.body),
        scheme=algorithm_of(scheme),
        signature=signature,
        digest_octets=own.octets,
        scheme_octets=scheme.octets,
    )


def _attributes(value: Value) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for one in value.inside():
        members = Members(one)
        name, inside = dotted(members.take(OBJECT)), members.take(SET).holds()
        members.end()
        if name in found:
            raise Malformed("a signed attribute stands twice")
        found[name] = inside
    return found


def write_response(token: Signed, certificates: tuple[bytes, ...]) -> bytes:
    """A response that grants `token`, with `certificates` and nothing that is not signed.

    Source: RFC 3161, 2.4.2; RFC 5652, 5.1
    """
    named = write(SEQUENCE, token.issuer, write_number(token.serial))
    signer = write(
        SEQUENCE,
        write_number(1),
        named,
        token.digest_octets,
        bytes((_FIRST,)) + token.signed[1:],
        token.scheme_octets,
        write(OCTETS, token.signature),
    )
    content = write(SEQUENCE, write_object(STATEMENT), write(_FIRST, write(OCTETS, token.content)))
    data = write(
        SEQUENCE,
        write_number(3),
        write(SET, token.digest_octets),
        content,
        write(_FIRST, *sorted(certificates)),
        write(SET, signer),
    )
    status = write(SEQUENCE, write_number(GRANTED))
    return write(SEQUENCE, status, write(SEQUENCE, write_object(SIGNED_DATA), write(_FIRST, data)))
