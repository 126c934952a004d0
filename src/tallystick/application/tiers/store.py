"""What accounts keep over a ceiling that was lowered after the money had come.

Source: ISO/TS 12812-2:2017, 13.2; 13.3
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class KeptOver(Record, frozen=True, kw_only=True):
    """The most that `account` may still hold over its ceiling, in minor units; 0 for nothing.

    Source: ISO/TS 12812-2:2017, 13.3
    """

    account: str
    kept_minor: int


KEPT_OVER = Table(
    name="kept_over",
    key="account",
    insert_head="INSERT INTO kept_over (account, kept_minor) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (account) DO UPDATE SET kept_minor = excluded.kept_minor",
    select_head="SELECT account, kept_minor FROM kept_over WHERE account IN ",
)

MIGRATION = Migration(
    number=270,
    name="balances over a lowered ceiling",
    statements=(
        """CREATE TABLE kept_over (
            account TEXT PRIMARY KEY, kept_minor INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
