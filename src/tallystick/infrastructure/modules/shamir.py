"""A secret in shares: any k of n custodians restore it, k - 1 learn nothing of it.

Each byte is the constant term of a polynomial of degree k - 1 over GF(256) with the AES polynomial;
a share is the value of all polynomials at its number.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; A. Shamir, How to Share a Secret, 1979
"""

from collections.abc import Callable, Sequence

from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

MAX_SHARES = 255
_PREFIX = "tks1"
_CHECK = 4
_GROUP = 8


def _tables() -> tuple[tuple[int, ...], tuple[int, ...]]:
    powers, logarithms = [0] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
    return tuple(powers), tuple(logarithms)


_POWERS, _LOGARITHMS = _tables()


def _multiply(a: int, b: int) -> int:
    return _POWERS[_LOGARITHMS[a] + _LOGARITHMS[b]] if a and b else 0


def _divide(a: int, b: int) -> int:
    return _POWERS[_LOGARITHMS[a] + 255 - _LOGARITHMS[b]] if a else 0


class Share(Record, frozen=True, kw_only=True):
    """One custodian's part: which set, how many are needed, its number from 1, and its bytes.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    set_id: bytes
    threshold: int
    number: int
    octets: bytes

    def __repr__(self) -> str:
        return f"Share({self.number}, any {self.threshold}, ***)"


def split(
    secret: bytes, *, threshold: int, shares: int, entropy: Callable[[int], bytes]
) -> tuple[Share, ...]:
    """`shares` parts of `secret`, of which any `threshold` (2 or more) restore it.

    Raises Malformed for other numbers or an empty secret.
    Source: A. Shamir, How to Share a Secret, 1979
    """
    if not 2 <= threshold <= shares <= MAX_SHARES or not secret:
        raise Malformed("shares are 2 or more of up to 255, of a secret that is not empty")
    set_id = entropy(4)
    drawn = entropy((threshold - 1) * len(secret))
    rows = [drawn[row * len(secret) : (row + 1) * len(secret)] for row in range(threshold - 1)]
    return tuple(
        Share(set_id=set_id, threshold=threshold, number=x, octets=_evaluate(secret, rows, x))
        for x in range(1, shares + 1)
    )


def _evaluate(secret: bytes, rows: list[bytes], x: int) -> bytes:
    values = bytearray(len(secret))
    for row in [*reversed(rows), secret]:
        values = bytearray(
            _multiply(value, x) ^ coefficient
            for value, coefficient in zip(values, row, strict=True)
        )
    return bytes(values)


def combine(shares: Sequence[Share]) -> Secret[bytes]:
    """The secret, from as many shares of one set as it takes.

    A wrong share of the right set gives a wrong secret: what it opens must tell. Raises Conflict
    for too few shares or shares of several sets, Malformed for shares that do not fit together.
    Source: A. Shamir, How to Share a Secret, 1979
    """
    if not shares:
        raise Conflict("no share was given", remedy="bring the custodians together")
    first = shares[0]
    if any((s.set_id, s.threshold) != (first.set_id, first.threshold) for s in shares):
        raise Conflict("the shares are not of one set", remedy="use shares of one ceremony")
    chosen = {share.number: share for share in shares}
    if len(chosen) < first.threshold:
        raise Conflict(
            f"{len(chosen)} of {first.threshold} shares were given",
            remedy="bring more custodians together",
        )
    used = list(chosen.values())[: first.threshold]
    if any(len(s.octets) != len(first.octets) or not 1 <= s.number <= MAX_SHARES for s in used):
        raise Malformed("the shares do not fit together")
    return Secret(_interpolate(used))


def _interpolate(shares: list[Share]) -> bytes:
    result = bytearray(len(shares[0].octets))
    for share in shares:
        weight = 1
        for other in shares:
            if other is not share:
                weight = _multiply(weight, _divide(other.number, other.number ^ share.number))
        for place, value in enumerate(share.octets):
            result[place] ^= _multiply(weight, value)
    return bytes(result)


def write_share(share: Share) -> Secret[str]:
    """The share as text for its custodian: groups of eight digits and a check.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    body = bytes((share.threshold, share.number)) + share.set_id + share.octets
    text = (body + sha256(body)[:_CHECK]).hex()
    groups = [text[start : start + _GROUP] for start in range(0, len(text), _GROUP)]
    return Secret("-".join([_PREFIX, *groups]))


def read_share(text: str) -> Share:
    """The share in what a custodian typed; spaces, capitals and line ends do not matter.

    Raises Malformed for a typing error, which the check finds.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    plain = "".join(text.lower().split()).replace("-", "")
    try:
        octets = bytes.fromhex(plain.removeprefix(_PREFIX))
    except ValueError:
        octets = b""
    body, check = octets[:-_CHECK], octets[-_CHECK:]
    sound = plain.startswith(_PREFIX) and len(body) > 6 and equal(sha256(body)[:_CHECK], check)
    if not sound or body[0] < 2 or body[1] < 1:
        raise Malformed("this is not a share", remedy="compare each group with the paper")
    return Share(set_id=body[2:6], threshold=body[0], number=body[1], octets=body[6:])
