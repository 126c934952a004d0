"""Seals and opens the messages of a session as COSE_Encrypt0 of one fixed shape.

    request  16([ << {1: 3, 4: kid, 6: sequence} >>, {}, ciphertext ])
    reply    16([ << {1: 3, 4: kid, 5: iv} >>, {}, ciphertext ])

Algorithm 3 is AES-256-GCM. The nonce of a request is the session's context IV XOR its sequence
number; the nonce of a reply is drawn from `ReplyNonces` of the front that answers, never from the
request: a message replayed to two fronts would else seal two replies under one nonce. The operation
(and for replies the request's number and the status) is bound as additional authenticated data.

Source: RFC 9052, 5.2; 5.3; RFC 9053, 4.1; ISO/TS 12812-2:2017, 3.9; 7.2.7
"""

from functools import lru_cache
from itertools import count
from typing import NamedTuple

from tallystick.infrastructure.envelope import cbor
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.errors import Broken, Expired, Malformed, NotAuthentic, TooLarge
from tallystick.protocol.envelope import MAX_PLAINTEXT_BYTES, MAX_SEQUENCE, PROTOCOL

IV_OCTETS = 12
_TAG_OCTETS = 16
_HEADER = b"\xa3\x01\x03\x04\x50"
"""A map of three: algorithm 3, then the head of a 16 octet kid."""

_STRUCTURE = b"\x83" + cbor.text("Encrypt0")
_REQUEST_STARTS = tuple(b"\xd0\x83\x58" + bytes((23 + size,)) + _HEADER for size in range(5))
_REQUEST_LEAST = 27 + 1 + 1 + _TAG_OCTETS
_REPLY_START = b"\xd0\x83\x58\x23" + _HEADER
_REPLY_LEAST = 40 + _TAG_OCTETS


class RequestHeader(NamedTuple):
    """What a sealed request says in clear: the session's 16 octets and the sequence number.

    Source: RFC 9052, 3.1
    """

    kid: bytes
    sequence: int


class OpenedRequest(NamedTuple):
    """An authentic request: its sequence number, to be marked in the window, and its content.

    Source: RFC 9052, 5.3
    """

    sequence: int
    content: bytes


@lru_cache(maxsize=1024)
def _request_context(operation: str) -> bytes:
    return cbor.octets(b"\x82" + cbor.text(PROTOCOL) + cbor.text(_checked(operation)))


@lru_cache(maxsize=1024)
def _reply_context(operation: str) -> bytes:
    return b"\x84" + cbor.text(PROTOCOL) + cbor.text(_checked(operation))


def _checked(operation: str) -> str:
    if not 0 < len(operation) <= 64 or not operation.isascii():
        raise Malformed("an operation is named by 1 to 64 ASCII characters")
    return operation


def _reply_aad(protected: bytes, operation: str, sequence: int, status: int) -> bytes:
    context = _reply_context(operation) + cbor.head(0, sequence) + cbor.head(0, status)
    return _STRUCTURE + protected + cbor.octets(context)


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_PLAINTEXT_BYTES:
        raise TooLarge(f"the content is larger than {MAX_PLAINTEXT_BYTES} bytes")
    return content


def seal_request(keys: SessionKeys, operation: str, sequence: int, content: bytes) -> bytes:
    """The request number `sequence` (1 to 2^32 - 1, each used once) of a session, sealed.

    Raises Expired when the numbers are used up, TooLarge past the bound.
    Source: RFC 9052, 5.3
    """
    if not 0 < sequence <= MAX_SEQUENCE:
        raise Expired("the session has no number left", remedy="establish a new one")
    size = (sequence.bit_length() + 7) >> 3
    partial = sequence.to_bytes(size, "big")
    protected = _REQUEST_STARTS[size][2:] + keys.kid + b"\x06" + bytes((0x40 | size,)) + partial
    nonce = (keys.request_iv ^ sequence).to_bytes(12, "big")
    aad = _STRUCTURE + protected + _request_context(operation)
    sealed = keys.request.seal(nonce, _bounded(content), aad)
    return b"\xd0\x83" + protected + b"\xa0" + cbor.octets(sealed)


def peek(message: bytes) -> RequestHeader:
    """The session and the number that a sealed request names; nothing of it is proved yet.

    Raises Malformed unless its protected header has exactly the shape of a request's.
    Source: RFC 9052, 3.1
    """
    size = message[26] - 0x40 if len(message) > _REQUEST_LEAST else 0
    if (
        not 1 <= size <= 4
        or message[:9] != _REQUEST_STARTS[size]
        or message[25] != 0x06
        or message[27] == 0
        or message[27 + size] != 0xA0
    ):
        raise Malformed("not a sealed request")
    return RequestHeader(message[9:25], int.from_bytes(message[27 : 27 + size], "big"))


