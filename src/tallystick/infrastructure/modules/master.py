"""The master key on disk: sealed under a passphrase, k-of-n shares, a secret, or by a service.

The file is canonical JSON and tells how to open it; it is worthless without what opens it. Nothing
here looks at the environment of the process.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO 11568; RFC 9106
"""

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NoReturn, Protocol

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, AeadKey
from tallystick.infrastructure.crypto.kdf import argon2id, hkdf_sha256
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.shamir import Share, combine, split
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import (
    Malformed,
    NotAuthentic,
    NotPermitted,
    Refused,
    Unavailable,
)
from tallystick.kernel.model import ABSENT, Absent, Record, replace
from tallystick.kernel.secret import Secret

TEST_PROFILE = "test"
MASTER_LENGTH = 32
MIN_PASSPHRASE = 12
MIN_SECRET = 32
MAX_SECRET = 4096
_SALT = 16
_FILE_VERSION = 1
_SHARES_INFO = b"tallystick master by shares v1"
_SECRET_INFO = b"tallystick master by secret v1"
_SERVICE_INFO = b"tallystick master by service v1"


class Unlock(StrEnum):
    """What opens a master key file.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a way, not a passphrase
    SHARES = "shares"
    SECRET = "secret"  # noqa: S105 - the name of a way, not a secret
    SERVICE = "service"


_WAYS = "bring it: --share (all that it takes), --secret-file, --master-passphrase-fd or --unseal"


class KeyService(Protocol):
    """A key-encryption key that others keep: it wraps a secret and gives it back.

    `context` is public and bound to what is wrapped. Both acts raise Unavailable where the keeper
    cannot be reached, NotPermitted where it refuses.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-57, 8.2.4
    """

    @property
    def kind(self) -> str:
        """The way of asking, such as `aws-kms`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def wrap(self, secret: Secret[bytes], context: bytes) -> bytes:
        """`secret`, wrapped and bound to `context`: 1 to 4096 bytes.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> Secret[bytes]:
        """What was wrapped; raises NotAuthentic for another key or another context.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...


class PassphraseCost(Record, frozen=True, kw_only=True):
    """What a guess at the passphrase costs; the default takes a few tenths of a second.

    Source: RFC 9106, 4
    """

    memory_kib: int = 128 * 1024
    passes: int = 3
    lanes: int = 4


FLOOR = PassphraseCost(memory_kib=64 * 1024, passes=3, lanes=1)
CEILING = PassphraseCost(memory_kib=4 * 1024 * 1024, passes=64, lanes=64)


class MasterFile(Record, frozen=True, kw_only=True):
    """A sealed master key; every field but `sealed` is authenticated with it.

    `keeper` and `wrapped` are there where a service opens it: its kind, and what it unwraps.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    v: int
    unlock: Unlock
    profile: str
    cost: PassphraseCost
    threshold: int
    salt: str
    nonce: str
    sealed: str
    keeper: str | Absent = ABSENT
    wrapped: str | Absent = ABSENT


_file_decoder = Decoder(MasterFile)
_MADE_BY = {
    Unlock.PASSPHRASE: "argon2id",
    Unlock.SHARES: "shamir-gf256",
    Unlock.SECRET: "hkdf-sha256",
    Unlock.SERVICE: "hkdf-sha256",
}


def opened_by(file: bytes) -> str:
    """The mechanism that makes the key over the master key in `file`, by the registry's name.

    Raises Malformed for what is no such file.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    return _MADE_BY[_file_decoder.decode_canonical(file).unlock]


