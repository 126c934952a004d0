"""Steps about the master key: shares for custodians, another key, everything wrapped anew.

    master.next      the new key under its shares, until every block is under it
    master.sealed    the key in force
    master.old       the key before, until it is destroyed

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tallystick.entry.ceremonies.outcome import Outcome, file_result, overwrite
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import BlockRoots, rewrap, unwrap, unwrap_reference
from tallystick.infrastructure.modules.block import is_reference as names_a_device
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.store.blocks import every_block, replace_blocks
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.process.ceremonies import Result

_NONCE = 12


def reseal(room: Room) -> Outcome:
    """The master key is under shares of the custodians; it is the same key.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    master = room.opened()
    file, parts = master.seal_under_shares(
        room.draw,
        profile=room.plan.profile,
        threshold=room.plan.threshold,
        shares=len(room.custodians),
    )
    values = room.hand_out(parts)
    room.folder.save_master(file)
    return _sealed(room, values, master)


def prove(room: Room) -> Outcome:
    """As many custodians as it takes have opened the master key with what they have on paper.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    file = room.folder.master_file.read_bytes()
    names = tuple(reversed(room.custodians))
    return _sealed(room, {}, room.opened_by_shares(file, "share of the master key", names))


def make_new_master(room: Room) -> Outcome:
    """A new master key is under shares of the custodians, beside the one in force.

    Raises Conflict while the rotation before is not done, Unavailable while the service runs.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    if _old(room.folder).exists():
        raise Conflict("the rotation before is not done", remedy="tallystick ceremony resume")
    with _writing(room.folder):
        pass  # better told now than when every custodian has a new share
    master = MasterKey.generate(room.draw)
    file, parts = master.seal_under_shares(
        room.draw,
        profile=room.plan.profile,
        threshold=room.plan.threshold,
        shares=len(room.custodians),
    )
    values = room.hand_out(parts)
    replace_file(_next(room.folder), file)
    return Outcome(values={**values, "the new master key": _value(master)})


def rewrap_all(room: Room) -> Outcome:
    """Every key block is under the new master key, which is in force.

    Cut short, it is done again: a block that is under the new key already stays. Raises Unavailable
    while the service runs, Conflict where SIMs wait for it, NotAuthentic for a block that opens
    under neither.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    folder = room.folder
    if any((folder.root / "sims").glob("*.json")):
        raise Conflict("SIMs wait for the service", remedy="start it once, and stop it again")
    coming = _next(folder)
    in_force = folder.master_file
    is_done = not coming.exists() or coming.read_bytes() == in_force.read_bytes()
    file = in_force.read_bytes() if is_done else coming.read_bytes()
    new = room.opened_by_shares(file, "share of the new master key", room.custodians)
    after = new.roots(Purpose)
    before = after if is_done else room.opened().roots(Purpose)
    with _writing(folder) as database:
        _rewrap(room, database, before, after)
        count = _check_all(folder, database, after)
        if not is_done:
            replace_file(_old(folder), in_force.read_bytes())
            folder.save_master(file)
    coming.unlink(missing_ok=True)
    room.speaking.tell(f"{count} keys are under the new master key")
    return _sealed(room, {"keys": str(count)}, new)


def destroy_old_master(room: Room) -> Outcome:
    """The file of the old master key is overwritten and gone.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-88, 2.5
    """
    overwrite(_old(room.folder))
    return Outcome(
        results=(
            Result(what="absent-file", name=_old(room.folder).name),
            file_result(room.folder, room.folder.master_file.name),
        )
    )


def _rewrap(room: Room, database: Database | None, before: BlockRoots, after: BlockRoots) -> None:
    def renew(block: bytes) -> bytes:
        return rewrap(before, after, block, room.draw(_NONCE))

    for path, block, save in _files(room.folder):
        # files first: from the first on, no service starts before this is taken up again
        fresh = renew(block)
        if fresh != block:
            save(path, fresh)
    if database is not None:
        replace_blocks(database, renew)


def _check_all(folder: ProviderFolder, database: Database | None, roots: BlockRoots) -> int:
    """Open every block under `roots`; gives how many there are."""

    def check(under: BlockRoots, block: bytes) -> None:
        if names_a_device(block):
            unwrap_reference(under, block)
        else:
            unwrap(under, block)

    count = 0
    for _, block, _ in _files(folder):
        check(roots, block)
        count += 1
    if database is None:
        return count
    return count + every_block(database, partial(check, roots.with_generations(folder.blocks())))


@contextmanager
def _writing(folder: ProviderFolder) -> Generator[Database | None]:
    """The store as its only writer, so that no service starts meanwhile; None where there is none.

    Raises Unavailable while the service runs.
    """
    try:
        place = folder.stored()
    except NotFound:
        yield None
        return
    database = open_database(place)
    try:
        yield database
    finally:
        database.close()


def _files(
    folder: ProviderFolder,
) -> Iterator[tuple[Path, bytes, Callable[[Path, bytes], None]]]:
    """Every key block in a file, and how it is replaced."""
    for path, block in folder.block_files():
        yield path, block, folder.replace_block
    for path in sorted((folder.root / "pki" / "keys").glob("*.block")):
        yield path, path.read_bytes(), replace_file


def _sealed(room: Room, values: dict[str, str], master: MasterKey) -> Outcome:
    return Outcome(
        values={**values, "the master key": _value(master)},
        results=(file_result(room.folder, room.folder.master_file.name),),
    )


def _value(master: MasterKey) -> str:
    return master.roots(Purpose).check_value()


def _next(folder: ProviderFolder) -> Path:
    return folder.root / "master.next"


def _old(folder: ProviderFolder) -> Path:
    return folder.root / "master.old"
