"""FF1: a text enciphered to one of its own alphabet and length, for what must look as it did.

Two alphabets: decimal digits, and digits with small letters. A text that could be one of fewer than
a million is refused: whoever has the cipher at hand would try them all.

Source: NIST SP 800-38G, 5.1; ISO/TS 12812-2:2017, 7.3.4
"""

from typing import Final

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

LEAST_DOMAIN: Final = 1_000_000
LONGEST: Final = 320
DIGITS: Final = "0123456789"
DIGITS_AND_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST_TWEAK = 64
_ROUNDS = 10


class _Radix(Record, frozen=True, kw_only=True):
    """What is computed once of an alphabet: powers, bytes of a half, the shortest text."""

    radix: int
    characters: frozenset[str]
    shortest: int
    powers: tuple[int, ...]
    widths: tuple[int, ...]


def _radix_of(alphabet: str) -> _Radix:
    radix = len(alphabet)
    powers = tuple(radix**n for n in range(LONGEST + 1))
    return _Radix(
        radix=radix,
        characters=frozenset(alphabet),
        shortest=next(n for n in range(2, LONGEST) if powers[n] >= LEAST_DOMAIN),
        powers=powers,
        widths=tuple(-(-(power - 1).bit_length() // 8) for power in powers),
    )


_RADICES: Final = {one: _radix_of(one) for one in (DIGITS, DIGITS_AND_LETTERS)}


class Ff1:
    """FF1 with AES on texts of one alphabet, at most 320 characters; tweaks of at most 64 bytes.

    Source: NIST SP 800-38G, 5.1
    """

    __slots__ = ("_aes", "_of")

    def __init__(self, aes: Aes, alphabet: str = DIGITS) -> None:
        """Encipher under `aes`; raises Malformed for an alphabet other than the two.

        Source: NIST SP 800-38G, 5.1
        """
        found = _RADICES.get(alphabet)
        if found is None:
            raise Malformed("FF1 takes decimal digits, or digits and small letters")
        self._aes = aes
        self._of = found

    def encrypt(self, text: str, tweak: bytes) -> str:
        """As many characters as came in; the same text and tweak give the same output.

        Raises Malformed for another alphabet, a text of a domain under a million, one of more than
        320 characters, or a long tweak.
        Source: NIST SP 800-38G, algorithm 7
        """
        left, right, first = self._prepared(text, tweak)
        radix, powers = self._of.radix, self._of.powers
        a, b = int(text[:left], radix), int(text[left:], radix)
        sizes = (powers[left], powers[right])
        for turn in range(_ROUNDS):
            a, b = b, (a + self._round(first, tweak, turn, b, right)) % sizes[turn & 1]
        return self._text(a, left) + self._text(b, right)

    def decrypt(self, text: str, tweak: bytes) -> str:
        """The inverse of `encrypt`.

        Source: NIST SP 800-38G, algorithm 8
        """
        left, right, first = self._prepared(text, tweak)
        radix, powers = self._of.radix, self._of.powers
        a, b = int(text[:left], radix), int(text[left:], radix)
        sizes = (powers[left], powers[right])
        for turn in range(_ROUNDS - 1, -1, -1):
            a, b = (b - self._round(first, tweak, turn, a, right)) % sizes[turn & 1], a
        return self._text(a, left) + self._text(b, right)

    def _text(self, number: int, width: int) -> str:
        radix = self._of.radix
        if radix == len(DIGITS):
            return f"{number:0{width}d}"
        found: list[str] = []
        for _ in range(width):
            number, rest = divmod(number, radix)
            found.append(DIGITS_AND_LETTERS[rest])
        return "".join(reversed(found))

    def _prepared(self, text: str, tweak: bytes) -> tuple[int, int, bytes]:
        """The lengths of both halves, and the first block enciphered."""
        n, of = len(text), self._of
        if not of.characters.issuperset(text) or not of.shortest <= n <= LONGEST:
            raise Malformed(f"FF1 takes {of.shortest} to {LONGEST} characters of its alphabet")
        if len(tweak) > _LONGEST_TWEAK:
            raise Malformed(f"a tweak has at most {_LONGEST_TWEAK} bytes")
        left = n // 2
        head = b"\x01\x02\x01\x00\x00%c\x0a%c" % (of.radix, left) + n.to_bytes(4, "big")
        return left, n - left, self._aes.encrypt(head + len(tweak).to_bytes(4, "big"))

    def _round(self, first: bytes, tweak: bytes, turn: int, half: int, right: int) -> int:
        width = self._of.widths[right]
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
