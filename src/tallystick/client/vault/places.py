"""Where secrets may stand: a folder of one's own, a file that nobody else reads or ever backs up.

Backups are asked to pass by, with the mark that archivers know (CACHEDIR.TAG) and the file system's
`nodump`; neither binds them, and so a copy that comes back is refused by the anchor.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.3.5
"""

import fcntl
import os
import stat
import struct
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tallystick.kernel.errors import Conflict, NotFound, NotPermitted, TooLarge, Unavailable

MARK: Final = "CACHEDIR.TAG"
"""The file that tells archivers to leave a folder out."""

_MARK_TEXT: Final = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# Keys of one device. A copy of them opens nothing: do not back them up.\n"
)
_OTHERS: Final = 0o077
_WRITABLE: Final = 0o022
_GET_FLAGS: Final = 0x80086601
_SET_FLAGS: Final = 0x40086602
_NODUMP: Final = 0x40
_MOST: Final = 1024 * 1024


def private_folder(folder: Path) -> None:
    """Make `folder` for its owner alone, or see that it is.

    Raises NotPermitted for a link, another owner, or a folder that others may write to.
    Source: ISO/TS 12812-2:2017, 7.2.2
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise Unavailable("the folder for keys cannot be made") from error
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        raise NotPermitted(
            "the folder for keys is a link or belongs to somebody else",
            remedy="name a folder of this account",
        )
    if found.st_mode & _WRITABLE:
        raise NotPermitted(
            "the folder for keys is shared: others may write to it",
            remedy="use a folder with mode 0700",
        )


def left_out(folder: Path) -> tuple[str, ...]:
    """Ask backups to pass `folder` by; gives which marks hold: `cachedir`, `nodump`.

    Raises Unavailable if not even the first can be written.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    try:
        (folder / MARK).write_bytes(_MARK_TEXT)
    except OSError as error:
        raise Unavailable("the folder for keys cannot be marked") from error
    return ("cachedir", "nodump") if _nodump(folder) else ("cachedir",)


def _nodump(folder: Path) -> bool:
    """Set the flag that new files of the folder inherit; few file systems have none."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flags = bytearray(8)
        fcntl.ioctl(descriptor, _GET_FLAGS, flags)
        (found,) = struct.unpack("l", flags)
        fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", found | _NODUMP))
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytearray:
    """What is in the file at `path`, in a buffer that can be cleared.

    Raises NotFound without it; NotPermitted for a link, another owner, a second name, or a mode
    that lets others read; TooLarge past 1 MiB.
    Source: ISO/TS 12812-2:2017, 7.2.2
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound("there is no keystore file", remedy="create one") from error
    except OSError as error:
        raise NotPermitted(
            "the keystore file is a link or cannot be read", remedy="name the file itself"
        ) from error
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        found = os.fstat(descriptor)
        _check(found)
        content = bytearray(found.st_size)
        file.readinto(content)
    return content


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise NotPermitted(
            "the keystore file belongs to somebody else", remedy="enrol the device again"
        )
    if found.st_mode & _OTHERS:
        raise NotPermitted(
            "others may read the keystore file",
            remedy="what they may have read is not secret: enrol the device again",
        )
    if found.st_nlink != 1:
        raise NotPermitted(
            "the keystore file has a second name, as a backup by links gives it",
            remedy="remove the other name and leave the folder out of backups",
        )
    if found.st_size > _MOST:
        raise TooLarge("the keystore file has more than 1 MiB")


def write_private(path: Path, octets: bytes | bytearray, *, new: bool = False) -> None:
    """Replace the file at `path` whole; on disk, with mode 0600, when it returns.

    Raises Conflict for a `new` file that is there, Unavailable if the disk refuses: what was there
    stays then.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    if new and path.exists():
        raise Conflict("the keystore is there already", remedy="open it, or choose another place")
    beside = path.with_name(path.name + ".new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(beside, flags, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            os.fchmod(descriptor, 0o600)
            written = file.write(octets)
            os.fsync(descriptor)
        if written == len(octets):
            beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Unavailable("the keystore file cannot be written") from error
    if written != len(octets):
        raise Unavailable("the keystore file cannot be written whole", remedy="free some space")


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Hold the lock file at `path`: one holder at a time, over processes; the file stays.

    Raises Unavailable if it cannot be made.
    Source: ISO/TS 12812-2:2017, 8.1.3
    """
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise Unavailable("the folder for keys cannot be locked") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
