"""Leaves that commit and do not tell: a salted commitment in place of each guessable field.

The salt comes from the subject's own key through a MAC that the caller hands in, so nothing needs
to be stored to disclose a field later, no neighbour can guess a value, and once the key is
destroyed the commitment can never be opened again while every proof over the leaf still verifies.

Source: ISO/TS 12812-2:2017, 7.3.3; 3.16; 14.2.1; RFC 9901, 4.2
"""

from collections.abc import Callable, Mapping

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.protocol.receipt import (
    Checkpoint,
    Disclosure,
    EventLeaf,
    Scalar,
    check_origin,
)

SALT_BYTES = 16
RESTORED = "tally.restored"

Mac = Callable[[bytes], bytes]
"""HMAC-SHA-256 under a subject's key, as a module handle gives it."""

_DOMAIN = b"tallystick-field-v1\x00"
_LARGEST = 2**53 - 1
_leaf_decoder = Decoder(EventLeaf, limit=8192)


def field_salt(mac: Mac, event_id: str, field: str) -> bytes:
    """The 16-byte salt of one field of one event under one subject's key.

    Source: RFC 2104; ISO/TS 12812-2:2017, 14.2.1
    """
    return _salt(mac(event_id.encode()), field)


def _salt(seed: bytes, field: str) -> bytes:
    """A field's salt out of the event's seed, which a disclosed salt tells nothing about."""
    return sha256(seed + b"\x00" + field.encode())[:SALT_BYTES]


def field_commitment(salt: bytes, field: str, value: Scalar) -> str:
    """SHA-256 over a fixed prefix, the salt and the canonical JSON of `[field, value]`, base64url.

    Raises Malformed for a value that is no text and no integer within 2^53, or another salt length.
    Source: RFC 9901, 4.2.3; RFC 8785
    """
    if type(value) is not str and (type(value) is not int or abs(value) > _LARGEST):
        raise Malformed("a field of an event is a text or an integer within 2^53")
    if len(salt) != SALT_BYTES:
        raise Malformed("a salt has 16 bytes")
    return b64url(sha256(_DOMAIN + salt + encode_canonical((field, value))))


class Commitments:
    """Commits the fields of one event, each under the key of the subject that it speaks of.

    Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.1
    """

    __slots__ = ("_event_id", "_openings")

    def __init__(self, event_id: str) -> None:
        """Start with no field.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._event_id = event_id
        self._openings: dict[str, tuple[bytes, Scalar, str]] = {}

    def commit(self, mac: Mac, fields: Mapping[str, Scalar]) -> None:
        """Commit `fields` under one subject's `mac`.

        Raises Malformed when a field was committed before.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        seed = mac(self._event_id.encode())
        openings = self._openings
        for field, value in fields.items():
            if field in openings:
                raise Malformed(f"field {field!r} is committed twice")
            salt = _salt(seed, field)
            openings[field] = (salt, value, field_commitment(salt, field, value))

    def texts(self) -> dict[str, str]:
        """The commitments for the leaf.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return {field: opening[2] for field, opening in self._openings.items()}

    def disclosures(self, fields: frozenset[str]) -> tuple[Disclosure, ...]:
        """What opens those of `fields` that are committed; all other fields stay closed.

        Source: ISO/TS 12812-2:2017, 3.16
        """
        return tuple(
            Disclosure(field=name, salt=b64url(opening[0]), value=opening[1])
            for name, opening in self._openings.items()
            if name in fields
        )


def open_commitment(leaf: EventLeaf, disclosure: Disclosure) -> Scalar:
    """The disclosed value, if it is what `leaf` committed to.

    Raises NotAuthentic otherwise.
    Source: RFC 9901, 7.1
    """
    try:
        commitment = field_commitment(
            b64url_decode(disclosure.salt), disclosure.field, disclosure.value
        )
    except Malformed as error:
        raise NotAuthentic("a disclosed field has a wrong form") from error
    if leaf.c.get(disclosure.field) != commitment:
        raise NotAuthentic("a field shown on the receipt is not the one that the provider recorded")
    return disclosure.value


def encode_leaf(leaf: EventLeaf) -> bytes:
    """The canonical JSON of `leaf`, which is what the tree hashes.

    Raises Malformed when a name stands both in clear and as a commitment.
    Source: RFC 8785
    """
    if not leaf.p.keys().isdisjoint(leaf.c):
        raise Malformed("a field of an event is either public or committed, not both")
    return encode_canonical(leaf)


def decode_leaf(octets: bytes) -> EventLeaf:
    """The event in `octets`, accepted in its canonical form only.

    Raises Malformed otherwise.
    Source: RFC 8785
    """
    leaf = _leaf_decoder.decode_canonical(octets)
    if not leaf.p.keys().isdisjoint(leaf.c):
        raise Malformed("a field of an event is either public or committed, not both")
    return leaf


def restored_leaf(
    *, event_id: str, at: int, provider: str, policy: int, origin: str, last: Checkpoint
) -> bytes:
    """First leaf under the new name `origin` of a log that was restored: names what it continues.

    `last` is the newest checkpoint known under the old name; if its size is above this leaf's
    index, the leaves between are lost, and the leaf says so.
    Raises Malformed when the name does not change.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if check_origin(origin) == last.origin:
        raise Malformed("a restored log takes a new name", remedy="count up the old one")
    named: dict[str, Scalar] = {
        "new_origin": origin,
        "old_origin": last.origin,
        "old_root": b64url(last.root),
        "old_size": last.size,
    }
    return encode_leaf(
        EventLeaf(
            id=event_id, at=at, kind=RESTORED, provider=provider, policy=policy, p=named, c={}
        )
    )
