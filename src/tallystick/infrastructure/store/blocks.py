"""Key blocks in rows: of customers, authenticators, SIMs, the payment cryptography door.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable
from typing import Final, LiteralString

from tallystick.infrastructure.store.database import Connection, Database, batch

_AT_ONCE: Final = 1000

_COLUMNS: Final[tuple[tuple[str, LiteralString, LiteralString], ...]] = (
    ("customer", ("SELECT id, subject FROM customer WHERE id > ? AND length(subject) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE customer SET subject = ? WHERE id = ?"),
    ("authenticator", ("SELECT customer, seed FROM authenticator WHERE customer > ?"
     " AND length(seed) > 0 ORDER BY customer LIMIT ?"),
     "UPDATE authenticator SET seed = ? WHERE customer = ?"),
    ("sim", ("SELECT id, packet_block FROM sim WHERE id > ? AND length(packet_block) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE sim SET packet_block = ? WHERE id = ?"),
    ("sim", ("SELECT id, order_block FROM sim WHERE id > ? AND length(order_block) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE sim SET order_block = ? WHERE id = ?"),
    ("paycrypt_key", ("SELECT id, block FROM paycrypt_key WHERE id > ? AND length(block) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE paycrypt_key SET block = ? WHERE id = ?"),
    ("surrogate_key", ("SELECT id, block FROM surrogate_key WHERE id > ? AND length(block) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE surrogate_key SET block = ? WHERE id = ?"),
    ("surrogate_key", ("SELECT id, cipher FROM surrogate_key WHERE id > ? AND length(cipher) > 0"
     " ORDER BY id LIMIT ?"), "UPDATE surrogate_key SET cipher = ? WHERE id = ?"),
)  # fmt: skip
"""Every column of key blocks: how it is read in order of ids, and how one is written."""

_OF_THE_DOOR: Final[tuple[tuple[str, LiteralString], ...]] = (
    ("paycrypt_key", "SELECT block FROM paycrypt_key WHERE length(block) > 0 ORDER BY id"),
    ("surrogate_key", "SELECT block FROM surrogate_key WHERE length(block) > 0 ORDER BY id"),
    ("surrogate_key", "SELECT cipher FROM surrogate_key WHERE length(cipher) > 0 ORDER BY id"),
)

TABLES: Final = frozenset(table for table, _, _ in _COLUMNS)


def every_block(reader: Connection, each: Callable[[bytes], object]) -> int:
    """Hand every key block of the store to `each`; gives how many there are.

    Raises what `each` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    there, count = {shape.table for shape in reader.shapes()}, 0
    for table, select, _ in _COLUMNS:
        last = ""
        while table in there:
            rows = reader.rows(select, (last, _AT_ONCE))
            for row in rows:
                each(bytes(row[1]))
            count += len(rows)
            if len(rows) < _AT_ONCE:
                break
            last = str(rows[-1][0])
    return count


def blocks_of_the_door(reader: Connection) -> list[bytes]:
    """The key blocks of the payment cryptography door and of its domains of surrogates.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    there, found = {shape.table for shape in reader.shapes()}, list[bytes]()
    for table, sql in _OF_THE_DOOR:
        if table in there:
            found += [bytes(row[0]) for row in reader.rows(sql)]
    return found


def replace_blocks(database: Database, renew: Callable[[bytes], bytes]) -> int:
    """Put `renew` of every key block in its place, all of them or none; gives how many there are.

    Raises what `renew` raises; nothing is changed then.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    there, count = {shape.table for shape in database.shapes()}, 0
    with batch(database):
        for table, select, update in _COLUMNS:
            last = ""
            while table in there:
                rows = database.rows(select, (last, _AT_ONCE))
                for row in rows:
                    fresh = renew(bytes(row[1]))
                    if fresh != row[1]:
                        database.execute(update, (fresh, row[0]))
                count += len(rows)
                if len(rows) < _AT_ONCE:
                    break
                last = str(rows[-1][0])
    return count
