"""Where what is sealed under keys of subjects lies, in order, and how it is replaced.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
"""

from typing import LiteralString

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record, from_row

SUBJECT_PASS = Table(
    name="subject_pass",
    key="generation",
    insert_head="INSERT INTO subject_pass (generation, step, after_id) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (generation) DO UPDATE SET step = excluded.step, after_id = excluded.after_id"
    ),
    select_head="SELECT generation, step, after_id FROM subject_pass WHERE generation IN ",
)

MIGRATION = Migration(
    number=275,
    name="the pass over keys of subjects",
    statements=(
        """CREATE TABLE subject_pass (
            generation TEXT PRIMARY KEY, step INTEGER NOT NULL, after_id TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)

APPROVALS: LiteralString = "SELECT id, payer, sealed FROM approval WHERE id > ? ORDER BY id LIMIT ?"
SIGNATURES: LiteralString = (
    "SELECT s.pair, a.payer, s.jws FROM approval_signature s JOIN approval a ON a.id = s.approval"
    " WHERE s.pair > ? ORDER BY s.pair LIMIT ?"
)
NUMBERS: LiteralString = (
    "SELECT id, customer, numbers FROM recovery WHERE id > ? ORDER BY id LIMIT ?"
)
"""What is sealed, in order of ids: the id, the customer whose key sealed it, and the octets."""

SAVE_APPROVAL: LiteralString = "UPDATE approval SET sealed = ? WHERE id = ? AND sealed = ?"
SAVE_SIGNATURE: LiteralString = "UPDATE approval_signature SET jws = ? WHERE pair = ? AND jws = ?"
SAVE_NUMBERS: LiteralString = "UPDATE recovery SET numbers = ? WHERE id = ? AND numbers = ?"
"""Each in the place of what was read: whatever else happened to the row meanwhile wins."""


class PassRow(Record, frozen=True, kw_only=True):
    """How far the pass under one generation got: its step, and behind which id.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    generation: str
    step: int
    after: str


class Wrapped(Record, frozen=True, kw_only=True):
    """One customer: the first 12 octets of the wrapped key, the first 5 of the sealed profile.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    customer: str
    block: bytes
    profile: bytes


def pass_under(reader: Reader, generation: str) -> PassRow:
    """Where the pass under `generation` is; at its beginning if it was never begun.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    row = reader.one(
        "SELECT generation, step, after_id FROM subject_pass WHERE generation = ?", (generation,)
    )
    if row is None:
        return PassRow(generation=generation, step=0, after="")
    return from_row(PassRow, row)


def wrapped_keys(reader: Reader, after: str, limit: int) -> list[Wrapped]:
    """Customers who have a key, with ids above `after` in order, at most `limit`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, substr(subject, 1, 12), substr(profile, 1, 5) FROM customer"
        " WHERE id > ? AND length(subject) > 0 ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [
        Wrapped(customer=str(one[0]), block=bytes(one[1]), profile=bytes(one[2])) for one in rows
    ]


def order_seals(reader: Reader, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Ids of orders above `after`, at most `limit`, each with how the sealed consent begins.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, substr(evidence, 1, 5) FROM payment_order WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [(str(one[0]), bytes(one[1])) for one in rows]


def sealed_rows(
    reader: Reader, sql: LiteralString, after: str, limit: int
) -> list[tuple[str, str, bytes]]:
    """What `sql`, one of the statements above, finds behind `after`, at most `limit` rows.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(sql, (after, limit))
    return [(str(one[0]), str(one[1]), bytes(one[2])) for one in rows]


def replace_sealed(
    changes: ChangeSet, sql: LiteralString, row: str, before: bytes, after: bytes
) -> None:
    """Put `after` in the place of `before` in one row, if that is what it still has.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    changes.statement(sql, (after, row, before))
