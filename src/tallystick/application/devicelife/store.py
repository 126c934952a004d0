"""Where the course of devices is kept, and which keys are denied for ever.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
"""

from enum import StrEnum
from typing import Final

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class Wipe(StrEnum):
    """How far the wipe of a device has come; until it is confirmed the device counts as hostile.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    NONE = "none"
    ORDERED = "ordered"
    FETCHED = "fetched"
    CONFIRMED = "confirmed"


class LifeRow(Record, frozen=True, kw_only=True):
    """Where a device stands in its life since `since` (ms), by which act, of whom.

    `told_at` is when its dormancy was announced, `order` names the wipe that it was given.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: str
    status: str
    act: str
    done_by: str
    since: int
    next_at: int
    told_at: int
    wipe: Wipe
    wipe_order: str


LIFE_TABLE: Final = Table(
    name="device_life",
    key="device",
    insert_head=(
        "INSERT INTO device_life (device, status, act, done_by, since, next_at, told_at, wipe,"
        " wipe_order) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (device) DO UPDATE SET status = excluded.status, act = excluded.act,"
        " done_by = excluded.done_by, since = excluded.since, next_at = excluded.next_at,"
        " told_at = excluded.told_at, wipe = excluded.wipe, wipe_order = excluded.wipe_order"
    ),
    select_head=(
        "SELECT device, status, act, done_by, since, next_at, told_at, wipe, wipe_order"
        " FROM device_life WHERE device IN "
    ),
)

DENIED: Final = Table(
    name="device_denied",
    key="digest",
    insert_head="INSERT INTO device_denied (digest, since) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (digest) DO UPDATE SET since = excluded.since",
    select_head="SELECT digest, since FROM device_denied WHERE digest IN ",
)
"""Digests of the keys of devices that ended; they outlive what else is stored of them."""

LIFE_MIGRATION: Final = Migration(
    number=206,
    name="the life of devices",
    statements=(
        """CREATE TABLE device_life (
            device TEXT PRIMARY KEY, status TEXT NOT NULL, act TEXT NOT NULL,
            done_by TEXT NOT NULL, since INTEGER NOT NULL, next_at INTEGER NOT NULL,
            told_at INTEGER NOT NULL, wipe TEXT NOT NULL, wipe_order TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX device_life_by_time ON device_life (next_at)",
        "CREATE INDEX device_by_use ON device (status, renewed_at)",
    ),
)

DENIED_MIGRATION: Final = Migration(
    number=207,
    name="denied keys of devices",
    statements=(
        """CREATE TABLE device_denied (
            digest TEXT PRIMARY KEY, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def due_lives(reader: Reader, now: int, most: int) -> list[str]:
    """At most `most` devices whose next moment has come.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = reader.rows(
        "SELECT device FROM device_life WHERE next_at > 0 AND next_at <= ? ORDER BY next_at"
        " LIMIT ?",
        (now, most),
    )
    return [str(row[0]) for row in rows]


def unused_since(reader: Reader, before: int, most: int) -> list[str]:
    """At most `most` active devices that made no session since `before` and were not told so.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    rows = reader.rows(
        "SELECT d.id FROM device AS d LEFT JOIN device_life AS l ON l.device = d.id"
        " WHERE d.status = 'active' AND d.renewed_at <= ?"
        " AND (l.told_at IS NULL OR l.told_at < d.renewed_at) ORDER BY d.renewed_at LIMIT ?",
        (before, most),
    )
    return [str(row[0]) for row in rows]
