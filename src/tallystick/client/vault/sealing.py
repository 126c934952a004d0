"""The file of a vault: sealed under the device's secret, one step of its counter with each write.

    header       format, id, salt and cost of the PIN; bound into both parts
    memory       JSON: who the device is, what it must remember, the consent key under the PIN
    possession   the possession key alone, so that it is opened into a buffer that is cleared

A write puts generation n+1 on disk and then advances the counter from n. A file that is behind the
counter was put back; one that is further ahead than a crash explains is another device's.

Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.3; 7.3.5
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.live import Tries
from tallystick.client.vault.anchor import DeviceAnchor
from tallystick.client.vault.entering import Cost
from tallystick.client.vault.places import (
    alone,
    private_folder,
    read_private,
    write_private,
)
from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, AeadKey
from tallystick.infrastructure.crypto.kdf import hkdf_into
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.secret import SecretBuffer

FORMAT: Final = "tallystick-vault/1 software"
_INFO: Final = b"tallystick vault file v1"
_POSSESSION: Final = b"possession"
_MEMORY: Final = b"memory"


class Header(Record, frozen=True, kw_only=True):
    """What is readable: nothing of the person, nothing of the provider.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    format: str
    id: str
    salt: str
    cost: Cost


class ProviderPin(Record, frozen=True, kw_only=True):
    """The provider that an app is for: name, tally, root key, and `production` or `test`.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.2
    """

    name: str
    origin: str
    algorithm: str
    root: str
    environment: str


class KeptPair(Record, frozen=True, kw_only=True):
    """A renewal pair; the secret in base64url.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    counter: int
    secret: str


class Memory(Record, frozen=True, kw_only=True):
    """What a vault remembers; `consent` is the consent key, sealed under the PIN.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
    """

    generation: int
    consent: str
    consent_public: str
    pairs: tuple[KeptPair, ...] = ()
    identity: EnrolledIdentity | None = None
    checkpoint: str = ""
    hybrid: bool = False
    tries: Tries = Tries()
    pin: ProviderPin | None = None


class _File(Record, frozen=True, kw_only=True):
    header: Header
    memory: str
    possession: str


_FILE: Final[Decoder[_File]] = Decoder(_File)
_MEMORIES: Final[Decoder[Memory]] = Decoder(Memory)


class VaultFile:
    """One open file and the anchor that it belongs to.

    Source: ISO/TS 12812-2:2017, 8.1.2
    """

    __slots__ = ("_aead", "_entropy", "_path", "_possession", "anchor", "header")

    def __init__(
        self, path: Path, header: Header, anchor: DeviceAnchor, entropy: Callable[[int], bytes]
    ) -> None:
        """Derive the key of the file at `path`; nothing is read or written yet.

        Source: RFC 5869, 2
        """
        self._path, self.header, self.anchor, self._entropy = path, header, anchor, entropy
        self._possession = ""
        with anchor.secret() as device, SecretBuffer(bytearray(32)) as made:
            hkdf_into(made.reveal(), device.reveal(), salt=header.id.encode(), info=_INFO)
            self._aead: AeadKey | None = AeadKey(made.reveal())

    @classmethod
    def open(
        cls, path: Path, anchor: DeviceAnchor, entropy: Callable[[int], bytes]
    ) -> tuple["VaultFile", Memory]:
        """The file and what it remembers.

        Raises NotFound, NotPermitted for a file that others can get at or that was put back,
        NotAuthentic for one that was changed or is of another device, Malformed.
        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        private_folder(path.parent)
        with alone(_lock(path)):
            stored = _FILE.decode(bytes(read_private(path)))
            stored.header.cost.check()
            if stored.header.format != FORMAT:
                raise Malformed("not a keystore file of this version")
            file = cls(path, stored.header, anchor, entropy)
            file._possession = stored.possession
            with file._unsealed(stored.memory, _MEMORY) as opened:
                memory = _MEMORIES.decode(bytes(opened.reveal()))
            counter = anchor.counter()
            if memory.generation == counter + 1:
                anchor.advance(counter)
            elif memory.generation != counter:
                raise NotPermitted(
                    "the keystore file is not the last one of this device",
                    because="rolled-back" if memory.generation < counter else "foreign-history",
                    remedy="a copy that was put back is never used: enrol the device again",
                )
        return file, memory

    def write(self, memory: Memory, possession: SecretBuffer | None = None) -> None:
        """Replace the file; on disk, and the counter advanced, when it returns.

        `possession` is given once, with the first write. Raises Conflict if another copy wrote in
        between, Unavailable if the disk refuses.
        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        if possession is not None:
            self._possession = self._sealed(bytes(possession.reveal()), _POSSESSION)
        after = memory.generation - 1
        with alone(_lock(self._path)):
            if self.anchor.counter() != after:
                raise Conflict(
                    "another copy of the keystore has gone on",
                    remedy="if there should be none, report the device",
                )
            stored = _File(
                header=self.header,
                memory=self._sealed(encode_canonical(memory), _MEMORY),
                possession=self._possession,
            )
            write_private(self._path, encode_canonical(stored), new=possession is not None)
            self.anchor.advance(after)

    def possession(self) -> SecretBuffer:
        """The possession key (PKCS #8), for the caller to load and clear.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return self._unsealed(self._possession, _POSSESSION)

    def close(self) -> None:
        """Forget the key of the file.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        self._aead = None

    def destroy(self) -> None:
        """Erase the anchor's secret and the file: no copy of it opens from now on.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        with alone(_lock(self._path)):
            self.anchor.erase()
            self.close()
            self._path.unlink(missing_ok=True)

    def _bound(self, part: bytes) -> bytes:
        return part + b"\x00" + encode_canonical(self.header)

    def _open_key(self) -> AeadKey:
        if self._aead is None:
            raise NotPermitted("the keystore is locked", remedy="open it again")
        return self._aead

    def _sealed(self, content: bytes, part: bytes) -> str:
        nonce = self._entropy(NONCE_LENGTH)
        return b64url(nonce + self._open_key().seal(nonce, content, self._bound(part)))

    def _unsealed(self, sealed: str, part: bytes) -> SecretBuffer:
        octets = b64url_decode(sealed)
        if len(octets) <= NONCE_LENGTH:
            raise NotAuthentic("the sealed data does not verify")
        nonce, rest = octets[:NONCE_LENGTH], octets[NONCE_LENGTH:]
        return self._open_key().open_cleared(nonce, rest, self._bound(part))


def _lock(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
