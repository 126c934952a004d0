"""What a witness saw, in a folder of its own: one file per log, replaced whole and synced.

Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 7.3.3
"""

import fcntl
import os
from pathlib import Path

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.tally.witness import Seen
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Broken, Conflict, Malformed, Unavailable
from tallystick.kernel.model import Base64Url, Natural, Record


class _StoredSeen(Record, frozen=True, kw_only=True):
    origin: str
    size: Natural
    root: Base64Url
    note: str


_decoder = Decoder(_StoredSeen)


class FileWitnessStore:
    """Keeps the last accepted checkpoints in files; one process at a time, readable by their owner.

    Source: C2SP tlog-witness
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made if it is not there, and lock it until `close`.

        Raises Unavailable when another process has it, or it cannot be written.
        Source: C2SP tlog-witness
        """
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                "the witness's folder cannot be used", remedy="check its owner and its disk"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise Unavailable(
                "another process uses the witness's folder", remedy="stop it first"
            ) from error

    def close(self) -> None:
        """Let another process use the folder.

        Source: C2SP tlog-witness
        """
        os.close(self._lock)

    def latest(self, origin: str) -> Seen | None:
        """What was last accepted of the log `origin`.

        Raises Broken for a file that is damaged: to go on would be to forget.
        Source: C2SP tlog-witness
        """
        try:
            octets = self._file(origin).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable("the witness's folder cannot be read") from error
        try:
            stored = _decoder.decode_canonical(octets)
            root = b64url_decode(stored.root)
        except Malformed as error:
            raise _damaged() from error
        if stored.origin != origin:
            raise _damaged()
        return Seen(size=stored.size, root=root, note=stored.note)

    def advance(self, origin: str, before: Seen | None, after: Seen) -> None:
        """Replace the file of `origin` and sync it, if it still says `before`.

        Raises Conflict when it says something else, Unavailable when the disk refuses.
        Source: C2SP tlog-witness
        """
        if self.latest(origin) != before:
            raise Conflict("another checkpoint of the log came between", remedy="ask again")
        stored = _StoredSeen(
            origin=origin, size=after.size, root=b64url(after.root), note=after.note
        )
        try:
            replace_file(self._file(origin), encode_canonical(stored))
        except OSError as error:
            raise Unavailable(
                "the witness cannot record what it saw, so it does not sign",
                remedy="free disk space",
            ) from error

    def _file(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hex()}.json"


def _damaged() -> Broken:
    return Broken(
        "what the witness saw of the log is damaged",
        remedy="restore its file from a copy not older than its last cosignature",
    )
