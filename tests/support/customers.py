"""Customers of long standing put into a store, with devices and settled orders."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tallystick.kernel.time import DAY_MS

__all__ = ["add_customers"]

DAYS = 6


def add_customers(
    file: Path,
    prefix: str,
    count: int,
    now: int,
    *,
    tier: int = 1,
    trust: str = "attested-hardware",
    opened: int = 60,
    amount: int = 1_000,
    days: int = DAYS,
) -> None:
    """`count` customers opened `opened` days ago who paid `amount` on each of the last `days`.

    They are like the first customer, device and settled order of the store, but for these.
    """
    link = sqlite3.connect(file, isolation_level=None)
    link.row_factory = sqlite3.Row
    like = {
        table: dict(link.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())
        for table in ("customer", "device")
    }
    order = dict(link.execute("SELECT * FROM payment_order WHERE kind = 'p2p' LIMIT 1").fetchone())
    grade = "device-signed-attested" if trust == "attested-hardware" else "device-signed"
    since = now - opened * DAY_MS
    numbers = range(count)
    customers = [
        like["customer"]
        | {"id": f"cus_{prefix}{n}", "account": f"acc_{prefix}{n:08d}", "tier": tier,
           "opened_at": since}
        for n in numbers
    ]  # fmt: skip
    owners = [{"account": one["account"], "customer": one["id"]} for one in customers]
    devices = [
        like["device"]
        | {"id": f"dev_{prefix}{n}", "customer": f"cus_{prefix}{n}", "trust": trust,
           "possession": f"{prefix}{n}".encode(), "enrolled_at": since}
        for n in numbers
    ]  # fmt: skip
    orders = [
        order
        | {"id": f"ord_{prefix}{n}x{day}", "payer": f"acc_{prefix}{n:08d}",
           "device": f"dev_{prefix}{n}", "grade": grade, "amount_minor": amount,
           "at": now - day * DAY_MS - n}
        for n in numbers
        for day in range(days)
    ]  # fmt: skip
    link.execute("BEGIN")
    for table, rows in (
        ("customer", customers), ("account_owner", owners), ("device", devices),
        ("payment_order", orders),
    ):  # fmt: skip
        _insert(link, table, rows)
    link.execute("COMMIT")
    link.close()


def _insert(link: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    names, slots = ", ".join(listed[0]), ", ".join("?" for _ in listed[0])
    link.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({slots})", [tuple(row.values()) for row in listed]
    )
