"""Backups of a provider, and how a restored one goes on: under a new name of its log.

    BACKUP/backup.json      what was taken and when, with the hash of every file; written last
    BACKUP/...              the files of the provider's folder, `offline/` left out

What was recorded after the backup is lost with the machine. Were the log to go on under its old
name, it would tell two histories: so its first event names what it continues, and wallets see it.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3; 7.4.2
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tallystick.application.policing.store import last_policy
from tallystick.entry.auditing import next_origin
from tallystick.entry.evidence import DOCUMENTS
from tallystick.entry.pki.partnerlists import FOLDER as PARTNERS_LISTS
from tallystick.entry.proposals import PROPOSALS
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.entry.vendors.byhand import FILES as LISTS
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.copying import copy_rows
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database, open_reader, open_snapshot
from tallystick.infrastructure.store.sqlite.backup import copy_database, make_whole
from tallystick.infrastructure.tally.findings import Anchor
from tallystick.infrastructure.tally.leaf import restored_leaf
from tallystick.infrastructure.tally.log import TallyLog
from tallystick.infrastructure.tally.merkle import Frontier
from tallystick.infrastructure.tally.store import (
    TallyStore,
    save_frontier,
    save_leaves,
    save_tiles,
)
from tallystick.infrastructure.tally.tiles import frontier_at
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import Broken, Conflict, NotAuthentic, NotFound, Unavailable
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import Instant
from tallystick.protocol.receipt import Checkpoint, check_origin


class Backup(Record, frozen=True, kw_only=True):
    """What a backup has: of whom, when, how many events, the root over them, and its files.

    `files` maps a path inside the backup to its SHA-256, base64url.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    v: int
    provider: str
    origin: str
    taken_at: int
    events: int
    root: str
    files: dict[str, str]


class Restored(Record, frozen=True, kw_only=True):
    """How a restored log goes on: its new name, the event that says so, and how many are lost.

    `lost` counts the events that an anchor vouches for and the backup lacks.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    origin: str
    before: str
    event: int
    lost: int


_notes = Decoder(Backup)
_KINDS: Final = frozenset({".json", ".jsonl", ".yaml", ".jws", ".pem"})
_FOLDERS: Final = (
    ("ceremonies", "*.dsse"), (DOCUMENTS, "*"), (PARTNERS_LISTS, "*"), (PROPOSALS, "*"),
    ("pki", "*"), ("registers", "*.yaml"),
)  # fmt: skip
"""What is taken of which folder of a provider; files of applications are published again."""


def back_up(folder: ProviderFolder, target: Path, now: Instant) -> Backup:
    """Copy the provider in `folder` to the new folder `target`, also while it is served.

    Keys stay wrapped under the master key, which stays sealed under its secret. Raises Conflict if
    `target` has anything in it, Unavailable, Broken.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
    """
    settings, stored = folder.settings(), folder.stored()
    _make_room(target)
    hashes: dict[str, str] = {}
    for name, path in _files(folder):
        octets = path.read_bytes()
        _write(target / name, octets)
        hashes[name] = b64url(sha256(octets))
    copied = ProviderFolder(target).database_file
    _copy(stored, copied, now)
    hashes[copied.name] = b64url(sha256(copied.read_bytes()))
    frontier = _frontier(copied)
    backup = Backup(
        v=1,
        provider=settings.provider,
        origin=settings.origin,
        taken_at=now,
        events=frontier.size,
        root=b64url(frontier.root()),
        files=hashes,
    )
    _write(ProviderFolder(target).backup_note, encode_canonical(backup))
    return backup


def read_backup(source: Path) -> Backup:
    """What the backup in `source` has, every file checked against its hash.

    Raises NotFound for a folder without a complete backup, NotAuthentic for a changed file.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        backup = _notes.decode_canonical(ProviderFolder(source).backup_note.read_bytes())
    except FileNotFoundError:
        raise NotFound(
            f"{source} has no complete backup", remedy="a complete one has the file backup.json"
        ) from None
    for name, hash_ in backup.files.items():
        path = source / name
        inside = path.resolve().is_relative_to(source.resolve())
        if not inside or not path.is_file() or b64url(sha256(path.read_bytes())) != hash_:
            raise NotAuthentic(
                f"{name[:80]} is not what was backed up", remedy="use another backup"
            )
    return backup


