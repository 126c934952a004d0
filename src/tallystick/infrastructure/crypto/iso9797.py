"""MACs from block ciphers: CBC-MAC (algorithm 1), the retail MAC (3) and CMAC (5).

Algorithm 1 is safe for messages of one length only; algorithm 3 is met in card networks. New
protection takes CMAC with AES.

Source: ISO/IEC 9797-1; ISO 16609; ISO/TS 12812-2:2017, C
"""

from typing import NoReturn

from tallystick.infrastructure.crypto.blocks import BlockCipher, Des
from tallystick.kernel.errors import Malformed


def pad_zeros(message: bytes, width: int) -> bytes:
    """Padding method 1: zeros up to whole blocks of `width` bytes, at least one block.

    Source: ISO/IEC 9797-1, 6.3.2
    """
    return message + bytes(-len(message) % width if message else width)


def pad_bit(message: bytes, width: int) -> bytes:
    """Padding method 2: one bit, then zeros up to whole blocks of `width` bytes.

    Source: ISO/IEC 9797-1, 6.3.3
    """
    marked = message + b"\x80"
    return marked + bytes(-len(marked) % width)


def pad_length(message: bytes, width: int) -> bytes:
    """Padding method 3: a block with the length in bits in front, zeros behind.

    Source: ISO/IEC 9797-1, 6.3.4
    """
    return (len(message) * 8).to_bytes(width, "big") + pad_zeros(message, width)


PADDINGS = {1: pad_zeros, 2: pad_bit, 3: pad_length}
"""The padding methods by their numbers."""


def pad(message: bytes, width: int, method: int) -> bytes:
    """`message` padded by the method with this number; raises Malformed for another number.

    Source: ISO/IEC 9797-1, 6.3
    """
    chosen = PADDINGS.get(method)
    if chosen is None:
        raise Malformed("the padding methods are 1, 2 and 3")
    return chosen(message, width)


def cbc_mac(cipher: BlockCipher, message: bytes, *, padding: int) -> bytes:
    """Algorithm 1 over `message`: one block.

    Source: ISO/IEC 9797-1, algorithm 1
    """
    width = cipher.width
    return cipher.encrypt_chain(bytes(width), pad(message, width, padding))[-width:]


class RetailMac:
    """Algorithm 3 under two keys of 8 bytes: DES over all blocks, TDEA on the last.

    Source: ISO/IEC 9797-1, algorithm 3; ISO 16609
    """

    __slots__ = ("_first", "_second")

    def __init__(self, octets: bytes) -> None:
        """Schedule the two keys; raises Malformed for another length.

        Source: ISO/IEC 9797-1, algorithm 3
        """
        if len(octets) != 16:
            raise Malformed("a retail MAC key has 16 bytes")
        self._first, self._second = Des(octets[:8]), Des(octets[8:])

    def mac(self, message: bytes, *, padding: int) -> bytes:
        """The MAC of `message`: 8 bytes, of which a caller may send fewer.

        Source: ISO/IEC 9797-1, algorithm 3
        """
        last = cbc_mac(self._first, message, padding=padding)
        return self._first.encrypt(self._second.decrypt(last))

    def __repr__(self) -> str:
        return "RetailMac(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def kbkdf_cmac(cipher: BlockCipher, *, label: bytes, context: bytes, length: int) -> bytes:
    """`length` bytes derived in counter mode with CMAC; a counter of 4 bytes, lengths in bits.

    Raises Malformed for a length out of range (1 to 1,024 bytes).
    Source: NIST SP 800-108, 4.1; ISO/IEC 11770-6
    """
    if not 0 < length <= 1024:
        raise Malformed("a derived key has 1 to 1024 bytes")
    fixed = label + b"\x00" + context + (length * 8).to_bytes(4, "big")
    return counted_cmac(cipher, fixed, length)


def counted_cmac(cipher: BlockCipher, fixed: bytes, length: int) -> bytes:
    """`length` bytes of CMACs over a counter of 4 bytes, from 1, before what is `fixed`.

    Source: NIST SP 800-108, 4.1
    """
    rounds = -(-length // cipher.width)
    parts = (cipher.cmac(turn.to_bytes(4, "big") + fixed) for turn in range(1, rounds + 1))
    return b"".join(parts)[:length]
