"""Where the places of agents are kept.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
"""

from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record


class AgentPlace(Record, frozen=True, kw_only=True):
    """Where an agent assists (`zones`, by commas) and until when the training holds (ms).

    `assisted` counts since `day`, the first ms of the provider's day.
    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
    """

    agent: str
    zones: str
    trained_until: int
    day: int
    assisted: int


PLACE = Table(
    name="agent_place",
    key="agent",
    insert_head="INSERT INTO agent_place (agent, zones, trained_until, day, assisted) VALUES ",
    slots="(?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (agent) DO UPDATE SET zones = excluded.zones,"
        " trained_until = excluded.trained_until, day = excluded.day,"
        " assisted = excluded.assisted"
    ),
    select_head=(
        "SELECT agent, zones, trained_until, day, assisted FROM agent_place WHERE agent IN "
    ),
)

MIGRATION = Migration(
    number=182,
    name="places of agents",
    statements=(
        """CREATE TABLE agent_place (
            agent TEXT PRIMARY KEY, zones TEXT NOT NULL, trained_until INTEGER NOT NULL,
            day INTEGER NOT NULL, assisted INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)
