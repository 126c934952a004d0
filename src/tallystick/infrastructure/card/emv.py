"""Cryptograms of chip cards: master and session keys, ARQC, ARPC, and MACs over scripts.

Keys are TDEA, 16 bytes, or AES, 16 to 32 bytes; the mechanism of the issuer's key decides.

Source: EMV Book 2, A1; 8; 9; ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.infrastructure.crypto.blocks import (
    Aes,
    BlockCipher,
    Tdea,
    exclusive_or,
    with_odd_parity,
)
from tallystick.infrastructure.crypto.digest import equal, sha1_of_card
from tallystick.infrastructure.crypto.iso9797 import RetailMac, pad_bit
from tallystick.infrastructure.pin.formats import check_pan
from tallystick.kernel.errors import Malformed, NotAuthentic

CRYPTOGRAM = 8
_LONGEST_DATA = 4_096
_TDEA_KEY = 16
_HEIGHT = 8
_BRANCHES = 4


class ChipKey:
    """A key of a chip, of its master or of a session: a cipher and the MAC that goes with it.

    Source: EMV Book 2, A1
    """

    __slots__ = ("_octets", "_retail", "cipher", "is_aes")

    def __init__(self, octets: bytes, *, is_aes: bool) -> None:
        """Schedule the key; raises Malformed for another length.

        Source: EMV Book 2, A1
        """
        if not is_aes and len(octets) != _TDEA_KEY:
            raise Malformed("a TDEA key of a chip has 16 bytes")
        self._octets = octets
        self._retail: RetailMac | None = None
        self.is_aes = is_aes
        self.cipher: BlockCipher = Aes(octets) if is_aes else Tdea(octets)

    def mac(self, message: bytes, *, padding: int = 2) -> bytes:
        """Eight bytes over `message`: CMAC with AES, algorithm 3 with TDEA.

        Source: EMV Book 2, A1.2
        """
        if len(message) > _LONGEST_DATA:
            raise Malformed("the data of a cryptogram have at most 4096 bytes")
        if self.is_aes:
            return self.cipher.cmac(message)[:CRYPTOGRAM]
        if self._retail is None:
            self._retail = RetailMac(self._octets)
        return self._retail.mac(message, padding=padding)

    def master_of(self, pan: str, sequence: str, option: str = "B") -> "ChipKey":
        """The master key of one card, from the issuer's.

        `sequence` is the number of the card, two digits. With TDEA, option A takes the last 16
        digits, option B spreads numbers of more than 16 digits first; with AES there is only C.
        Source: EMV Book 2, A1.4
        """
        return ChipKey(self.master_octets(pan, sequence, option), is_aes=self.is_aes)

    def master_octets(self, pan: str, sequence: str, option: str = "B") -> bytes:
        """The octets of `master_of`, which a personalisation bureau gets under a key block.

        Source: EMV Book 2, A1.4
        """
        check_pan(pan)
        if len(sequence) != 2 or not sequence.isascii() or not sequence.isdigit():
            raise Malformed("the sequence number of a card has two digits")
        if option not in {"A", "B"}:
            raise Malformed("the options for a card's key are A and B")
        text = f"{pan}{sequence}"
        if self.is_aes:
            block = bytes.fromhex(f"{text:0>32}")
            return self.cipher.encrypt(block + _inverted(block))[: len(self._octets)]
        spread = option == "B" and len(pan) > 16
        block = bytes.fromhex(_option_b(text) if spread else f"{text:0>16}"[-16:])
        return with_odd_parity(self.cipher.encrypt(block + _inverted(block)))

    def session_of(self, value: bytes) -> "ChipKey":
        """The common session key for `value`: a counter padded with zeros, or a cryptogram.

        Source: EMV Book 2, A1.3.1
        """
        return ChipKey(self.session_octets(value), is_aes=self.is_aes)

    def masked_session(self, counter: bytes) -> "ChipKey":
        """The session key of a scheme that mixes a counter of 2 bytes into the card's key.

        Raises Malformed for a key of AES.
        Source: EMV Book 2, A1; Visa Integrated Circuit Card Specification
        """
        if self.is_aes or len(counter) != 2:
            raise Malformed("this session is of a TDEA key and a counter of 2 bytes")
        other = bytes(one ^ 0xFF for one in counter)
        mask = bytes(6) + counter + bytes(6) + other
        return ChipKey(with_odd_parity(exclusive_or(self._octets, mask)), is_aes=False)

    def tree_session(self, counter: bytes) -> "ChipKey":
        """The session key of EMV 2000: a leaf of a tree of height 8 with 4 branches.

        Raises Malformed for a key of AES.
        Source: EMV Book 2, A1.3
        """
        if self.is_aes or len(counter) != 2:
            raise Malformed("this session is of a TDEA key and a counter of 2 bytes")
        number, above, here = int.from_bytes(counter, "big"), bytes(16), self._octets
        for level in range(_HEIGHT - 1, 0, -1):
            above, here = here, _branch(here, above, number >> 2 * level)
        leaf = exclusive_or(_branch(here, above, number), above)
        return ChipKey(with_odd_parity(leaf), is_aes=False)

    def session_octets(self, value: bytes) -> bytes:
        """The octets of `session_of`; for published vectors.

        Source: EMV Book 2, A1.3.1
        """
        width, length = self.cipher.width, len(self._octets)
        if len(value) > width:
            raise Malformed("a session key comes from one block")
        block = value.ljust(width, b"\x00")
        if length == width:
            return self.cipher.encrypt(block)
        first, second = (block[:2] + mark + block[3:] for mark in (b"\xf0", b"\x0f"))
        found = self.cipher.encrypt(first + second)[:length]
        return found if self.is_aes else with_odd_parity(found)

    def response_1(self, cryptogram: bytes, code: bytes) -> bytes:
        """The ARPC of method 1 to `cryptogram` (8 bytes) with a code of 2 bytes: 8 bytes.

        Source: EMV Book 2, 8.2.1
        """
        if len(cryptogram) != CRYPTOGRAM or len(code) != 2:
            raise Malformed("a cryptogram has 8 bytes and a response code 2")
        mixed = exclusive_or(cryptogram, code + bytes(6))
        return self.cipher.encrypt(mixed.ljust(self.cipher.width, b"\x00"))[:CRYPTOGRAM]

    def response_2(self, cryptogram: bytes, status: bytes, more: bytes = b"") -> bytes:
        """The ARPC of method 2 with a card status update of 4 bytes and up to 8 more: 4 bytes.

        Source: EMV Book 2, 8.2.2
        """
        if len(cryptogram) != CRYPTOGRAM or len(status) != 4 or len(more) > 8:
            raise Malformed("a status update has 4 bytes and proprietary data up to 8")
        return self.mac(cryptogram + status + more)[:4]

    def encipher_script(self, data: bytes) -> bytes:
        """Data of a command to the card, padded and enciphered in a chain from zeros.

        Source: EMV Book 2, 9.3
        """
        width = self.cipher.width
        return self.cipher.encrypt_chain(bytes(width), pad_bit(data, width))

    def __repr__(self) -> str:
        return "ChipKey(***)"


def verify_cryptogram(
    session: ChipKey, data: bytes, cryptogram: bytes, *, padding: int = 2
) -> None:
    """Return only if `cryptogram` is the one over `data`; raises NotAuthentic otherwise.

    Source: EMV Book 2, 8.1
    """
    if not equal(session.mac(data, padding=padding), cryptogram):
        raise NotAuthentic("the cryptogram does not verify")


def _branch(parent: bytes, above: bytes, number: int) -> bytes:
    """The key below `parent` at the branch that `number` takes; `above` is the parent's parent."""
    mark = number % _BRANCHES
    mixed = exclusive_or(above, bytes(7) + bytes((mark,)) + bytes(7) + bytes((mark ^ 0xF0,)))
    return Tdea(parent).encrypt(mixed)


def _inverted(block: bytes) -> bytes:
    return bytes(one ^ 0xFF for one in block)


def _option_b(text: str) -> str:
    even = text if len(text) % 2 == 0 else f"0{text}"
    found = sha1_of_card(bytes.fromhex(even)).hex()
    digits = [one for one in found if one.isdigit()]
    digits += [str(int(one, 16) - 10) for one in found if not one.isdigit()]
    return "".join(digits[:16])