def open_request(
    keys: SessionKeys, operation: str, message: bytes, header: RequestHeader | None = None
) -> OpenedRequest:
    """The number and the content of a sealed request made for `operation` in this session.

    `header` is what `peek` gave for this very message, if it was asked. The caller marks the number
    in the replay window. Raises Malformed for another shape,
    NotAuthentic when the tag, the operation or the session is another, TooLarge past the bound.
    Source: RFC 9052, 5.3
    """
    kid, sequence = header or peek(message)
    end = message[26] - 0x40 + 27
    ciphertext = _ciphertext(message, end + 1)
    if kid != keys.kid:
        raise NotAuthentic("the message is not authentic")
    nonce = (keys.request_iv ^ sequence).to_bytes(12, "big")
    aad = _STRUCTURE + message[2:end] + _request_context(operation)
    return OpenedRequest(sequence, keys.request.open(nonce, ciphertext, aad))


def seal_reply(
    keys: SessionKeys, iv: bytes, operation: str, sequence: int, status: int, content: bytes
) -> bytes:
    """The reply to request `sequence` with `status` (100 to 599), sealed under a fresh `iv`.

    `iv` is 12 octets from `ReplyNonces`. Raises TooLarge past the bound.
    Source: RFC 9052, 5.3
    """
    if len(iv) != IV_OCTETS:
        raise Malformed("an IV is 12 octets")
    protected = _REPLY_START[2:] + keys.kid + b"\x05\x4c" + iv
    aad = _reply_aad(protected, operation, sequence, status)
    sealed = keys.reply.seal(iv, _bounded(content), aad)
    return b"\xd0\x83" + protected + b"\xa0" + cbor.octets(sealed)


def open_reply(
    keys: SessionKeys, operation: str, sequence: int, status: int, message: bytes
) -> bytes:
    """The content of the sealed reply to request `sequence` of `operation`, with `status`.

    Raises Malformed for another shape, NotAuthentic when anything bound to it is another.
    Source: RFC 9052, 5.3
    """
    if (
        len(message) <= _REPLY_LEAST
        or message[:9] != _REPLY_START
        or message[25:27] != b"\x05\x4c"
        or message[39] != 0xA0
    ):
        raise Malformed("not a sealed reply")
    ciphertext = _ciphertext(message, 40)
    if message[9:25] != keys.kid:
        raise NotAuthentic("the message is not authentic")
    aad = _reply_aad(message[2:39], operation, sequence, status)
    return keys.reply.open(message[27:39], ciphertext, aad)


def _ciphertext(message: bytes, start: int) -> bytes:
    if len(message) > start + 5 + MAX_PLAINTEXT_BYTES + _TAG_OCTETS:
        raise TooLarge(f"the content is larger than {MAX_PLAINTEXT_BYTES} bytes")
    ciphertext = cbor.rest_as_octets(message, start)
    if len(ciphertext) < _TAG_OCTETS:
        raise Malformed("the sealed message is shorter than its tag")
    return ciphertext


class ReplyNonces:
    """The IVs of one front: its prefix, unique among fronts and their starts, and a counter.

    The writer hands out the prefix (4 or 5 octets) durably before the front answers anything, so no
    two IVs under any key are equal. Safe to draw from several threads.
    Source: RFC 9053, 4.1; NIST SP 800-38D, 8.2.1
    """

    __slots__ = ("_limit", "_numbers", "_prefix", "_size")

    def __init__(self, prefix: bytes, start: int = 0) -> None:
        """Count from `start` under `prefix`.

        Raises Malformed for a prefix of another length.
        Source: NIST SP 800-38D, 8.2.1
        """
        if len(prefix) not in {4, 5}:
            raise Malformed("the prefix of a front is 4 or 5 octets")
        self._prefix = prefix
        self._size = IV_OCTETS - len(prefix)
        self._limit = 1 << (8 * self._size)
        self._numbers = count(start)

    def draw(self) -> bytes:
        """The next IV, 12 octets.

        Raises Broken when the counter is used up.
        Source: NIST SP 800-38D, 8.2.1
        """
        number = next(self._numbers)
        if number >= self._limit:
            raise Broken("the front has no IV left", remedy="start it anew")
        return self._prefix + number.to_bytes(self._size, "big")
