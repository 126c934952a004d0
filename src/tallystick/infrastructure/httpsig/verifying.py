"""Checks a signed message against what its door demands; nothing in the message can lower that.

    one signature with the door's tag -> its key by keyid -> covered what is demanded -> its time
      -> the signature -> the digest of the real body -> its nonce, once

Source: RFC 9421, 3.2; 7
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.infrastructure.httpsig.components import Component, component_of
from tallystick.infrastructure.httpsig.digests import CONTENT_DIGEST, check_content_digest
from tallystick.infrastructure.httpsig.fields import InnerList, Item
from tallystick.infrastructure.httpsig.mechanisms import MessageKey
from tallystick.infrastructure.httpsig.message import Head, field_of
from tallystick.infrastructure.httpsig.reading import read_dictionary, read_item
from tallystick.infrastructure.httpsig.signing import (
    SIGNATURE,
    SIGNATURE_INPUT,
    Coverage,
    coverage_of,
    signature_base,
)
from tallystick.kernel.errors import Expired, Malformed, NotAuthentic
from tallystick.kernel.time import SECOND_MS

_DIGEST = Component(CONTENT_DIGEST)
_LEAST_NONCE = 16
_MOST_NONCE = 128
_MOST_SIGNATURES = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """What a door demands of a signature: its tag, what it covers at least, and how old it may be.

    `components` are identifiers with their quotes. A signature made up to `most_age_ms` ago is
    taken, or up to `ahead_ms` ahead of the clock here; `nonce` says that it must have one.
    Source: RFC 9421, 3.2.1; 7.2.1
    """

    tag: str
    components: tuple[str, ...]
    most_age_ms: int
    ahead_ms: int
    nonce: bool = True


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds: whose it is, what it is over, and until when it could come again.

    Source: RFC 9421, 3.2
    """

    label: str
    keyid: str
    nonce: str
    coverage: Coverage
    signed: bytes
    signature: bytes
    created_at: int
    until: int


def verify_message(
    head: Head, body: bytes, keys: Mapping[str, MessageKey], demand: Demand, *, now: int
) -> Verified:
    """The signature of the message `head` with `body` that `demand` is met by, at `now` (ms).

    That its nonce is new is the caller's to check. Raises NotAuthentic for a signature that is
    missing, of an unknown key, too narrow or wrong, Expired for its time, Malformed for the form.
    Source: RFC 9421, 3.2
    """
    label, coverage, mark = _tagged(head, demand.tag)
    keyid = coverage.text("keyid")
    found = keys.get(keyid)
    if found is None:
        raise NotAuthentic("nobody known here signed the message")
    if coverage.text("alg") not in {"", found.algorithm}:
        raise NotAuthentic("the signature is by another mechanism than the key")
    _check_covered(coverage, demand)
    created_at, until = _check_time(coverage, demand, now)
    signed = signature_base(head, coverage)
    found.verify(mark, signed)
    if _DIGEST in coverage.components:
        check_content_digest(field_of(head, CONTENT_DIGEST), body)
    elif body:
        raise NotAuthentic("the signature does not cover the body")
    nonce = coverage.text("nonce")
    return Verified(label, keyid, nonce, coverage, signed, mark, created_at, until)


def is_signed(head: Head) -> bool:
    """Whether the message claims to be signed in this way.

    Source: RFC 9421, 4.1
    """
    return any(name == SIGNATURE_INPUT for name, _ in head.fields)


def _tagged(head: Head, tag: str) -> tuple[str, Coverage, bytes]:
    """Label, coverage and octets of the one signature with `tag`; others are of other readers."""
    inputs = read_dictionary(field_of(head, SIGNATURE_INPUT))
    marks = read_dictionary(field_of(head, SIGNATURE))
    if max(len(inputs), len(marks)) > _MOST_SIGNATURES:
        raise Malformed(f"a message has at most {_MOST_SIGNATURES} signatures")
    tagged = [
        (label, member)
        for label, member in inputs.items()
        if isinstance(member, InnerList) and dict(member.parameters).get("tag") == tag
    ]
    if len(tagged) != 1:
        raise NotAuthentic("the message has not exactly one signature for this door")
    label, member = tagged[0]
    mark = marks.get(label)
    if not isinstance(mark, Item) or not isinstance(mark.value, bytes) or mark.parameters:
        raise NotAuthentic("the message has no signature under that label")
    return label, coverage_of(member), mark.value


def _check_covered(coverage: Coverage, demand: Demand) -> None:
    demanded = {component_of(read_item(identifier)) for identifier in demand.components}
    missing = demanded - set(coverage.components)
    if missing:
        named = min(one.identifier for one in missing)
        raise NotAuthentic(
            f"the signature does not cover {named}",
            remedy="cover what the door demands: docs/protocol/http-signatures.md",
        )
    nonce = coverage.text("nonce")
    if demand.nonce and not _LEAST_NONCE <= len(nonce) <= _MOST_NONCE:
        raise NotAuthentic(f"a nonce has {_LEAST_NONCE} to {_MOST_NONCE} characters")


def _check_time(coverage: Coverage, demand: Demand, now: int) -> tuple[int, int]:
    """When the signature was made, and from when on it is refused for its age, both in ms."""
    created, expires = coverage.number("created"), coverage.number("expires")
    if created is None or created < 0:
        raise NotAuthentic("the signature does not say when it was made")
    created_at = created * SECOND_MS
    until = created_at + SECOND_MS + demand.most_age_ms
    if expires is not None:
        until = min(until, expires * SECOND_MS)
    if now >= until or created_at > now + demand.ahead_ms:
        raise Expired("the signature is too old or from a wrong clock", remedy="sign it anew")
    return created_at, until
