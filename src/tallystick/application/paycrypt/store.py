"""Where keys of the door and their aliases are kept.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.application.paycrypt.model import AliasRow, PaymentKey
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

PAYMENT_KEY = Table(
    name="paycrypt_key",
    key="id",
    insert_head=(
        "INSERT INTO paycrypt_key (id, usage, algorithm, modes, exportable, enabled, state, origin,"
        " kcv, kcv_algorithm, created_at, usage_start, usage_stop, delete_at, deleted_at, block,"
        " tags, event, sort, derives) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled, state = excluded.state,"
        " usage_start = excluded.usage_start, usage_stop = excluded.usage_stop,"
        " delete_at = excluded.delete_at, deleted_at = excluded.deleted_at,"
        " block = excluded.block, tags = excluded.tags, event = excluded.event"
    ),
    select_head=(
        "SELECT id, usage, algorithm, modes, exportable, enabled, state, origin, kcv,"
        " kcv_algorithm, created_at, usage_start, usage_stop, delete_at, deleted_at, block, tags,"
        " event, sort, derives FROM paycrypt_key WHERE id IN "
    ),
)

ALIAS = Table(
    name="paycrypt_alias",
    key="name",
    insert_head="INSERT INTO paycrypt_alias (name, key_id, present, event) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id,"
        " present = excluded.present, event = excluded.event"
    ),
    select_head="SELECT name, key_id, present, event FROM paycrypt_alias WHERE name IN ",
)

MIGRATION = Migration(
    number=202,
    name="keys of the payment cryptography door",
    statements=(
        """CREATE TABLE paycrypt_key (
            id TEXT PRIMARY KEY, usage TEXT NOT NULL, algorithm TEXT NOT NULL,
            modes TEXT NOT NULL, exportable INTEGER NOT NULL, enabled INTEGER NOT NULL,
            state TEXT NOT NULL, origin TEXT NOT NULL, kcv TEXT NOT NULL,
            kcv_algorithm TEXT NOT NULL, created_at INTEGER NOT NULL,
            usage_start INTEGER NOT NULL, usage_stop INTEGER NOT NULL,
            delete_at INTEGER NOT NULL, deleted_at INTEGER NOT NULL, block BLOB NOT NULL,
            tags TEXT NOT NULL, event INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE paycrypt_alias (
            name TEXT PRIMARY KEY, key_id TEXT NOT NULL, present INTEGER NOT NULL,
            event INTEGER NOT NULL
        ) STRICT""",
    ),
)


PAIRS = Migration(
    number=245,
    name="pairs of keys and certificates at the payment cryptography door",
    statements=(
        "ALTER TABLE paycrypt_key ADD COLUMN sort TEXT NOT NULL DEFAULT 'SYMMETRIC_KEY'",
        "ALTER TABLE paycrypt_key ADD COLUMN derives TEXT NOT NULL DEFAULT ''",
    ),
)


def every_key(reader: Reader) -> list[PaymentKey]:
    """Every key that ever was, by id.

    Raises Malformed for a row that was changed beyond its form.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows(
        "SELECT id, usage, algorithm, modes, exportable, enabled, state, origin, kcv,"
        " kcv_algorithm, created_at, usage_start, usage_stop, delete_at, deleted_at, block, tags,"
        " event, sort, derives FROM paycrypt_key ORDER BY id"
    )
    return [from_row(PaymentKey, row) for row in rows]


def every_alias(reader: Reader) -> list[AliasRow]:
    """Every alias that ever was, by name.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rows = reader.rows("SELECT name, key_id, present, event FROM paycrypt_alias ORDER BY name")
    return [from_row(AliasRow, row) for row in rows]
