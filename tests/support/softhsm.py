"""Tokens of SoftHSM for tests: software behind the interface of a device, one folder for each."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tallystick.infrastructure.modules.pkcs11.sessions import TokenPlace
from tallystick.kernel.secret import Secret

__all__ = ["LIBRARY", "SoftToken", "soft_token", "tool"]

PIN = "934271"
_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
LIBRARY = next((one for one in _PLACES if Path(one).exists()), "")
_names = count(1)
_made: list[Path] = []


class SoftToken:
    """One token, in a folder that can be taken away and brought back while it is in use."""

    def __init__(self, label: str, folder: Path, away: Path) -> None:
        self.label, self.folder, self._away = label, folder, away
        self.pin_file = away.parent / f"{label}.pin"
        self.pin_file.write_text(PIN + "\n", encoding="ascii")

    def place(self, *, pin: str = PIN, **more) -> TokenPlace:
        return TokenPlace(LIBRARY, Secret(pin), label=self.label, **more)

    def lose(self) -> None:
        self.folder.rename(self._away)

    def come_back(self) -> None:
        self._away.rename(self.folder)


def _root() -> Path:
    """The folder of all tokens of this process: the library reads its settings once."""
    if _made:
        return _made[0]
    root = Path(tempfile.mkdtemp(prefix="tallystick-tokens-"))
    _made.append(root)
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for folder in (root / "tokens", root / "away"):
        folder.mkdir(parents=True)
    conf = root / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {root}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
        "slots.removable = true\n",
        encoding="utf-8",
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    return root


@contextmanager
def soft_token() -> Iterator[SoftToken]:
    """A fresh token; the test is skipped, loudly, where SoftHSM or the driver is absent."""
    if not LIBRARY or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is absent: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="the driver is absent: install tallystick[pkcs11]")
    root, label = _root(), f"test-{next(_names)}"
    before = set((root / "tokens").iterdir())
    tool("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678",
         "--pin", PIN)  # fmt: skip
    (folder,) = set((root / "tokens").iterdir()) - before
    found = SoftToken(label, folder, root / "away" / folder.name)
    try:
        yield found
    finally:
        for one in (found.folder, root / "away" / folder.name):
            shutil.rmtree(one, ignore_errors=True)


def tool(*command: str, allowed: tuple[int, ...] = (0,)) -> str:
    """What a program of others prints; it has to end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode in allowed, done.stdout + done.stderr
    return done.stdout + done.stderr
