"""Where the last challenge, the last proof and the counter of each device are kept.

Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class ProofRow(Record, frozen=True, kw_only=True):
    """`challenge` is empty once it was answered; instants in ms, 0 for never.

    `signals` says by signal when it was reported last, as canonical JSON.

    Source: RFC 9334, 10
    """

    device: str
    challenge: bytes
    asked_at: int
    proved_at: int
    counter: int
    signals: bytes


PROOF = Table(
    name="device_proof",
    key="device",
    insert_head=(
        "INSERT INTO device_proof (device, challenge, asked_at, proved_at, counter, signals)"
        " VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (device) DO UPDATE SET challenge = excluded.challenge,"
        " asked_at = excluded.asked_at, proved_at = excluded.proved_at, counter = excluded.counter,"
        " signals = excluded.signals"
    ),
    select_head=(
        "SELECT device, challenge, asked_at, proved_at, counter, signals FROM device_proof"
        " WHERE device IN "
    ),
)

MIGRATION = Migration(
    number=205,
    name="proofs of devices",
    statements=(
        """CREATE TABLE device_proof (
            device TEXT PRIMARY KEY, challenge BLOB NOT NULL, asked_at INTEGER NOT NULL,
            proved_at INTEGER NOT NULL, counter INTEGER NOT NULL, signals BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def any_proof(reader: Reader) -> bool:
    """Whether there is any row: where no device was ever asked, none has to be looked for.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return reader.one("SELECT 1 FROM device_proof LIMIT 1") is not None
