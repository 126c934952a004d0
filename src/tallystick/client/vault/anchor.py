"""What a device gives a keystore in software: a secret that stays on it, a counter that only grows.

A phone's platform has both in hardware. `FolderAnchor` has them in files, and says so: it refuses a
keystore that was copied or put back alone, and a folder that was restored elsewhere; it is no match
for who copies the disk.

Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.3; 7.3.5
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from tallystick.client.vault.places import (
    alone,
    left_out,
    private_folder,
    read_private,
    write_private,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.kdf import hkdf_into
from tallystick.kernel.errors import Conflict, Malformed, NotPermitted
from tallystick.kernel.secret import SecretBuffer

SECRET_OCTETS: Final = 32
_KEPT: Final = "anchor"
_COUNTER: Final = "counter"
_LOCK: Final = "lock"
_BOUND: Final = b"tallystick vault anchor v1"


class DeviceAnchor(Protocol):
    """Ties a keystore to one device and to one history.

    Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.3
    """

    @property
    def protection(self) -> str:
        """What keeps the secret and the counter, in words.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        ...

    def secret(self) -> SecretBuffer:
        """32 octets that only this device has; the caller clears them.

        Raises NotPermitted once it was erased.
        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        ...

    def counter(self) -> int:
        """How far the history has come.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        ...

    def advance(self, after: int) -> None:
        """Go from `after` to the next number, durably.

        Raises Conflict if the counter stands elsewhere.
        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        ...

    def erase(self) -> None:
        """Forget the secret for good, so that no copy of the keystore opens any more.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        ...


class FolderAnchor:
    """An anchor in files of a private folder; software, no hardware protection.

    Its secret counts together with the folder's own number in the file system and with `machine`,
    so that a folder that was restored, or carried to another machine, is another anchor.
    Source: ISO/TS 12812-2:2017, 8.1.2; 7.3.5
    """

    __slots__ = ("_folder", "_machine", "marks")

    def __init__(self, folder: Path, machine: bytes) -> None:
        """The anchor in `folder`, on the machine that calls itself `machine`.

        Raises NotFound without one, NotPermitted for a folder or files that others can get at.
        Source: ISO/TS 12812-2:2017, 7.2.2
        """
        private_folder(folder)
        self._folder, self._machine = folder, machine
        self.marks = left_out(folder)
        """Which requests to backups hold for the folder."""
        self.counter()

    @classmethod
    def create(
        cls, folder: Path, machine: bytes, entropy: Callable[[int], bytes]
    ) -> "FolderAnchor":
        """A new anchor; its counter stands at nought.

        Raises Conflict if there is one.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        private_folder(folder)
        with SecretBuffer(entropy(SECRET_OCTETS)) as fresh:
            write_private(folder / _KEPT, fresh.reveal(), new=True)
        write_private(folder / _COUNTER, b"0")
        return cls(folder, machine)

    @property
    def protection(self) -> str:
        """That there is none in hardware.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        return "software, a private folder"

    def secret(self) -> SecretBuffer:
        """The secret as it counts in this folder on this machine.

        Raises NotPermitted once it was erased.
        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        with SecretBuffer(read_private(self._folder / _KEPT)) as kept:
            if len(kept) != SECRET_OCTETS:
                raise NotPermitted(
                    "the secret of this device was erased", remedy="enrol the device again"
                )
            place = self._folder.stat().st_ino.to_bytes(8, "big")
            bound = bytearray(SECRET_OCTETS)
            hkdf_into(bound, kept.reveal(), salt=sha256(place + self._machine), info=_BOUND)
        return SecretBuffer(bound)

    def counter(self) -> int:
        """The counter, from disk.

        Raises Malformed for a file that has no number.
        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        text = bytes(read_private(self._folder / _COUNTER))
        if not text.isdigit() or len(text) > 15:
            raise Malformed("the counter of the device is damaged", remedy="enrol the device again")
        return int(text)

    def advance(self, after: int) -> None:
        """Go on from `after`; one process at a time.

        Raises Conflict if somebody else went on before.
        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        with alone(self._folder / _LOCK):
            if self.counter() != after:
                raise Conflict(
                    "another copy of the keystore has gone on",
                    remedy="if there should be none, report the device",
                )
            write_private(self._folder / _COUNTER, b"%d" % (after + 1))

    def erase(self) -> None:
        """Leave an empty file in the place of the secret, and overwrite what was there.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        with (self._folder / _KEPT).open("r+b") as before:
            write_private(self._folder / _KEPT, b"")
            before.write(bytes(SECRET_OCTETS))
            before.flush()
            os.fsync(before.fileno())
