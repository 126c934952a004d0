"""The digest of a package's source: what was tested, and what runs, by one number.

SHA-256 over each file's path and content in the order of the paths; what Python compiles by itself
is left out. A checkout and an installation of the same source have the same digest.

Source: ISO/TS 12812-2:2017, 9.3
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotFound

_MADE: Final = frozenset({"__pycache__"})
_MADE_ENDINGS: Final = frozenset({".pyc", ".pyo"})


def source_digest(package: Path) -> str:
    """The digest (hex) of the files below `package`.

    Raises NotFound where there is no such folder, or nothing in it.
    Source: ISO/TS 12812-2:2017, 9.3
    """
    found = [
        (path.relative_to(package).as_posix(), sha256(path.read_bytes()).hex())
        for path in sorted(_files(package))
    ]
    if not found:
        raise NotFound(f"there is no source in {package.name!r}")
    return sha256(encode_canonical(found)).hex()


def _files(package: Path) -> Iterator[Path]:
    for path in package.rglob("*"):
        made = _MADE & set(path.relative_to(package).parts) or path.suffix in _MADE_ENDINGS
        if path.is_file() and not made:
            yield path
