"""Whether a time stamp holds, and the form in which it is kept.

    certificate  of the signer, for time stamps alone, led back to a pinned root, valid at the time
    signature    over attributes that name the content, its digest and that very certificate
    statement    about this digest; when it was just asked for, with this nonce and this policy

What is kept is what was verified and no more: an octet that nothing covers does not exist in it, so
that no octet of it can be changed.

Source: RFC 3161, 2.2; 2.4.2; RFC 5652, 5.4; RFC 5816
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.der import (
    OCTETS,
    SEQUENCE,
    Members,
    dotted,
    must_be,
    octets_of,
)
from tallystick.infrastructure.crypto.digest import equal, named_digest, sha256
from tallystick.infrastructure.crypto.path_rules import STAMPS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate, Roots, read_certificate
from tallystick.infrastructure.timestamps.request import SHA256, Query
from tallystick.infrastructure.timestamps.response import (
    STATEMENT,
    Signed,
    read_response,
    write_response,
)
from tallystick.infrastructure.timestamps.statement import (
    Statement,
    algorithm_of,
    read_statement,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge, Unavailable
from tallystick.kernel.time import Instant

HASHES: Final = {
    SHA256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""The hashes that count, by object identifier."""

SCHEMES: Final = {
    "1.2.840.113549.1.1.1": ("rsa", ""),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
}
"""The signature schemes that count: sort of key, and hash where the name has one."""

_SIGNED_BY: Final = {
    ("ecdsa", "sha256"): "ecdsa-p256-sha256",
    ("ecdsa", "sha384"): "ecdsa-p384-sha384",
    ("ecdsa", "sha512"): "ecdsa-p521-sha512",
}
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNER: Final = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True, slots=True)
class Stamped:
    """What holds: the instant (ms) and how exact it is, the policy, the number, who stated it.

    `ends` is when the certificate of the authority does, `mechanisms` are the registry's names of
    what hashed and signed it.

    Source: RFC 3161, 2.4.2
    """

    at: Instant
    accuracy_ms: int
    policy: str
    serial: int
    authority: str
    nonce: int | None
    ends: Instant
    mechanisms: tuple[str, ...]


def verify_stamp(octets: bytes, data: bytes, roots: Roots, *, policy: str = "") -> Stamped:
    """What the kept time stamp `octets` proves of `data`, by the pinned `roots`.

    `policy` is the one that it must be under, empty for any. Raises NotAuthentic.
    Source: RFC 3161, 2.2
    """
    try:
        token, statement, path = _verified(octets, sha256(data), roots)
    except Unavailable as error:
        raise NotAuthentic("what is kept grants no time stamp") from error
    if write_response(token, tuple(one.octets for one in path)) != octets:
        raise NotAuthentic("the time stamp holds more than what was verified")
    _check_policy(statement, policy)
    return _stamped(token, statement, path)


def kept_form(octets: bytes, query: Query, roots: Roots) -> bytes:
    """The answer `octets` to `query` in the form that is kept, once it is verified.

    Raises Unavailable where the authority grants nothing, NotAuthentic for what does not hold or
    answers another query.
    Source: RFC 3161, 2.2
    """
    token, statement, path = _verified(octets, query.digest, roots)
    if statement.nonce != query.nonce:
        raise NotAuthentic("the time stamp answers another query: it has another nonce")
    _check_policy(statement, query.policy)
    return write_response(token, tuple(one.octets for one in path))


def _check_policy(statement: Statement, policy: str) -> None:
    if policy and statement.policy != policy:
        raise NotAuthentic(f"the time stamp is under the policy {statement.policy[:80]}")


def _stamped(token: Signed, statement: Statement, path: tuple[Certificate, ...]) -> Stamped:
    sort, hashed = SCHEMES[token.scheme][0], HASHES[token.digest]
    return Stamped(
        at=statement.at,
        accuracy_ms=statement.accuracy_ms,
        policy=statement.policy,
        serial=statement.serial,
        authority=path[0].subject,
        nonce=statement.nonce,
        ends=path[0].ends,
        mechanisms=("sha-256", _SIGNED_BY.get((sort, hashed), "rsa-pkcs1-v1.5")),
    )


def _verified(
    octets: bytes, digest: bytes, roots: Roots
) -> tuple[Signed, Statement, tuple[Certificate, ...]]:
    """The token, its statement, and the certificates that lead to a root, the signer's first."""
    try:
        token = read_response(octets)
        statement = read_statement(token.content)
        certificates = [read_certificate(one) for one in token.certificates]
        signer = _signer_of(token, certificates)
        _check_attributes(token, signer)
    except (Malformed, TooLarge) as error:
        raise NotAuthentic(f"the time stamp has not the form of one: {error.detail}") from error
    if statement.algorithm != SHA256 or not equal(statement.digest, digest):
        raise NotAuthentic("the time stamp is of something else")
    others = [one for one in certificates if one is not signer]
    *path, _ = path_of(signer, others, roots, STAMPS, statement.at)
    sort, named = SCHEMES.get(token.scheme, ("", ""))
    hashed = HASHES.get(token.digest, "")
    if not sort or not hashed or named not in {"", hashed}:
        raise NotAuthentic("the time stamp is signed in a way that does not count")
    signer.verify(sort, hashed, token.signature, token.signed)
    return token, statement, tuple(path)


def _signer_of(token: Signed, certificates: Iterable[Certificate]) -> Certificate:
    for found in certificates:
        if (found.issuer, found.serial) == (token.issuer, token.serial):
            return found
    raise NotAuthentic("the time stamp comes without the certificate of its signer")


def _check_attributes(token: Signed, signer: Certificate) -> None:
    """That the signed attributes are about this content, and name this certificate."""
    missing = {_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNER} - token.attributes.keys()
    if missing or token.digest not in HASHES:
        raise NotAuthentic("the time stamp signs too little, or under a hash that does not count")
    if dotted(token.attributes[_CONTENT_TYPE]) != STATEMENT:
        raise NotAuthentic("the signature is about something else than an instant")
    said = octets_of(token.attributes[_MESSAGE_DIGEST])
    if not equal(said, named_digest(HASHES[token.digest], token.content)):
        raise NotAuthentic("the signature is over another statement")
    named = Members(must_be(token.attributes[_SIGNER], SEQUENCE)).take(SEQUENCE)
    members = Members(Members(named).take(SEQUENCE))
    algorithm = members.maybe(SEQUENCE)
    hashed = HASHES.get(SHA256 if algorithm is None else algorithm_of(algorithm))
    if hashed is None or not equal(members.take(OCTETS).body, named_digest(hashed, signer.octets)):
        raise NotAuthentic("the signature names another certificate")
