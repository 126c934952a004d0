"""What a step came to: public check values, and what it left in the folder.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.process.ceremonies import Result


@dataclass(frozen=True, slots=True)
class Outcome:
    """Check values by name, and results.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    values: dict[str, str] = field(default_factory=dict[str, str])
    results: tuple[Result, ...] = ()


def file_result(folder: ProviderFolder, name: str) -> Result:
    """The file `name` in the folder with its SHA-256.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    octets = (folder.root / name).read_bytes()
    return Result(what="file", name=name, digest=b64url(sha256(octets)))


def overwrite(path: Path) -> None:
    """Put zeros over a file and remove it; nothing is done where there is none.

    Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-88, 2.5
    """
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink()
