"""FF1: digits enciphered to as many digits, for tokens that must look like what they replace.

Source: NIST SP 800-38G, 5.1; ISO/TS 12812-2:2017, 7.3.4
"""

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.kernel.errors import Malformed

LEAST_DOMAIN = 1_000_000
LONGEST = 320
_LONGEST_TWEAK = 64
_ROUNDS = 10
_RADIX = 10
_DIGITS = frozenset("0123456789")


def _round_bytes(digits: int) -> int:
    most: int = _RADIX**digits - 1
    return -(-most.bit_length() // 8)


_BYTES = tuple(_round_bytes(n) for n in range(LONGEST + 1))
_POWERS: tuple[int, ...] = tuple(10**n for n in range(LONGEST + 1))


class Ff1:
    """FF1 with AES on decimal digits: strings of 6 to 320 digits, tweaks of at most 64 bytes.

    Source: NIST SP 800-38G, 5.1
    """

    __slots__ = ("_aes",)

    def __init__(self, aes: Aes) -> None:
        self._aes = aes

    def encrypt(self, digits: str, tweak: bytes) -> str:
        """As many digits as came in; the same digits and tweak give the same output.

        Raises Malformed for fewer than 6 or more than 320 digits, or a long tweak.
        Source: NIST SP 800-38G, algorithm 7
        """
        n, left, first = self._prepared(digits, tweak)
        right = n - left
        a, b = int(digits[:left]), int(digits[left:])
        sizes = (_POWERS[left], _POWERS[right])
        for turn in range(_ROUNDS):
            a, b = b, (a + self._round(first, tweak, turn, b, right)) % sizes[turn & 1]
        return f"{a:0{left}d}{b:0{right}d}"

    def decrypt(self, digits: str, tweak: bytes) -> str:
        """The inverse of `encrypt`.

        Source: NIST SP 800-38G, algorithm 8
        """
        n, left, first = self._prepared(digits, tweak)
        right = n - left
        a, b = int(digits[:left]), int(digits[left:])
        sizes = (_POWERS[left], _POWERS[right])
        for turn in range(_ROUNDS - 1, -1, -1):
            a, b = (b - self._round(first, tweak, turn, a, right)) % sizes[turn & 1], a
        return f"{a:0{left}d}{b:0{right}d}"

    def _prepared(self, digits: str, tweak: bytes) -> tuple[int, int, bytes]:
        """The length, the length of the left half, and the first block enciphered."""
        n = len(digits)
        if not _DIGITS.issuperset(digits) or n > LONGEST or _RADIX**n < LEAST_DOMAIN:
            raise Malformed("FF1 takes 6 to 320 decimal digits")
        if len(tweak) > _LONGEST_TWEAK:
            raise Malformed("a tweak has at most 64 bytes")
        left = n // 2
        head = b"\x01\x02\x01\x00\x00\x0a\x0a%c" % left + n.to_bytes(4, "big")
        return n, left, self._aes.encrypt(head + len(tweak).to_bytes(4, "big"))

    def _round(self, first: bytes, tweak: bytes, turn: int, half: int, right: int) -> int:
        width = _BYTES[right]
        rest = tweak + bytes(-(len(tweak) + width + 1) % 16)
        state = first
        message = rest + bytes((turn,)) + half.to_bytes(width, "big")
        for at in range(0, len(message), 16):
            mixed = int.from_bytes(state, "big") ^ int.from_bytes(message[at : at + 16], "big")
            state = self._aes.encrypt(mixed.to_bytes(16, "big"))
        wanted = 4 * -(-width // 4) + 4
        whole = int.from_bytes(state, "big")
        for block in range(1, -(-wanted // 16)):
            more = int.from_bytes(state, "big") ^ block
            whole = whole << 128 | int.from_bytes(
                self._aes.encrypt(more.to_bytes(16, "big")), "big"
            )
        held = 16 * -(-wanted // 16)
        return whole >> 8 * (held - wanted)
