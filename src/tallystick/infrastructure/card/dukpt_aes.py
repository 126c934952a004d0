"""AES DUKPT: a key of its own for every transaction, out of a base key and a counter.

A terminal holds an initial key; the host derives the same working keys from the base key and the
key serial number: 8 bytes of initial key id, 4 bytes of counter.

Source: ANSI X9.24-3; ISO 11568; ISO/TS 12812-2:2017, 7.4.2
"""

from enum import Enum, IntEnum
from typing import NoReturn

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.kernel.errors import Malformed, NotPermitted

KSN_LENGTH = 12
UPDATE_COUNTER = 0xFFFFFFFF
"""Stands for the key that brings a new initial key; no transaction has it."""

_MOST_BITS = 16
_INTERMEDIATE = 0x8000
_INITIAL = 0x8001
_MOST_PREFIXES = 512


class WorkingUsage(IntEnum):
    """What a working key is for, by its code.

    Source: ANSI X9.24-3, 6.3.2
    """

    KEY_ENCRYPTION = 0x0002
    KEY_BLOCK = 0x0003
    PIN = 0x1000
    MAC_GENERATION = 0x2000
    MAC_VERIFICATION = 0x2001
    MAC_BOTH = 0x2002
    DATA_ENCRYPTION = 0x3000
    DATA_DECRYPTION = 0x3001
    DATA_BOTH = 0x3002


class KeyType(Enum):
    """The algorithm of a derived key: its code, its length in bytes, its strength in bits.

    Source: ANSI X9.24-3, 6.3.2
    """

    TDEA_2KEY = (0x0000, 16, 80)
    TDEA_3KEY = (0x0001, 24, 112)
    AES_128 = (0x0002, 16, 128)
    AES_192 = (0x0003, 24, 192)
    AES_256 = (0x0004, 32, 256)
    HMAC_128 = (0x0005, 16, 128)
    HMAC_192 = (0x0005, 24, 192)
    HMAC_256 = (0x0005, 32, 256)


_AES_BY_LENGTH = {16: KeyType.AES_128, 24: KeyType.AES_192, 32: KeyType.AES_256}


def initial_key(base: bytes, initial_key_id: bytes) -> bytes:
    """The key that is loaded into the terminal with this id (8 bytes); as long as `base`.

    Source: ANSI X9.24-3, 6.3.1
    """
    if len(initial_key_id) != 8:
        raise Malformed("an initial key id has 8 bytes")
    return _derive(Aes(base), _INITIAL, _type_of(base), initial_key_id)


def split_ksn(ksn: bytes) -> tuple[bytes, int]:
    """The initial key id and the counter of a key serial number of 12 bytes.

    Raises Malformed for another length, a counter of zero, or one with more than 16 bits set,
    which no terminal reaches.
    Source: ANSI X9.24-3, 6.2
    """
    if len(ksn) != KSN_LENGTH:
        raise Malformed("a key serial number of AES DUKPT has 12 bytes")
    counter = int.from_bytes(ksn[8:], "big")
    if counter == 0 or counter.bit_count() > _MOST_BITS:
        raise Malformed("no terminal has this transaction counter")
    return ksn[:8], counter


class InitialKey:
    """The initial key of one terminal, ready to derive; prefixes of counters are kept.

    Source: ANSI X9.24-3, 6.3
    """

    __slots__ = ("_cipher", "_id", "_prefixes", "_type")

    def __init__(self, octets: bytes, initial_key_id: bytes) -> None:
        self._cipher = Aes(octets)
        self._type = _type_of(octets)
        self._id = initial_key_id[4:]
        self._prefixes: dict[int, Aes] = {}

    def working_key(self, counter: int, usage: WorkingUsage, kind: KeyType) -> bytes:
        """The key of one transaction for `usage`.

        Raises NotPermitted for a key that would be stronger than the one it comes from.
        Source: ANSI X9.24-3, 6.3.3
        """
        if kind.value[2] > self._type.value[2]:
            raise NotPermitted("a derived key is not stronger than the key it comes from")
        cipher = self._derivation(counter)
        return _derive(cipher, usage, kind, self._id + counter.to_bytes(4, "big"))

    def derivation_key(self, counter: int) -> bytes:
        """The intermediate key of `counter`, from which working keys come; for published vectors.

        Source: ANSI X9.24-3, 6.3.3
        """
        low = counter & -counter
        parent = self._derivation(counter ^ low) if counter ^ low else self._cipher
        return self._step(parent, counter)

    def _derivation(self, counter: int) -> Aes:
        """The cipher of the intermediate key; those on the way to it are kept for the next time.

        Source: ANSI X9.24-3, 6.3.3
        """
        cipher, reached, left = self._cipher, 0, counter
        while left:
            bit = 1 << (left.bit_length() - 1)
            left ^= bit
            reached |= bit
            kept = self._prefixes.get(reached) if left else None
            if kept is None:
                kept = Aes(self._step(cipher, reached))
                if left:
                    self._keep(reached, kept)
            cipher = kept
        return cipher

    def _keep(self, counter: int, cipher: Aes) -> None:
        if len(self._prefixes) >= _MOST_PREFIXES:
            self._prefixes.clear()
        self._prefixes[counter] = cipher

    def _step(self, cipher: Aes, counter: int) -> bytes:
        return _derive(cipher, _INTERMEDIATE, self._type, self._id + counter.to_bytes(4, "big"))

    def __repr__(self) -> str:
        return "InitialKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def _type_of(octets: bytes) -> KeyType:
    found = _AES_BY_LENGTH.get(len(octets))
    if found is None:
        raise Malformed("a base or initial key of AES DUKPT has 16, 24 or 32 bytes")
    return found


def _derive(cipher: Aes, usage: int, kind: KeyType, context: bytes) -> bytes:
    code, length, _ = kind.value
    tail = b"".join(
        (
            usage.to_bytes(2, "big"), code.to_bytes(2, "big"),
            (length * 8).to_bytes(2, "big"), context,
        )
    )  # fmt: skip
    blocks = b"".join(b"\x01%c" % turn + tail for turn in range(1, -(-length // 16) + 1))
    return cipher.encrypt(blocks)[:length]
