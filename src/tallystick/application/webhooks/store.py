"""Where webhooks and their cursors are kept.

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from tallystick.application.webhooks.model import WebhookRow
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import from_row

WEBHOOK = Table(
    name="webhook",
    key="id",
    insert_head="INSERT INTO webhook (id, url, kinds, cursor, failures, due_at) VALUES ",
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor,"
        " failures = excluded.failures, due_at = excluded.due_at"
    ),
    select_head="SELECT id, url, kinds, cursor, failures, due_at FROM webhook WHERE id IN ",
)

MIGRATION = Migration(
    number=70,
    name="webhooks",
    statements=(
        """CREATE TABLE webhook (
            id TEXT PRIMARY KEY, url TEXT NOT NULL, kinds TEXT NOT NULL, cursor INTEGER NOT NULL,
            failures INTEGER NOT NULL, due_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def due_webhooks(reader: Reader, now: int) -> list[WebhookRow]:
    """The webhooks whose time has come.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    rows = reader.rows(
        "SELECT id, url, kinds, cursor, failures, due_at FROM webhook WHERE due_at <= ?"
        " ORDER BY id",
        (now,),
    )
    return [from_row(WebhookRow, row) for row in rows]


def every_webhook(reader: Reader) -> list[WebhookRow]:
    """All webhooks, by id.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    rows = reader.rows("SELECT id, url, kinds, cursor, failures, due_at FROM webhook ORDER BY id")
    return [from_row(WebhookRow, row) for row in rows]
