"""Where the last code of each customer is kept, as a MAC.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class OrderCodeRow(Record, frozen=True, kw_only=True):
    """The last code of a customer: for the terms with `digest`, until `expires_at` (ms).

    `code_mac` is empty once it was used or tried. `sent` counts the codes since `since` (ms).
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    customer: str
    digest: bytes
    code_mac: bytes
    expires_at: int
    since: int
    sent: int


ORDER_CODE = Table(
    name="order_code",
    key="customer",
    insert_head=(
        "INSERT INTO order_code (customer, digest, code_mac, expires_at, since, sent) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (customer) DO UPDATE SET digest = excluded.digest,"
        " code_mac = excluded.code_mac, expires_at = excluded.expires_at,"
        " since = excluded.since, sent = excluded.sent"
    ),
    select_head=(
        "SELECT customer, digest, code_mac, expires_at, since, sent FROM order_code"
        " WHERE customer IN "
    ),
)

MIGRATION = Migration(
    number=173,
    name="codes of orders",
    statements=(
        """CREATE TABLE order_code (
            customer TEXT PRIMARY KEY, digest BLOB NOT NULL, code_mac BLOB NOT NULL,
            expires_at INTEGER NOT NULL, since INTEGER NOT NULL, sent INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
