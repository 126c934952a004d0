"""Where customers and their aliases are kept.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.1
"""

from typing import LiteralString

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

CUSTOMER = Table(
    name="customer",
    key="id",
    insert_head=(
        "INSERT INTO customer (id, kind, status, tier, account, subject, profile, opened_at,"
        " opened_by, pin, pin_failures, pin_blocked_until, activation, devices) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, status = excluded.status,"
        " tier = excluded.tier, account = excluded.account, subject = excluded.subject,"
        " profile = excluded.profile, opened_at = excluded.opened_at,"
        " opened_by = excluded.opened_by, pin = excluded.pin,"
        " pin_failures = excluded.pin_failures, pin_blocked_until = excluded.pin_blocked_until,"
        " activation = excluded.activation, devices = excluded.devices"
    ),
    select_head=(
        "SELECT id, kind, status, tier, account, subject, profile, opened_at, opened_by, pin,"
        " pin_failures, pin_blocked_until, activation, devices FROM customer WHERE id IN "
    ),
)

ACCOUNT_OWNER = Table(
    name="account_owner",
    key="account",
    insert_head="INSERT INTO account_owner (account, customer) VALUES ",
    slots="(?, ?)",
    insert_tail="",
    select_head="SELECT account, customer FROM account_owner WHERE account IN ",
)

OWNERS_OF: LiteralString = (
    "SELECT o.account, c.id, c.kind, c.status, c.tier, c.account, c.subject, c.profile,"
    " c.opened_at, c.opened_by, c.pin, c.pin_failures, c.pin_blocked_until, c.activation, c.devices"
    " FROM account_owner o JOIN customer c ON c.id = o.customer WHERE o.account IN "
)
"""An account, and the row of the customer who owns it."""

ALIAS = Table(
    name="alias",
    key="alias",
    insert_head="INSERT INTO alias (alias, customer) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (alias) DO UPDATE SET customer = excluded.customer",
    select_head="SELECT alias, customer FROM alias WHERE alias IN ",
)

MIGRATION = Migration(
    number=10,
    name="customers",
    statements=(
        """CREATE TABLE customer (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL, tier INTEGER NOT NULL,
            account TEXT NOT NULL, subject BLOB NOT NULL, profile BLOB NOT NULL,
            opened_at INTEGER NOT NULL, opened_by TEXT NOT NULL, pin BLOB NOT NULL,
            pin_failures INTEGER NOT NULL, pin_blocked_until INTEGER NOT NULL,
            activation TEXT NOT NULL, devices INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE account_owner (
            account TEXT PRIMARY KEY, customer TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE alias (
            alias TEXT PRIMARY KEY, customer TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)

LANGUAGE = Table(
    name="customer_language",
    key="customer",
    insert_head="INSERT INTO customer_language (customer, language) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (customer) DO UPDATE SET language = excluded.language",
    select_head="SELECT customer, language FROM customer_language WHERE customer IN ",
)

LANGUAGE_MIGRATION = Migration(
    number=120,
    name="languages of customers",
    statements=(
        """CREATE TABLE customer_language (
            customer TEXT PRIMARY KEY, language TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


def erased_and_left(reader: Reader) -> tuple[int, int]:
    """How many persons were erased, and of how many of them a key, profile or PIN is left.

    Source: ISO/TS 12812-2:2017, 14.2.1
    """
    row = reader.one(
        "SELECT count(*), coalesce(sum(CASE WHEN length(subject) + length(profile) + length(pin)"
        " > 0 THEN 1 ELSE 0 END), 0) FROM customer WHERE status = 'erased'"
    )
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def active_agents(reader: Reader) -> list[str]:
    """The ids of the agents who may act, in order.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    rows = reader.rows(
        "SELECT id FROM customer WHERE kind = 'agent' AND status = 'active' ORDER BY id"
    )
    return [str(row[0]) for row in rows]


def tiers_of_customers(reader: Reader) -> dict[int, int]:
    """How many active customers are in each tier.

    Source: ISO/TS 12812-2:2017, B
    """
    rows = reader.rows(
        "SELECT tier, count(*) FROM customer WHERE status = 'active' GROUP BY tier ORDER BY tier"
    )
    return {int(tier): int(count) for tier, count in rows}
