"""Authenticated encryption with AES-256-GCM, and with its successor in waiting, AES-256-CCM.

Source: ISO/TS 12812-2:2017, 7.3.4; ISO/IEC 19772
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import SecretBuffer

KEY_LENGTH = 32
NONCE_LENGTH = 12
TAG_LENGTH = 16
_GCM: Final = "aes-256-gcm"
_CIPHERS: Final[Mapping[str, type[AESGCM] | type[AESCCM]]] = MappingProxyType(
    {_GCM: AESGCM, "aes-256-ccm": AESCCM}
)
"""By the registry's name; nonces and tags are as long in both."""


class AeadKey:
    """A key of AES-256-GCM or AES-256-CCM that never prints; a nonce seals one message under it.

    Random nonces are good for 2^32 messages under a key; count them or use counters.
    Source: ISO/IEC 19772; NIST SP 800-38D, 8.3; NIST SP 800-38C
    """

    __slots__ = ("_cipher", "_make", "_octets")

    def __init__(
        self, octets: bytes | bytearray, *, seldom: bool = False, mechanism: str = _GCM
    ) -> None:
        """Build the cipher from 32 bytes: once, or if it is used `seldom`, for each use.

        A cipher that is kept takes 2.5 kB, one that is built takes 0.9 us. Raises Malformed for
        another length.
        Source: NIST SP 800-38D, 5.2
        """
        if len(octets) != KEY_LENGTH:
            raise Malformed("a key of AES-256 has 32 bytes")
        self._octets = bytes(octets) if seldom else b""
        self._make = _CIPHERS[mechanism]
        self._cipher = None if seldom else self._make(octets)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted, followed by a tag of 16 bytes that covers it and `aad`.

        Raises Malformed for a nonce that has not 12 bytes.
        Source: NIST SP 800-38D, 7.1
        """
        if len(nonce) != NONCE_LENGTH:
            raise Malformed("a nonce has 12 bytes")
        return (self._cipher or self._make(self._octets)).encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext of `sealed`, only if neither it nor `aad` was changed.

        Raises NotAuthentic for anything else, whatever the cause.
        Source: NIST SP 800-38D, 7.2
        """
        if len(nonce) != NONCE_LENGTH or len(sealed) < TAG_LENGTH:
            raise NotAuthentic("the sealed data does not verify")
        try:
            return (self._cipher or self._make(self._octets)).decrypt(nonce, sealed, aad)
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
            (self._cipher or self._make(self._octets)).decrypt_into(nonce, sealed, aad, opened)
        except InvalidTag as error:
            raise NotAuthentic("the sealed data does not verify") from error
        return SecretBuffer(opened)

    def __repr__(self) -> str:
        return "AeadKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


class SucceededKey(AeadKey):
    """Seals under one key, and opens besides what another one sealed.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 19772
    """

    __slots__ = ("_other",)

    def __init__(self, octets: bytes, other: AeadKey, *, mechanism: str) -> None:
        """Take the key of `mechanism` that is sealed under, and the other; built for each use.

        Source: ISO/IEC 19772
        """
        super().__init__(octets, seldom=True, mechanism=mechanism)
        self._other = other

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext of what either key sealed, unchanged; raises NotAuthentic.

        Source: ISO/IEC 19772
        """
        try:
            return super().open(nonce, sealed, aad)
        except NotAuthentic:
            return self._other.open(nonce, sealed, aad)
