"""What an account keeps over its ceiling is found, but for what was there when it was lowered."""

import pytest

from tallystick.application.daybook.store import above_ceiling
from tallystick.application.tiers.store import KEPT_OVER, MIGRATION
from tallystick.infrastructure.ledger.store import ACCOUNT
from tallystick.infrastructure.ledger.store import MIGRATION as LEDGER
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database

CEILING = 1_000


@pytest.mark.requirement("MFS-13.3-03")
@pytest.mark.parametrize(
    ("balance", "kept", "above"),
    [
        (CEILING, None, 0),
        (CEILING + 1, None, 1),
        (CEILING + 1, 0, 1),
        (CEILING + 400, 400, 0),
        (CEILING + 399, 400, 0),
        (CEILING + 401, 400, 1),
    ],
)
def test_only_what_grew_over_a_ceiling_is_counted(
    place: Place, balance: int, kept: int | None, above: int
) -> None:
    database = open_database(place)
    try:
        migrate(database, (LEDGER, MIGRATION), 1)
        changes = ChangeSet()
        row = ("acc_a", "customer", "KES", "credit", 0, CEILING, 0, balance, 0, 0, "open", 1, 0)
        changes.upsert(ACCOUNT, "acc_a", row)
        if kept is not None:
            changes.upsert(KEPT_OVER, "acc_a", ("acc_a", kept))
        with batch(database):
            changes.flush(database)
        with database.reader() as reader:
            assert above_ceiling(reader) == (1, above)
    finally:
        database.close()
