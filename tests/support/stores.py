"""Which engine the tests' providers keep their record on, and plain SQL beside the service."""

import itertools
import os
import sqlite3
from pathlib import Path

import pytest
from tests.support.postgres import run_sql, server

from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store.address import Address, parse_address
from tallystick.infrastructure.store.copying import copy_rows
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database, open_snapshot
from tallystick.kernel.time import Instant

ON_SERVER = os.environ.get("TALLYSTICK_TEST_STORE", "") == "postgres"
"""Whether providers keep their record on PostgreSQL in this run."""

on_file = pytest.mark.skipif(ON_SERVER, reason="of the embedded file itself")
"""A test of what only a file has: its log, its lock, its pages."""

_numbers = itertools.count(1)


def new_store() -> str:
    """The address of an empty store for one more provider; empty for the embedded one."""
    if not ON_SERVER:
        return ""
    root = server()
    name = f"p{os.getpid()}_{next(_numbers)}"
    run_sql(root, f"CREATE SCHEMA {name}")
    return str(root.with_schema(name))


def copy_store(place: Place) -> Address:
    """A store of its own that has what `place` has."""
    address = parse_address(new_store())
    with open_snapshot(place) as source, open_database(address) as target:
        migrate(target, MIGRATIONS, Instant(1))
        copy_rows(source, target)
    return address


def raw(place: Place, *statements: str) -> list[tuple]:
    """Run statements past the service, as somebody with the database's password would."""
    if isinstance(place, Address):
        return run_sql(place, *statements)
    assert isinstance(place, Path)
    link = sqlite3.connect(place, isolation_level=None)
    try:
        rows: list[tuple] = []
        for statement in statements:
            rows = link.execute(statement).fetchall()
        return rows
    finally:
        link.close()
