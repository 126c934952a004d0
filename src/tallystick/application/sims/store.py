"""Where SIMs are kept.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table

SIM = Table(
    name="sim",
    key="id",
    insert_head=(
        "INSERT INTO sim (id, state, customer, packet_block, order_block, heard, said, bound_at)"
        " VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, customer = excluded.customer,"
        " heard = excluded.heard, said = excluded.said, bound_at = excluded.bound_at"
    ),
    select_head=(
        "SELECT id, state, customer, packet_block, order_block, heard, said, bound_at FROM sim"
        " WHERE id IN "
    ),
)

HOLDER = Table(
    name="sim_holder",
    key="customer",
    insert_head="INSERT INTO sim_holder (customer, sim, changed_at) VALUES ",
    slots="(?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (customer) DO UPDATE SET sim = excluded.sim, changed_at = excluded.changed_at"
    ),
    select_head="SELECT customer, sim, changed_at FROM sim_holder WHERE customer IN ",
)

MIGRATION = Migration(
    number=172,
    name="SIMs",
    statements=(
        """CREATE TABLE sim (
            id TEXT PRIMARY KEY, state TEXT NOT NULL, customer TEXT NOT NULL,
            packet_block BLOB NOT NULL, order_block BLOB NOT NULL, heard INTEGER NOT NULL,
            said INTEGER NOT NULL, bound_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE sim_holder (
            customer TEXT PRIMARY KEY, sim TEXT NOT NULL, changed_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
