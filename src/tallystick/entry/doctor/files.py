"""The provider's folder: who may read it, what does not belong there, the disk under it.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

import os
import shutil
import stat
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tallystick.entry.contents import to_give_anew, unnamed_in
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder

LEAST_FREE_BYTES = 1 << 30
SLOW_MS = 20.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ROUNDS = 7


def look_at_files(folder: ProviderFolder) -> Iterator[Finding]:
    """Permissions, offline keys, what no backup takes, room, and the time of a durable write.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
    """
    yield _permissions(folder)
    yield _offline(folder)
    yield _backed_up(folder.root)
    yield _room(folder)
    yield _durability(folder.root)


def _permissions(folder: ProviderFolder) -> Finding:
    secret = [folder.master_file, folder.database_file, *sorted((folder.root / "keys").glob("*"))]
    open_to_others = [
        path.name for path in secret if path.exists() and path.stat().st_mode & _OTHERS
    ]
    if open_to_others:
        names = ", ".join(open_to_others[:3])
        return wrong(
            "permissions",
            f"other accounts can reach {names}",
            f"chmod -R go-rwx {folder.root}",
        )
    return fine("permissions", "keys, master key and record are for this account only")


def _offline(folder: ProviderFolder) -> Finding:
    if folder.offline.exists():
        return soon(
            "offline keys",
            "the keys of the root and of the officers are on this machine",
            f"move {folder.offline} to a machine that is not on the network",
        )
    return fine("offline keys", "not on this machine")


def _backed_up(root: Path) -> Finding:
    empty, unnamed = to_give_anew(root), unnamed_in(root)
    if empty:
        return wrong("backups", f"empty since a restore: {empty[0]}", "write it in again")
    if unnamed:
        says = f"a backup does not take {', '.join(unnamed[:3])}: no file of a provider"
        return soon("backups", says, "keep it elsewhere, or remove it")
    return fine("backups", "every file here is taken, or left out for a reason")


def _room(folder: ProviderFolder) -> Finding:
    free = shutil.disk_usage(folder.root).free
    used = folder.database_file.stat().st_size if folder.database_file.exists() else 0
    says = f"{free / 1e9:.1f} GB free, {used / 1e9:.2f} GB of record"
    if free < LEAST_FREE_BYTES:
        return wrong("disk", says, "make room: a full disk stops all writes")
    if free < used:
        return soon("disk", says, "make room: a backup of the record would not fit")
    return fine("disk", says)


def _durability(root: Path) -> Finding:
    """The median of a few small writes that are made durable."""
    taken: list[float] = []
    try:
        with tempfile.TemporaryFile(dir=root) as file:
            for _ in range(_ROUNDS):
                began = time.perf_counter()
                file.write(bytes(4096))
                file.flush()
                os.fdatasync(file.fileno())
                taken.append((time.perf_counter() - began) * 1000)
    except OSError as error:
        return wrong(
            "durable writes",
            f"the folder cannot be written ({error.strerror})",
            "run as the account of the service, and look after the disk",
        )
    says = f"{statistics.median(taken):.1f} ms to make 4 kB durable"
    if statistics.median(taken) > SLOW_MS:
        return soon("durable writes", says, "every payment waits for it: use a faster disk")
    return fine("durable writes", says)
