"""Every key block that the store keeps moves with the master key; none is left out."""

import re

import pytest

from tallystick.application.surrogates.model import DomainKeyRow
from tallystick.application.surrogates.store import DOMAIN_KEY, every_domain_key
from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store import blocks
from tallystick.infrastructure.store.blocks import every_block, replace_blocks
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.model import row_of
from tallystick.kernel.time import Instant

KEPT_OTHERWISE = {
    ("surrogate_held", "sealed"),
}
"""Octets under keys of the table above, which are no key blocks themselves."""


@pytest.mark.requirement("MFS-7.4.2-07")
def test_both_keys_of_a_domain_move_and_a_destroyed_one_stays_empty(place: Place) -> None:
    rows = [
        DomainKeyRow(
            id=f"shop/{one}", domain="shop", generation=one, block=block, cipher=cipher, made_at=1,
            event=1,
        )
        for one, block, cipher in ((1, b"", b""), (2, b"two", b""), (3, b"three", b"cipher"))
    ]  # fmt: skip
    with open_database(place) as database:
        migrate(database, MIGRATIONS, Instant(0))
        changes = ChangeSet()
        for row in rows:
            changes.upsert(DOMAIN_KEY, row.id, row_of(row))
        with batch(database):
            changes.flush(database)
        seen: list[bytes] = []
        assert every_block(database, seen.append) == 3
        assert sorted(seen) == [b"cipher", b"three", b"two"]
        assert replace_blocks(database, lambda block: b"new " + block) == 3
        assert [(one.block, one.cipher) for one in every_domain_key(database)] == [
            (b"", b""), (b"new two", b""), (b"new three", b"new cipher"),
        ]  # fmt: skip


def test_no_column_of_the_door_that_may_keep_a_block_is_left_out() -> None:
    updated = {
        re.match(r"UPDATE (\w+) SET (\w+)", update).groups() for _, _, update in blocks._COLUMNS
    }
    statements = [one for step in MIGRATIONS for one in step.statements]
    octets = {
        (table[1], column)
        for one in statements
        if (table := re.match(r"CREATE TABLE ((?:surrogate|paycrypt)\w*)", one))
        for column in re.findall(r"(\w+) BLOB", one)
    }
    assert len(octets) > 3
    assert octets - KEPT_OTHERWISE <= updated
