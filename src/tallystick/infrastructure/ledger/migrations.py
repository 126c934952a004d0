"""The schema of the ledger.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from tallystick.infrastructure.store.migrations import Migration

MIGRATION = Migration(
    number=2,
    name="ledger",
    statements=(
        """CREATE TABLE account (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, currency TEXT NOT NULL, side TEXT NOT NULL,
            floor INTEGER NOT NULL, ceiling INTEGER NOT NULL,
            posted_debit INTEGER NOT NULL CHECK (posted_debit >= 0),
            posted_credit INTEGER NOT NULL CHECK (posted_credit >= 0),
            held_debit INTEGER NOT NULL CHECK (held_debit >= 0),
            held_credit INTEGER NOT NULL CHECK (held_credit >= 0),
            status TEXT NOT NULL, opened_at INTEGER NOT NULL, closed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE limit_account (
            account TEXT NOT NULL, limit_id TEXT NOT NULL, window_ms INTEGER NOT NULL,
            buckets TEXT NOT NULL, PRIMARY KEY (account, limit_id)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE hold (
            id TEXT PRIMARY KEY, legs TEXT NOT NULL, remaining TEXT NOT NULL,
            placed_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, uses TEXT NOT NULL,
            open INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX hold_open ON hold (expires_at) WHERE open = 1",
        """CREATE TABLE returned (
            posting_id TEXT PRIMARY KEY, amounts TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE transfer (
            seq INTEGER PRIMARY KEY, posting_id TEXT NOT NULL, leg INTEGER NOT NULL,
            debit TEXT NOT NULL, credit TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
            kind TEXT NOT NULL, at INTEGER NOT NULL, event_index INTEGER NOT NULL
        ) STRICT""",
        "CREATE UNIQUE INDEX transfer_posting_once ON transfer (posting_id) WHERE leg = 0",
    ),
)