class MasterKey:
    """The key above all keys of a provider; gives out roots of purposes and nothing else.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        if len(octets) != MASTER_LENGTH:
            raise Malformed("a master key has 32 bytes")
        self._octets = octets

    @classmethod
    def generate(cls, entropy: Entropy) -> "MasterKey":
        """A fresh master key.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 18031
        """
        return cls(entropy(MASTER_LENGTH))

    def roots(self, purposes: Iterable[Purpose]) -> BlockRoots:
        """What a process needs to open the key blocks of `purposes`, and of no others.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return BlockRoots.derive(self._octets, purposes)

    def seal_under_passphrase(
        self, passphrase: Secret[str], entropy: Entropy, *, profile: str, cost: PassphraseCost
    ) -> bytes:
        """The file that `passphrase` opens.

        Raises NotPermitted for a cost below the floor or a passphrase of fewer than 12 characters,
        unless the profile is `test`.
        Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9106, 4
        """
        _check_cost(cost, profile)
        if profile != TEST_PROFILE and len(passphrase.reveal()) < MIN_PASSPHRASE:
            raise NotPermitted(
                "the passphrase is too short", remedy=f"use {MIN_PASSPHRASE} characters or more"
            )
        file = _frame(Unlock.PASSPHRASE, profile, entropy, cost=cost)
        return self._seal(file, _passphrase_key(file, passphrase))

    def seal_under_shares(
        self, entropy: Entropy, *, profile: str, threshold: int, shares: int
    ) -> tuple[bytes, tuple[Share, ...]]:
        """The file that any `threshold` of `shares` custodians open, and their shares.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        secret = entropy(MASTER_LENGTH)
        parts = split(secret, threshold=threshold, shares=shares, entropy=entropy)
        file = _frame(Unlock.SHARES, profile, entropy, threshold=threshold)
        return self._seal(file, _derived_key(file, secret, _SHARES_INFO)), parts

    def seal_under_secret(self, secret: Secret[bytes], entropy: Entropy, *, profile: str) -> bytes:
        """The file that `secret` (32 random bytes or more) opens.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if len(secret.reveal()) < MIN_SECRET:
            raise NotPermitted("the secret is too short", remedy="use 32 random bytes or more")
        file = _frame(Unlock.SECRET, profile, entropy)
        return self._seal(file, _derived_key(file, secret.reveal(), _SECRET_INFO))

    def seal_under_service(self, service: KeyService, entropy: Entropy, *, profile: str) -> bytes:
        """The file that `service` opens: it wraps a fresh secret, under which the key is sealed.

        What was wrapped is unwrapped once before the file is given out. Raises what the service
        raises, Unavailable if it gives back something else.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        secret = Secret(entropy(MASTER_LENGTH))
        file = replace(_frame(Unlock.SERVICE, profile, entropy), keeper=service.kind)
        wrapped = service.wrap(secret, _context(file))
        if service.unwrap(wrapped, _context(file)) != secret:
            raise Unavailable(
                "the key service does not give back what it wrapped", remedy="use another"
            )
        file = replace(file, wrapped=b64url(wrapped))
        return self._seal(file, _derived_key(file, secret.reveal(), _SERVICE_INFO))

    def _seal(self, file: MasterFile, wrapping: AeadKey) -> bytes:
        sealed = wrapping.seal(b64url_decode(file.nonce), self._octets, encode_canonical(file))
        return encode_canonical(replace(file, sealed=b64url(sealed)))

    def __repr__(self) -> str:
        return "MasterKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__


def unseal_with_passphrase(file: bytes, passphrase: Secret[str], *, profile: str) -> MasterKey:
    """The master key in `file`; raises NotAuthentic for a wrong passphrase.

    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9106
    """
    frame = _read(file, Unlock.PASSPHRASE, profile)
    _check_cost(frame.cost, profile)
    return _unseal(frame, _passphrase_key(frame, passphrase), "check the passphrase")


def unseal_with_shares(file: bytes, shares: Sequence[Share], *, profile: str) -> MasterKey:
    """The master key in `file`; raises Conflict for too few shares, NotAuthentic for wrong ones.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    frame = _read(file, Unlock.SHARES, profile)
    wrapping = _derived_key(frame, combine(shares).reveal(), _SHARES_INFO)
    return _unseal(frame, wrapping, "check that the shares belong to this file")


def unseal_with_secret(file: bytes, secret: Secret[bytes], *, profile: str) -> MasterKey:
    """The master key in `file`; raises NotAuthentic for a wrong secret.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    frame = _read(file, Unlock.SECRET, profile)
    wrapping = _derived_key(frame, secret.reveal(), _SECRET_INFO)
    return _unseal(frame, wrapping, "check which secret the file descriptor delivers")


def unseal_with_service(file: bytes, service: KeyService, *, profile: str) -> MasterKey:
    """The master key in `file`; raises NotAuthentic for another key-encryption key.

    Raises NotPermitted for a file that another kind of service opens, and what the service raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    frame = _read(file, Unlock.SERVICE, profile)
    if not isinstance(frame.wrapped, str) or frame.keeper != service.kind:
        raise NotPermitted(
            f"the file is opened by {frame.keeper!s:.40}", remedy="give --unseal its address"
        )
    secret = service.unwrap(b64url_decode(frame.wrapped), _context(frame))
    wrapping = _derived_key(frame, secret.reveal(), _SERVICE_INFO)
    return _unseal(frame, wrapping, "check which key-encryption key the address names")