def restore(
    source: Path,
    folder: ProviderFolder,
    now: Instant,
    entropy: Callable[[int], bytes],
    *,
    anchors: Sequence[Anchor] = (),
    origin: str = "",
) -> Restored:
    """Put the backup in `source` into the new `folder`, its log under a new name (`origin`).

    `anchors` are receipts and checkpoints that were kept outside: the newest says how much is lost.
    A backup that was restored before needs another `origin` than the next one. Raises Conflict if
    the folder is not empty or the log had the name, Broken if an anchor tells another history; then
    the folder is as it was.
    Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
    """
    backup = read_backup(source)
    settings = ProviderFolder(source).settings()
    named = check_origin(origin) if origin else next_origin(settings.origin)
    kept = [one.checkpoint for one in anchors if one.checkpoint.origin == settings.origin]
    _make_room(folder.root)
    try:
        for name in backup.files:
            if name != folder.settings_file.name:
                _write(folder.root / name, (source / name).read_bytes())
        restored = _mark(folder, settings, now, entropy, kept, named)
        _write(folder.settings_file, encode_canonical(replace(settings, origin=named)))
    except BaseException:
        shutil.rmtree(folder.root, ignore_errors=True)
        raise
    return restored


def _copy(stored: Place, copied: Path, now: Instant) -> None:
    """The store as it is at one moment, as an embedded file whatever it is now."""
    if isinstance(stored, Path):
        copy_database(stored, copied)
        return
    with open_snapshot(stored) as source, open_database(copied) as target:
        migrate(target, MIGRATIONS, now)
        copy_rows(source, target)
    make_whole(copied)
    copied.with_name(copied.name + ".lock").unlink(missing_ok=True)


def _mark(
    folder: ProviderFolder,
    settings: ProviderSettings,
    now: Instant,
    entropy: Callable[[int], bytes],
    kept: Sequence[Checkpoint],
    origin: str,
) -> Restored:
    """Append the event that gives the log its new name."""
    database = open_database(folder.database_file)
    try:
        store = TallyStore(database)
        if origin in store.origins():
            raise Conflict(f"the log was called {origin} before", remedy="give another --origin")
        frontier = store.load_frontier(settings.origin) or Frontier()
        last = Checkpoint(origin=settings.origin, size=frontier.size, root=frontier.root())
        _check_history(store, last, kept)
        last = max((last, *kept), key=lambda one: one.size)
        identifier = timed_id("evt", now, entropy(10))
        policy = last_policy(database)
        leaf = restored_leaf(
            event_id=identifier,
            at=now,
            provider=settings.provider,
            policy=0 if policy is None else policy[0],
            origin=origin,
            last=last,
        )
        appended = TallyLog(origin, frontier).append([leaf])
        changes = ChangeSet()
        rows = [(appended.first_index, identifier, leaf, appended.leaf_hashes[0])]
        save_leaves(changes, rows)
        save_tiles(changes, [(tile.level, tile.index, tile.hash) for tile in appended.new_tiles])
        save_frontier(changes, origin, appended.frontier)
        GroupCommit(database).run(changes)
    finally:
        database.close()
    return Restored(
        origin=origin,
        before=last.origin,
        event=appended.first_index,
        lost=max(0, last.size - frontier.size),
    )


def _check_history(store: TallyStore, last: Checkpoint, kept: Sequence[Checkpoint]) -> None:
    """Pass if the backup's log is whole and what was kept outside is a part of it."""
    whole = store.size() == last.size
    if not whole or any(
        one.size <= last.size and frontier_at(store, one.size).root() != one.root for one in kept
    ):
        raise Broken(
            "the backup tells another history than its last state, or than what was kept",
            remedy="audit the backup: tallystick tally verify BACKUP --against FILE",
        )


def _frontier(database: Path) -> Frontier:
    with open_reader(database) as reader:
        store = TallyStore(reader)
        return frontier_at(store, store.size()) if store.size() else Frontier()


def _files(folder: ProviderFolder) -> Iterator[tuple[str, Path]]:
    """The files that make a provider beside its database; not the keys that belong elsewhere.

    Everything that is fixed or recorded at the top of the folder, whoever reads it. Lists of
    vendors are in the database: a file of one would look as young as its copy.
    """
    fixed = (folder.settings_file, folder.master_file, folder.key_list_file, folder.policy_file)
    left = {folder.backup_note.name, folder.store_file.name, *LISTS.values()}
    said = [one for one in folder.root.iterdir() if one.suffix in _KINDS and one.name not in left]
    for name, pattern in _FOLDERS:
        said += (folder.root / name).rglob(pattern)
    beside = {one for one in said if one.is_file() and one.suffix != ".new"} - {*fixed}
    for path in (*fixed, *sorted(beside), *sorted((folder.root / "keys").glob("*.block"))):
        yield path.relative_to(folder.root).as_posix(), path


def _make_room(target: Path) -> None:
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        occupied = next(target.iterdir(), None) is not None
    except OSError as error:
        raise Unavailable(f"{target} cannot be written", remedy="check who owns it") from error
    if occupied:
        raise Conflict(f"{target} is not empty", remedy="choose a new folder")


def _write(path: Path, octets: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())
