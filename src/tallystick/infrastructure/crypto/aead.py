"""Authenticated encryption with AES-256-GCM.

Source: ISO/TS 12812-2:2017, 7.3.4; ISO/IEC 19772
"""

from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import SecretBuffer

KEY_LENGTH = 32
NONCE_LENGTH = 12
TAG_LENGTH = 16


class AeadKey:
    """An AES-256-GCM key that never prints; one nonce seals one message under one key.

    Random nonces are good for 2^32 messages under a key; count them or use counters.
    Source: ISO/IEC 19772; NIST SP 800-38D, 8.3
    """

    __slots__ = ("_cipher", "_octets")

    def __init__(self, octets: bytes | bytearray, *, seldom: bool = False) -> None:
        """Build the cipher from 32 bytes: once, or if it is used `seldom`, for each use.

        A cipher that is kept takes 2.5 kB, one that is built takes 0.9 us. Raises Malformed for
        another length.
        Source: NIST SP 800-38D, 5.2
        """
        if len(octets) != KEY_LENGTH:
            raise Malformed("an AES-256-GCM key has 32 bytes")
        self._octets = bytes(octets) if seldom else b""
        self._cipher = None if seldom else AESGCM(octets)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted, followed by a tag of 16 bytes that covers it and `aad`.

        Raises Malformed for a nonce that has not 12 bytes.
        Source: NIST SP 800-38D, 7.1
        """
        if len(nonce) != NONCE_LENGTH:
            raise Malformed("a nonce has 12 bytes")
        return (self._cipher or AESGCM(self._octets)).encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext of `sealed`, only if neither it nor `aad` was changed.

        Raises NotAuthentic for anything else, whatever the cause.
        Source: NIST SP 800-38D, 7.2
        """
        if len(nonce) != NONCE_LENGTH or len(sealed) < TAG_LENGTH:
            raise NotAuthentic("the sealed data does not verify")
        try:
            return (self._cipher or AESGCM(self._octets)).decrypt(nonce, sealed, aad)
        except InvalidTag as error:
            raise NotAuthentic("the sealed data does not verify") from error

    def open_cleared(self, nonce: bytes, sealed: bytes, aad: bytes) -> SecretBuffer:
        """What `open` gives, in a buffer that can be cleared and in no other place.

        Raises NotAuthentic for anything else, whatever the cause.
        Source: NIST SP 800-38D, 7.2; ISO/TS 12812-2:2017, 8.2.3
        """
        if len(nonce) != NONCE_LENGTH or len(sealed) < TAG_LENGTH:
            raise NotAuthentic("the sealed data does not verify")
        opened = bytearray(len(sealed) - TAG_LENGTH)
        try:
            (self._cipher or AESGCM(self._octets)).decrypt_into(nonce, sealed, aad, opened)
        except InvalidTag as error:
            raise NotAuthentic("the sealed data does not verify") from error
        return SecretBuffer(opened)

    def __repr__(self) -> str:
        return "AeadKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__
