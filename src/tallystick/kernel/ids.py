"""Typed identifiers with a printable prefix, so that a device is never taken for an account.

An id is `prefix_` and 26 characters of Crockford base32 in lower case. Those made by `timed_id`
start with the time, so they grow with it and keep the indexes that hold them append-only.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from typing import Annotated, NewType

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import pattern

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_BODY_LENGTH = 26
_TO_PLAIN = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")

CustomerId = NewType("CustomerId", str)
DeviceId = NewType("DeviceId", str)
AccountId = NewType("AccountId", str)
OrderId = NewType("OrderId", str)
SessionId = NewType("SessionId", str)
OperatorId = NewType("OperatorId", str)
ActId = NewType("ActId", str)
ActivationId = NewType("ActivationId", str)
EventId = NewType("EventId", str)
CertificateId = NewType("CertificateId", str)
WebhookId = NewType("WebhookId", str)

PREFIXES: dict[str, str] = {
    "CustomerId": "cus",
    "DeviceId": "dev",
    "AccountId": "acc",
    "OrderId": "ord",
    "SessionId": "ses",
    "OperatorId": "opr",
    "ActId": "act",
    "ActivationId": "atv",
    "EventId": "evt",
    "CertificateId": "crt",
    "WebhookId": "whk",
}

_TAIL = "_[0-7][0-9a-hjkmnp-tv-z]{25}$"

CustomerIdText = Annotated[str, pattern("^cus" + _TAIL)]
DeviceIdText = Annotated[str, pattern("^dev" + _TAIL)]
AccountIdText = Annotated[str, pattern("^acc" + _TAIL)]
OrderIdText = Annotated[str, pattern("^ord" + _TAIL)]
SessionIdText = Annotated[str, pattern("^ses" + _TAIL)]
OperatorIdText = Annotated[str, pattern("^opr" + _TAIL)]
ActIdText = Annotated[str, pattern("^act" + _TAIL)]
ActivationIdText = Annotated[str, pattern("^atv" + _TAIL)]


def _body(number: int) -> str:
    characters: list[str] = []
    for _ in range(_BODY_LENGTH):
        number, low = divmod(number, 32)
        characters.append(_ALPHABET[low])
    return "".join(reversed(characters))


def timed_id(prefix: str, now_ms: int, entropy: bytes) -> str:
    """An id that grows with time: 48 bits of `now_ms`, then 80 bits of `entropy` (10 bytes).

    Source: RFC 9562, 5.7
    """
    if len(entropy) != 10:
        raise Malformed("a timed id takes 10 bytes of entropy")
    return f"{prefix}_{_body(((now_ms & (2**48 - 1)) << 80) | int.from_bytes(entropy, 'big'))}"


def random_id(prefix: str, entropy: bytes) -> str:
    """An id that tells nothing: 128 bits of `entropy` (16 bytes).

    Source: RFC 9562, 5.4
    """
    if len(entropy) != 16:
        raise Malformed("a random id takes 16 bytes of entropy")
    return f"{prefix}_{_body(int.from_bytes(entropy, 'big'))}"


def id_time(identifier: str) -> int:
    """Milliseconds in the first 48 bits of a timed id.

    Raises Malformed for anything else; 130 bits carry the 48 in their first ten characters.
    Source: RFC 9562, 5.7
    """
    if len(identifier) != _BODY_LENGTH + 4 or identifier[3] != "_":
        raise Malformed("not an identifier that starts with its time")
    try:
        return int(identifier[4:14].translate(_TO_PLAIN), 32)
    except ValueError:
        raise Malformed("not an identifier that starts with its time") from None


def first_id_at(prefix: str, ms: int) -> str:
    """The least timed id of `prefix` at `ms`: an id is as late or later if its text is not less.

    Source: RFC 9562, 5.7
    """
    return timed_id(prefix, ms, bytes(10))


def check_id(identifier: str, prefix: str) -> str:
    """`identifier` unchanged if it is a `prefix` id.

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    body = identifier[4:]
    if (
        identifier[:4] != f"{prefix}_"
        or len(body) != _BODY_LENGTH
        or body[0] > "7"
        or any(character not in _VALUE for character in body)
    ):
        raise Malformed(f"not a {prefix}_ identifier")
    return identifier