def keeper_of(file: bytes) -> str:
    """The kind of service that opens the master key in `file`, empty where another way does.

    Raises Malformed for another file.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    try:
        frame = _file_decoder.decode_canonical(file)
    except Refused as error:
        raise Malformed("this is not a master key file", remedy="restore it") from error
    return frame.keeper if isinstance(frame.keeper, str) else ""


def read_secret(descriptor: int) -> Secret[bytes]:
    """What stands on a file descriptor, without one line end; the descriptor is closed.

    Raises Unavailable if it cannot be read, Malformed if it gives less than 32 bytes or over 4096.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
    """
    try:
        with os.fdopen(descriptor, "rb") as stream:
            octets = stream.read(MAX_SECRET + 1)
    except OSError as error:
        raise Unavailable(
            f"file descriptor {descriptor} cannot be read", remedy="open it for the process"
        ) from error
    secret = octets
    for end in (b"\n", b"\r"):
        # an end of line belongs to a text; 32 random bytes may end like one
        secret = secret.removesuffix(end) if len(secret) > MIN_SECRET else secret
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise Malformed("the secret has not 32 to 4096 bytes", remedy="deliver 32 random bytes")
    return Secret(secret)


def _frame(
    unlock: Unlock,
    profile: str,
    entropy: Entropy,
    *,
    cost: PassphraseCost = FLOOR,
    threshold: int = 0,
) -> MasterFile:
    return MasterFile(
        v=_FILE_VERSION,
        unlock=unlock,
        profile=profile,
        cost=cost,
        threshold=threshold,
        salt=b64url(entropy(_SALT)),
        nonce=b64url(entropy(NONCE_LENGTH)),
        sealed="",
    )


def _read(file: bytes, unlock: Unlock, profile: str) -> MasterFile:
    try:
        frame = _file_decoder.decode_canonical(file)
    except Refused as error:
        raise Malformed("this is not a master key file", remedy="restore it") from error
    if frame.v != _FILE_VERSION or frame.unlock is not unlock:
        by = f"{frame.unlock.value}, version {frame.v}"
        raise NotPermitted(f"the file is opened by {by}", remedy=_WAYS)
    if frame.profile != profile:
        raise NotPermitted(
            f"the master key of {frame.profile[:20]!r} does not serve {profile!r}",
            remedy="use the file of this installation",
        )
    return frame


def _unseal(frame: MasterFile, wrapping: AeadKey, remedy: str) -> MasterKey:
    aad = encode_canonical(replace(frame, sealed=""))
    try:
        octets = wrapping.open(b64url_decode(frame.nonce), b64url_decode(frame.sealed), aad)
    except (NotAuthentic, Malformed) as error:
        raise NotAuthentic("the master key does not open", remedy=remedy) from error
    return MasterKey(octets)


def _passphrase_key(frame: MasterFile, passphrase: Secret[str]) -> AeadKey:
    return AeadKey(
        argon2id(
            passphrase.reveal().encode(),
            salt=b64url_decode(frame.salt),
            memory_kib=frame.cost.memory_kib,
            passes=frame.cost.passes,
            lanes=frame.cost.lanes,
            length=32,
        )
    )


def _context(frame: MasterFile) -> bytes:
    """What the wrapped secret is bound to: a file's salt is drawn for it alone.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return f"tallystick master {frame.v} {frame.profile} {frame.salt}".encode()


def _derived_key(frame: MasterFile, secret: bytes, info: bytes) -> AeadKey:
    return AeadKey(hkdf_sha256(secret, salt=b64url_decode(frame.salt), info=info, length=32))


def _check_cost(cost: PassphraseCost, profile: str) -> None:
    floor = PassphraseCost(memory_kib=8, passes=1, lanes=1) if profile == TEST_PROFILE else FLOOR
    names = ("memory_kib", "passes", "lanes")
    sound = all(
        getattr(floor, name) <= getattr(cost, name) <= getattr(CEILING, name) for name in names
    )
    if not sound:
        raise NotPermitted(
            "the cost of a guess at the passphrase is out of range",
            remedy=f"use {FLOOR.memory_kib} KiB and {FLOOR.passes} passes or more",
        )
