"""A PostgreSQL server of the tests' own, started when first asked for and gone with the process.

It runs without fsync, since no test pulls its plug: the fault tests that do start their own.
"""

import atexit
import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from simulators.database_server import DatabaseServer, programs

from tallystick.infrastructure.store.address import Address

_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "shared_buffers=64MB",
    "max_connections=200",
    "max_locks_per_transaction=512",
    "log_min_messages=panic",
)
_numbers = itertools.count(1)


@functools.cache
def server() -> Address:
    """The tests' server; the test is skipped, loudly, where PostgreSQL is not installed."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql (make system)")
    shared = DatabaseServer(*_SETTINGS)
    shared.start()
    atexit.register(shared.stop)
    return shared.address


def run_sql(address: Address, *statements: str) -> list[tuple]:
    """Run statements as their own connection; the rows of the last one."""
    with psycopg.connect(address.url, autocommit=True) as connection:
        rows: list[tuple] = []
        for statement in statements:
            cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        return rows


@contextmanager
def fresh_schema() -> Iterator[Address]:
    """An empty schema on the tests' server, dropped afterwards."""
    root = server()
    name = f"t{os.getpid()}_{next(_numbers)}"
    run_sql(root, f"CREATE SCHEMA {name}")
    address = root.with_schema(name)
    try:
        yield address
    finally:
        run_sql(
            root,
            "SELECT pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a"
            f" JOIN pg_locks l ON l.pid = a.pid JOIN pg_class c ON c.oid = l.relation"
            f" WHERE c.relnamespace = '{name}'::regnamespace",
            f"DROP SCHEMA {name} CASCADE",
        )
