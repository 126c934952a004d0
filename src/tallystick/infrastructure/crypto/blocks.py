"""Block ciphers with a key that is scheduled once: AES, and TDEA for the card networks.

Only whole blocks go through: these are the parts of PIN blocks, key blocks and derivations, never
a way to encrypt messages. A cipher is for one thread at a time.

Source: ISO/IEC 18033-3; ISO/IEC 10116; ISO/TS 12812-2:2017, C
"""

from typing import NoReturn

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.errors import Malformed

AES_LENGTHS = (16, 24, 32)
TDEA_LENGTHS = (16, 24)
_DES_LENGTH = 8


class BlockCipher:
    """A keyed block cipher: single blocks, chains of blocks, and CMAC; never prints.

    `width` is the length of a block in bytes. Contexts for single blocks are kept.
    Source: ISO/IEC 18033-3
    """

    __slots__ = ("_algorithm", "_cmac", "_decrypt", "_encrypt", "width")

    def __init__(self, algorithm: AES | TripleDES) -> None:
        self._algorithm = algorithm
        self.width = algorithm.block_size // 8
        self._encrypt: CipherContext | None = None
        self._decrypt: CipherContext | None = None
        self._cmac: CMAC | None = None

    def encrypt(self, blocks: bytes) -> bytes:
        """Each block of `blocks` on its own; raises Malformed unless they are whole.

        Source: ISO/IEC 10116
        """
        if len(blocks) % self.width:
            raise Malformed("the input is not made of whole blocks")
        if self._encrypt is None:
            self._encrypt = Cipher(self._algorithm, ECB()).encryptor()  # noqa: S305 - whole blocks
        return self._encrypt.update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """The inverse of `encrypt`.

        Source: ISO/IEC 10116
        """
        if len(blocks) % self.width:
            raise Malformed("the input is not made of whole blocks")
        if self._decrypt is None:
            self._decrypt = Cipher(self._algorithm, ECB()).decryptor()  # noqa: S305
        return self._decrypt.update(blocks)

    def encrypt_chain(self, initial: bytes, blocks: bytes) -> bytes:
        """`blocks` in cipher block chaining from `initial`, one block long.

        Source: ISO/IEC 10116
        """
        self._check(initial, blocks)
        return Cipher(self._algorithm, CBC(initial)).encryptor().update(blocks)

    def decrypt_chain(self, initial: bytes, blocks: bytes) -> bytes:
        """The inverse of `encrypt_chain`.

        Source: ISO/IEC 10116
        """
        self._check(initial, blocks)
        return Cipher(self._algorithm, CBC(initial)).decryptor().update(blocks)

    def counter(self, initial: bytes, octets: bytes) -> bytes:
        """`octets` under the key stream that counts from `initial` (one block); its own inverse.

        Source: ISO/IEC 10116; ISO 20038
        """
        if len(initial) != self.width:
            raise Malformed("the first counter is one block long")
        return Cipher(self._algorithm, CTR(initial)).encryptor().update(octets)

    def cmac(self, message: bytes) -> bytes:
        """CMAC of `message`: one block.

        Source: NIST SP 800-38B; ISO/IEC 9797-1, algorithm 5
        """
        if self._cmac is None:
            self._cmac = CMAC(self._algorithm)
        one = self._cmac.copy()
        one.update(message)
        return one.finalize()

    def check_value(self, length: int = 3) -> bytes:
        """The first `length` bytes that tell whether two parties have the same key.

        A CMAC over a block of zeros for AES, a block of zeros enciphered for TDEA.
        Source: ANSI X9.24-3, A; X9.143
        """
        zeros = bytes(self.width)
        return (self.cmac(zeros) if self.width == 16 else self.encrypt(zeros))[:length]

    def _check(self, initial: bytes, blocks: bytes) -> None:
        if len(initial) != self.width or len(blocks) % self.width:
            raise Malformed("the input is not made of whole blocks")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


class Aes(BlockCipher):
    """AES with a key of 16, 24 or 32 bytes.

    Source: ISO/IEC 18033-3; FIPS 197
    """

    __slots__ = ()

    def __init__(self, octets: bytes) -> None:
        """Schedule the key; raises Malformed for another length.

        Source: FIPS 197
        """
        if len(octets) not in AES_LENGTHS:
            raise Malformed("an AES key has 16, 24 or 32 bytes")
        super().__init__(AES(octets))


class Tdea(BlockCipher):
    """TDEA with two or three keys of 8 bytes each; parity bits are not looked at.

    Source: ISO/IEC 18033-3; NIST SP 800-67
    """

    __slots__ = ()

    def __init__(self, octets: bytes) -> None:
        """Schedule the keys; raises Malformed for another length or keys that cancel out.

        Source: NIST SP 800-67
        """
        if len(octets) not in TDEA_LENGTHS:
            raise Malformed("a TDEA key has 16 or 24 bytes")
        first, second, third = octets[:8], octets[8:16], octets[16:] or octets[:8]
        alike = with_odd_parity(second)
        if equal(with_odd_parity(first), alike) or equal(alike, with_odd_parity(third)):
            raise Malformed("two keys of a TDEA key are the same: it is no stronger than DES")
        super().__init__(TripleDES(first + second + third))


class Des(BlockCipher):
    """DES as the inner step of older constructions; it protects nothing on its own.

    Source: ISO/IEC 9797-1, algorithm 3; ANSI X9.24-1
    """

    __slots__ = ()

    def __init__(self, octets: bytes) -> None:
        """Schedule the key of 8 bytes; raises Malformed for another length.

        Source: FIPS 46-3
        """
        if len(octets) != _DES_LENGTH:
            raise Malformed("a DES key has 8 bytes")
        super().__init__(TripleDES(octets * 3))


def with_odd_parity(octets: bytes) -> bytes:
    """`octets` with the last bit of each byte set so that its bits are odd in number.

    Source: NIST SP 800-67
    """
    return octets.translate(_ODD)


_ODD = bytes(one if one.bit_count() % 2 else one ^ 1 for one in range(256))


def exclusive_or(a: bytes, b: bytes) -> bytes:
    """`a` and `b`, of one length, bit by bit.

    Source: ISO/IEC 10116
    """
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")
