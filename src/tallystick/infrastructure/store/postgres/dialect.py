"""The shared SQL in PostgreSQL's words: numbered parameters, its types, text compared by octets.

Source: PostgreSQL 15, 8; 24.2
"""

import re
from functools import lru_cache

from tallystick.kernel.errors import Broken

_TYPES = {"INTEGER": "BIGINT", "BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}
_DEFINES = ("CREATE ", "ALTER ")
_WORDS = re.compile(r"\b(INTEGER|BLOB|TEXT)\b")
_STRICT = re.compile(r"\)\s*STRICT(,\s*WITHOUT ROWID)?\s*$")
_HEAD = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES $")


@lru_cache(maxsize=1024)
def translated(sql: str) -> bytes:
    """`sql` as PostgreSQL reads it.

    Source: PostgreSQL 15, 8
    """
    if sql.lstrip().startswith(_DEFINES):
        without = _STRICT.sub(")", sql)
        return _WORDS.sub(lambda found: _TYPES[found[0]], without).encode()
    parts = sql.split("?")
    numbered = [f"{part}${place}" for place, part in enumerate(parts[:-1], start=1)]
    return "".join((*numbered, parts[-1])).encode()


@lru_cache(maxsize=256)
def columns_of(insert_head: str) -> tuple[str, tuple[str, ...]]:
    """Table and columns that `insert_head` names.

    Raises Broken for a head of another form.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    found = _HEAD.match(insert_head)
    if found is None:
        raise Broken("the head of an insert has another form than INSERT INTO t (a, b) VALUES")
    return found[1], tuple(one.strip() for one in found[2].split(","))


@lru_cache(maxsize=256)
def insert_sql(insert_head: str, insert_tail: str) -> bytes:
    """The one statement that inserts any number of rows: each column comes as an array.

    Source: PostgreSQL 15, 9.19
    """
    table, columns = columns_of(insert_head)
    arrays = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){insert_tail}".encode()


@lru_cache(maxsize=256)
def among_sql(select_head: str) -> bytes:
    """`select_head` asked for any of the elements of one array, its last parameter.

    Source: PostgreSQL 15, 9.24
    """
    head = select_head.removesuffix("IN ")
    if head == select_head:
        raise Broken("the head of a query for several rows does not end in IN")
    return translated(f"{head}= ANY(?)")
