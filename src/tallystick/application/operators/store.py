"""Where operators, invitations and acts are kept.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from typing import NamedTuple

from tallystick.application.operators.model import ActRow, Operator, Passkey
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row


class ActHead(NamedTuple):
    """An act that waits: its id, its name, and who proposed it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    name: str
    operator: str


OPERATOR = Table(
    name="operator",
    key="id",
    insert_head=(
        "INSERT INTO operator (id, role, status, public, name, enrolled_at, stands_since, stood_by,"
        " stands_event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET role = excluded.role, status = excluded.status,"
        " name = excluded.name, stands_since = excluded.stands_since,"
        " stood_by = excluded.stood_by, stands_event = excluded.stands_event"
    ),
    select_head=(
        "SELECT id, role, status, public, name, enrolled_at, stands_since, stood_by, stands_event"
        " FROM operator WHERE id IN "
    ),
)

INVITATION = Table(
    name="invitation",
    key="code_mac",
    insert_head=(
        "INSERT INTO invitation (code_mac, role, expires_at, used_at, issued_by, operator) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=" ON CONFLICT (code_mac) DO UPDATE SET used_at = excluded.used_at",
    select_head=(
        "SELECT code_mac, role, expires_at, used_at, issued_by, operator FROM invitation"
        " WHERE code_mac IN "
    ),
)

PASSKEY = Table(
    name="passkey",
    key="credential",
    insert_head=(
        "INSERT INTO passkey (credential, operator, public, counter, aaguid, synced, status,"
        " registered_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (credential) DO UPDATE SET counter = excluded.counter,"
        " status = excluded.status"
    ),
    select_head=(
        "SELECT credential, operator, public, counter, aaguid, synced, status, registered_at"
        " FROM passkey WHERE credential IN "
    ),
)

ACT = Table(
    name="act",
    key="id",
    insert_head=(
        "INSERT INTO act (id, name, operator, body, jws, state, says, reference, event,"
        " expires_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET jws = excluded.jws, state = excluded.state,"
        " says = excluded.says, reference = excluded.reference, event = excluded.event,"
        " body = excluded.body"
    ),
    select_head=(
        "SELECT id, name, operator, body, jws, state, says, reference, event, expires_at"
        " FROM act WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=60,
    name="operators",
    statements=(
        """CREATE TABLE operator (
            id TEXT PRIMARY KEY, role TEXT NOT NULL, status TEXT NOT NULL, public BLOB NOT NULL,
            name BLOB NOT NULL, enrolled_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE invitation (
            code_mac TEXT PRIMARY KEY, role TEXT NOT NULL, expires_at INTEGER NOT NULL,
            used_at INTEGER NOT NULL, issued_by TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE act (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, operator TEXT NOT NULL, body BLOB NOT NULL,
            jws TEXT NOT NULL, state TEXT NOT NULL, says TEXT NOT NULL, reference TEXT NOT NULL,
            event INTEGER NOT NULL, expires_at INTEGER NOT NULL
        ) STRICT""",
    ),
)

PASSKEY_MIGRATION = Migration(
    number=170,
    name="passkeys",
    statements=(
        """CREATE TABLE passkey (
            credential TEXT PRIMARY KEY, operator TEXT NOT NULL, public BLOB NOT NULL,
            counter INTEGER NOT NULL, aaguid TEXT NOT NULL, synced INTEGER NOT NULL,
            status TEXT NOT NULL, registered_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "ALTER TABLE invitation ADD COLUMN operator TEXT NOT NULL DEFAULT ''",
    ),
)


STANDING_MIGRATION = Migration(
    number=305,
    name="operators who may not act any more",
    statements=(
        "ALTER TABLE operator ADD COLUMN stands_since INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE operator ADD COLUMN stood_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE operator ADD COLUMN stands_event INTEGER NOT NULL DEFAULT -1",
    ),
)

WAITING_MIGRATION = Migration(
    number=306,
    name="acts that wait are found among all that were done",
    statements=("CREATE INDEX act_waiting ON act (id) WHERE state = 'waiting'",),
)


def passkeys_of(reader: Reader, operator: str) -> list[Passkey]:
    """Every passkey of `operator`, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT credential, operator, public, counter, aaguid, synced, status, registered_at"
        " FROM passkey WHERE operator = ? ORDER BY registered_at, credential",
        (operator,),
    )
    return [from_row(Passkey, row) for row in rows]


def waiting_acts(reader: Reader, now: int, most: int) -> list[ActRow]:
    """At most `most` acts that wait for a second person and are not past their time, newest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, name, operator, body, jws, state, says, reference, event, expires_at"
        " FROM act WHERE state = 'waiting' AND expires_at >= ? ORDER BY id DESC LIMIT ?",
        (now, most),
    )
    return [from_row(ActRow, row) for row in rows]


def waiting_heads(reader: Reader, now: int, most: int) -> list[ActHead]:
    """What `waiting_acts` finds, without bodies and signatures.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, name, operator FROM act WHERE state = 'waiting' AND expires_at >= ?"
        " ORDER BY id DESC LIMIT ?",
        (now, most),
    )
    return [ActHead(*(str(one) for one in row)) for row in rows]


def acts_by_event(reader: Reader, start: int, end: int) -> dict[int, list[tuple[str, str]]]:
    """Name and operator of the acts recorded from event `start` to `end` (exclusive), by event.

    An act of two people comes twice, under the event that recorded what it did.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT event, name, operator FROM act WHERE event >= ? AND event < ? ORDER BY event, id",
        (start, end),
    )
    acts: dict[int, list[tuple[str, str]]] = {}
    for event, name, operator in rows:
        acts.setdefault(event, []).append((name, operator))
    return acts


def event_of_act(reader: Reader, act: str) -> int | None:
    """The event that records what the act of this id did, or that it waits; None for no act.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    row = reader.one("SELECT event FROM act WHERE id = ?", (act,))
    return None if row is None else int(row[0])


def act_of_event(reader: Reader, event: int) -> ActRow | None:
    """The first signature of the act that event `event` records; None where none does.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    row = reader.one(
        "SELECT id, name, operator, body, jws, state, says, reference, event, expires_at"
        " FROM act WHERE event = ? AND state = 'done' ORDER BY id LIMIT 1",
        (event,),
    )
    return None if row is None else from_row(ActRow, row)


def made_for(reader: Reader, operator: str, name: str) -> list[str]:
    """What the acts `name` made that `operator` proposed and that were done, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT reference FROM act WHERE operator = ? AND name = ? AND state = 'done' ORDER BY id",
        (operator, name),
    )
    return sorted({str(row[0]) for row in rows})


def operators_known(reader: Reader) -> list[Operator]:
    """Every operator there ever was, oldest first.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows(
        "SELECT id, role, status, public, name, enrolled_at, stands_since, stood_by, stands_event"
        " FROM operator ORDER BY enrolled_at, id"
    )
    return [from_row(Operator, row) for row in rows]


def suspended_by(reader: Reader) -> dict[str, str]:
    """Who suspended each operator that is suspended, by id.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows("SELECT id, stood_by FROM operator WHERE status = 'suspended'")
    return {str(row[0]): str(row[1]) for row in rows}


def active_roles(reader: Reader) -> dict[str, str]:
    """The role of each operator who may act, by id.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = reader.rows("SELECT id, role FROM operator WHERE status = 'active'")
    return {str(row[0]): str(row[1]) for row in rows}


def roles(reader: Reader) -> dict[str, str]:
    """The role of each operator there ever was, by id.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return {str(row[0]): str(row[1]) for row in reader.rows("SELECT id, role FROM operator")}


def operator_seals(reader: Reader, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Ids above `after` in order, at most `limit`, each with the head of the sealed name.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, substr(name, 1, 13) FROM operator WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [(str(one[0]), bytes(one[1])) for one in rows]


def act_seals(reader: Reader, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Ids of acts above `after` in order, at most `limit`, each with the head of the sealed body.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, substr(body, 1, 13) FROM act WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    )
    return [(str(one[0]), bytes(one[1])) for one in rows]


def operator_keys(reader: Connection) -> dict[str, bytes]:
    """The public keys of operators who are active, by id; none in a store without operators.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if not has_table(reader, OPERATOR.name):
        return {}
    rows = reader.rows("SELECT id, public FROM operator WHERE status = 'active' ORDER BY id")
    return {str(row[0]): bytes(row[1]) for row in rows}
