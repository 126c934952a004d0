"""The record: is the file whole, is the log signed and witnessed, does anything wait too long?

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Iterator
from pathlib import Path

from tallystick.application.notices.store import due_notices
from tallystick.application.payments.store import open_orders
from tallystick.application.policing.store import last_policy
from tallystick.entry.auditing import believed, note_anchor
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.entry.witnessing import WITNESSED_NOTE
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import MfsError
from tallystick.kernel.ids import id_time
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.policy.language.removed import removed_in
from tallystick.protocol.policy_file import policy_text, read_policy_file

WAL_BYTES = 256 << 20
BEHIND = 10_000
"""Events that a witness may be behind before somebody should look."""

_LATE_MS = 10 * MINUTE_MS
_MOST = 1_000


def look_at_record(
    folder: ProviderFolder, settings: ProviderSettings, now: Instant
) -> Iterator[Finding]:
    """The database, the tally, its witness, the policy, orders and notices that wait.

    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
    """
    place = folder.place()
    nothing = soon("record", "nothing was served yet", f"tallystick serve {folder.root}")
    if isinstance(place, Path) and not place.exists():
        yield nothing
        return
    try:
        with open_reader(place) as reader:
            if not reader.shapes():
                yield nothing
                return
            yield _whole(reader)
            if isinstance(place, Path):
                yield _log(place)
            yield _tally(folder, reader)
            yield _witness(folder, reader)
            yield _policy(folder, reader)
            yield _orders(reader, now)
            if settings.sms_url:
                yield _notices(reader, now)
    except MfsError as error:
        yield wrong("record", error.detail, error.remedy or "restore the last backup")


def _whole(reader: Connection) -> Finding:
    reader.check_integrity()
    return fine("record", f"every page of the database fits, {reader.size() / 1e6:.0f} MB")


def _log(place: Path) -> Finding:
    path = place.with_name(place.name + "-wal")
    size = path.stat().st_size if path.exists() else 0
    says = f"{size / 1e6:.0f} MB of write-ahead log"
    if size > WAL_BYTES:
        return soon("write-ahead log", says, "somebody keeps reading: end long backups and audits")
    return fine("write-ahead log", says)


def _tally(folder: ProviderFolder, reader: Connection) -> Finding:
    store = TallyStore(reader)
    latest = store.latest_checkpoint()
    if latest is None:
        return soon("tally", "no checkpoint is stored yet", "serve the provider, then stop it once")
    try:
        note_anchor(latest[1], believed(folder), "newest")
    except MfsError:
        return wrong(
            "tally",
            "the newest checkpoint does not verify under a listed key",
            f"tallystick tally verify {folder.root}",
        )
    return fine("tally", f"{store.size()} events, signed up to {latest[0]}")


def _witness(folder: ProviderFolder, reader: Connection) -> Finding:
    path = folder.root / WITNESSED_NOTE
    if not path.exists():
        return soon(
            "witness",
            "nobody outside countersigns the log",
            "run a witness elsewhere, and serve with --witness: see docs/how-to/run-a-witness.md",
        )
    note = path.read_text(encoding="utf-8")
    seen = int(note.split("\n", 2)[1])
    behind = TallyStore(reader).size() - seen
    if behind > BEHIND:
        return soon("witness", f"{behind} events behind", "look whether the witness is reachable")
    return fine("witness", f"countersigned up to event {seen}")


def _policy(folder: ProviderFolder, reader: Connection) -> Finding:
    stored = last_policy(reader)
    if stored is None:
        return soon("policy", "none is in force", f"tallystick serve {folder.root}")
    gone = {one.act for one in removed_in(policy_text(read_policy_file(stored[1].encode())))}
    if gone:
        return wrong(
            "policy",
            f"version {stored[0]} grants acts that no longer exist: {', '.join(sorted(gone))}",
            f"tallystick policy mend {folder.root} --out FILE",
        )
    return fine("policy", f"version {stored[0]}, every act that it grants exists")


def _orders(reader: Connection, now: Instant) -> Finding:
    waiting = open_orders(reader, _MOST)
    late = [one for one in waiting if now - id_time(one) > _LATE_MS]
    if late:
        return soon(
            "orders",
            f"{len(late)} wait for the core system for more than ten minutes, from {late[0]}",
            "look after the core system: tallystick why ORDER FOLDER",
        )
    return fine("orders", f"{len(waiting)} wait for the core system")


def _notices(reader: Connection, now: Instant) -> Finding:
    waiting = due_notices(reader, now, _MOST)
    late = [one for one in waiting if now - one.created_at > _LATE_MS]
    if late:
        return soon(
            "notices",
            f"{len(late)} short messages were not delivered for more than ten minutes",
            "look after the message centre",
        )
    return fine("notices", f"{len(waiting)} short messages wait")
