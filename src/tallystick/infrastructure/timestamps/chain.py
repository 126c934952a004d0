"""Stamps over stamps: what is kept stays proved when a certificate ends or a hash grows weak.

The first stamp is over the document, each later one over the document again and all stamps before.
A stamp counts if it was made while the certificate of the one before was in its time: then nobody
could have made the one before later than it says. A stronger hash or signature takes the place of a
weaker one by being used for the next stamp.

Source: ISO/TS 12812-2:2017, 3.23; RFC 4998, 5; ISO/IEC 18014-1
"""

from collections.abc import Callable, Sequence
from typing import Final

from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.timestamps.verify import Stamped, verify_stamp
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant

AHEAD_MS: Final = 90 * DAY_MS
"""How long before the end of the newest stamp's certificate another one is due."""

_LABEL: Final = b"tallystick stamps over stamps v1\x00"
_MOST: Final = 1 << 20


class Chain(Record, frozen=True, kw_only=True):
    """The stamps over one document, the oldest first; each base64url of the form that is kept.

    Source: RFC 4998, 5
    """

    v: int
    stamps: tuple[str, ...]


_CHAINS: Decoder[Chain] = Decoder(Chain, limit=_MOST)


def read_chain(octets: bytes) -> Chain:
    """The chain in `octets`; raises Malformed for anything else.

    Source: RFC 4998, 5
    """
    found = _CHAINS.decode_canonical(octets)
    if found.v != 1 or not found.stamps:
        raise Malformed("a chain of stamps has version 1 and one stamp or more")
    return found


def write_chain(chain: Chain) -> bytes:
    """The chain as it is kept.

    Source: RFC 4998, 5
    """
    return encode_canonical(chain)


def covered(document: bytes, before: Sequence[bytes]) -> bytes:
    """What a stamp is over: the document itself, or it and all stamps `before`, each with its size.

    Source: RFC 4998, 5.2
    """
    if not before:
        return document
    parts = (document, *before)
    return _LABEL + b"".join(len(one).to_bytes(8, "big") + one for one in parts)


def begin(document: bytes, stamp: Callable[[bytes], bytes]) -> Chain:
    """A chain with one stamp over `document`; `stamp` gives the form that is kept.

    Source: RFC 4998, 5
    """
    return Chain(v=1, stamps=(b64url(stamp(covered(document, ()))),))


def extend(chain: Chain, document: bytes, stamp: Callable[[bytes], bytes]) -> Chain:
    """The chain with one more stamp, over everything so far.

    Source: RFC 4998, 5.2
    """
    before = [b64url_decode(one) for one in chain.stamps]
    return Chain(v=1, stamps=(*chain.stamps, b64url(stamp(covered(document, before)))))


def verify_chain(chain: Chain, document: bytes, roots: Roots) -> tuple[Stamped, ...]:
    """What the chain proves of `document`: the first entry says since when it exists.

    Raises NotAuthentic if a stamp does not hold, or was made after the one before had ended.
    Source: RFC 4998, 5.3
    """
    found: list[Stamped] = []
    before: list[bytes] = []
    for one in chain.stamps:
        octets = b64url_decode(one)
        stamped = verify_stamp(octets, covered(document, before), roots)
        if found and not found[-1].at <= stamped.at < found[-1].ends:
            raise NotAuthentic("a stamp was made when the one before it proved nothing any more")
        found.append(stamped)
        before.append(octets)
    return tuple(found)


def is_due(found: Sequence[Stamped], now: Instant, weak_from: Instant | None = None) -> bool:
    """Whether another stamp is due: the newest ends within 90 days, or its mechanism does.

    `weak_from` is when the mechanism that signed or hashed it is no longer to be relied on.
    Source: RFC 4998, 5.2; ISO/TS 12812-2:2017, C
    """
    ends = found[-1].ends if weak_from is None else min(found[-1].ends, weak_from)
    return ends - now < AHEAD_MS
