"""The command openssl, an outside judge of certificates, lists, answers and time stamps."""

import subprocess
from pathlib import Path

__all__ = ["openssl", "openssl_refuses"]


def openssl(*arguments: str | Path) -> str:
    """What `openssl` says of `arguments`; it must end well."""
    done = _run(arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def openssl_refuses(*arguments: str | Path) -> str:
    """What `openssl` says of `arguments`; it must not end well."""
    done = _run(arguments)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def _run(arguments: tuple[str | Path, ...]) -> subprocess.CompletedProcess[str]:
    command = ["openssl", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
