"""A file sealed under a passphrase, replaced whole and durably at every write.

Argon2id (19 MiB, 2 passes) makes the key once per opening, AES-256-GCM seals under a fresh random
nonce; the parameters are bound as additional data. Mode 0600, written beside and renamed over.

Source: ISO/TS 12812-2:2017, 8.1.2; RFC 9106, 4
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.kdf import argon2id
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed, NotFound, Unavailable
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
_MOST = {"memory_kib": 1024 * 1024, "passes": 16, "lanes": 16}
_NONCE_OCTETS = 12
_SALT_OCTETS = 16


class _Header(Record, frozen=True, kw_only=True):
    format: str
    memory_kib: int
    passes: int
    lanes: int
    salt: str


class _Sealed(Record, frozen=True, kw_only=True):
    header: _Header
    nonce: str
    sealed: str


_FORMAT = "tallystick-keystore/1 software"
_SEALED: Decoder[_Sealed] = Decoder(_Sealed)


class KeyFile:
    """A path, and the key that its content is sealed under.

    Source: ISO/TS 12812-2:2017, 8.1.2
    """

    __slots__ = ("_aead", "_entropy", "_header", "_path")

    def __init__(
        self, path: Path, header: _Header, aead: AeadKey, entropy: Callable[[int], bytes]
    ) -> None:
        self._path = path
        self._header = header
        self._aead = aead
        self._entropy = entropy

    @classmethod
    def create(
        cls, path: Path, passphrase: Secret[str], entropy: Callable[[int], bytes]
    ) -> "KeyFile":
        """A file to be written at `path`, under a new salt.

        Raises Conflict if something is there.
        Source: RFC 9106, 4
        """
        if path.exists():
            raise Conflict(
                "the keystore file is there already", remedy="open it, or choose another"
            )
        header = _Header(
            format=_FORMAT,
            memory_kib=MEMORY_KIB,
            passes=PASSES,
            lanes=LANES,
            salt=b64url(entropy(_SALT_OCTETS)),
        )
        return cls(path, header, _aead_key(passphrase, header), entropy)

    @classmethod
    def open(
        cls, path: Path, passphrase: Secret[str], entropy: Callable[[int], bytes]
    ) -> tuple["KeyFile", bytes]:
        """The file at `path` and its content.

        Raises NotFound, Malformed, or NotAuthentic for another passphrase or a changed file.
        Source: RFC 9106, 4
        """
        try:
            octets = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound("there is no keystore file", remedy="create one") from error
        except OSError as error:
            raise Unavailable("the keystore file cannot be read") from error
        stored = _SEALED.decode(octets)
        header = stored.header
        costly = any(getattr(header, name) > most for name, most in _MOST.items())
        if header.format != _FORMAT or costly:
            raise Malformed("not a keystore file of this version")
        file = cls(path, header, _aead_key(passphrase, header), entropy)
        nonce, sealed = b64url_decode(stored.nonce), b64url_decode(stored.sealed)
        if len(nonce) != _NONCE_OCTETS:
            raise Malformed("not a keystore file of this version")
        return file, file._aead.open(nonce, sealed, encode_canonical(header))

    def write(self, content: bytes) -> None:
        """Replace the content; on disk when it returns.

        Raises Unavailable if the disk refuses; the content before stays then.
        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        nonce = self._entropy(_NONCE_OCTETS)
        sealed = self._aead.seal(nonce, content, encode_canonical(self._header))
        stored = _Sealed(header=self._header, nonce=b64url(nonce), sealed=b64url(sealed))
        try:
            _replace(self._path, encode_canonical(stored))
        except OSError as error:
            raise Unavailable("the keystore file cannot be written") from error


def _aead_key(passphrase: Secret[str], header: _Header) -> AeadKey:
    derived = argon2id(
        passphrase.reveal().encode(),
        salt=b64url_decode(header.salt),
        memory_kib=header.memory_kib,
        passes=header.passes,
        lanes=header.lanes,
        length=32,
    )
    return AeadKey(derived)


def _replace(path: Path, octets: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
