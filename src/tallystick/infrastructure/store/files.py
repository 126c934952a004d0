"""Small files that are replaced whole: a crash leaves the old one or the new one, never half.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

import fcntl
import os
from pathlib import Path


def replace_file(path: Path, octets: bytes) -> None:
    """Put `octets` in place of `path`, for this account only, durably and all at once.

    Who else replaces a file of that folder meanwhile, in this process or another, waits.
    Raises OSError; the file is then as it was.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    fresh = path.with_suffix(".new")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)
