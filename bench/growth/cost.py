"""From CPU by step to a deployment: writers, cores, disk, network, price, and how even it is."""

import math
import random
from collections.abc import Callable
from typing import Any

from bench.growth.assumptions import value
from bench.growth.figures import Cpu
from bench.growth.homes import (
    Spread,
    bisected,
    cells_of,
    packed,
    regions,
    spread_by_hash,
    spread_by_place,
)

COUNTS = (1, 2, 4, 6, 8, 12, 16, 24)
SEED = 12812
MEMBERS = 3
_MONTH_S = 365.25 * 86_400 / 12
_GIB = 2**30

Row = dict[str, Any]


def _by_hash(homes: int) -> Spread:
    dice = random.Random(SEED + homes)
    return spread_by_hash(homes, dice, int(value("customers")), value("activity_cv"))


def _by_region(homes: int) -> Spread:
    places = regions(int(value("regions")), random.Random(SEED), skew=value("region_skew"))
    return spread_by_place(places, packed(places, homes), homes, anywhere=value("anywhere"))


def _by_cell(homes: int) -> Spread:
    places = regions(int(value("regions")), random.Random(SEED), skew=value("region_skew"))
    cells = cells_of(places, 1 / value("cells"))
    return spread_by_place(cells, bisected(cells, homes), homes, anywhere=value("anywhere"))


CHOICES: dict[str, Callable[[int], Spread]] = {
    "hash": _by_hash,
    "region": _by_region,
    "cell": _by_cell,
}
"""How a customer's home may be chosen at enrolment."""


def writer_loads(cpu: Cpu, spread: Spread, rate: float) -> list[float]:
    """Cores that each home's writer is busy with when `rate` payments a second arrive in all."""
    return [
        rate * (local * cpu.local + out * (cpu.hold + cpu.capture) + into * cpu.credit) / 1e6
        for local, out, into in zip(spread.local, spread.outgoing, spread.incoming, strict=True)
    ]


def commits(spread: Spread) -> list[float]:
    """Commits (order steps) at each home for one payment of the whole service."""
    return [
        local + 2 * out + into
        for local, out, into in zip(spread.local, spread.outgoing, spread.incoming, strict=True)
    ]


def partition_row(cpu: Cpu, measured: Row, choice: str, homes: int) -> Row:
    """One line of the table: the target's peak over `homes` homes under one choice."""
    spread, rate = CHOICES[choice](homes), value("peak")
    writers = writer_loads(cpu, spread, rate)
    databases = [rate * share * value("database_us") / 1e6 for share in commits(spread)]
    use, crossing = value("utilisation"), spread.crossing()
    front_us = cpu.front + cpu.quote + value("tls_us") + 2 * crossing * cpu.proof
    fronts = math.ceil(rate * front_us / 1e6 / use)
    least = int(value("member_cores"))
    member_cores = max(
        max(least, math.ceil((writer + database) / use))
        for writer, database in zip(writers, databases, strict=True)
    )
    mean = sum(writers) / homes
    year = value("customers") * value("payments_month") * 12
    stored = measured["payment_bytes"] * (1 + 2 * value("extra_bytes") * crossing)
    between = rate * crossing * 2 * value("message_bytes")
    replicated = rate * sum(commits(spread)) * value("wal_bytes") * (MEMBERS - 1)
    touching = [
        local + out + into
        for local, out, into in zip(spread.local, spread.outgoing, spread.incoming, strict=True)
    ]
    return {
        "choice": choice,
        "homes": homes,
        "crossing": round(crossing, 3),
        "customers_max_over_mean": round(max(spread.customers) * homes, 3),
        "load_max_over_mean": round(max(writers) / mean, 3),
        "busiest_writer": round(max(writers), 2),
        "carries_the_peak": max(writers) <= use,
        "writer_us": round(sum(writers) / rate * 1e6),
        "front_cores": fronts,
        "member_cores": member_cores,
        "cores": fronts + MEMBERS * homes * member_cores,
        "disk_tib_year_copy": round(year * stored / 2**40, 1),
        "disk_tib_year": round(year * stored * value("copies") / 2**40),
        "replication_mbit_s": round(replicated * 8 / 1e6),
        "clients_mbit_s": round(rate * value("client_bytes") * 8 / 1e6),
        "between_homes_mbit_s": round(between * 8 / 1e6),
        "wait_if_one_fails": round(max(touching), 3),
    }


def partition_table(cpu: Cpu, measured: Row) -> list[Row]:
    """Every choice of home with every number of homes."""
    return [partition_row(cpu, measured, choice, homes) for choice in CHOICES for homes in COUNTS]


def chosen(table: list[Row]) -> Row:
    """The line by cell with the fewest cores among those whose writers carry the peak."""
    fit = [row for row in table if row["choice"] == "cell" and row["carries_the_peak"]]
    return min(fit, key=lambda row: row["cores"])


def price(cores: float, memory: float, disk_gib: float, egress_gib: float) -> Row:
    """A month's price by part, in the unit of the assumed prices."""
    parts = {
        "cores": cores * value("core_month"),
        "memory": memory * value("memory_month"),
        "disk": disk_gib * value("disk_month"),
        "egress": egress_gib * value("egress"),
    }
    return {**{name: round(one) for name, one in parts.items()}, "all": round(sum(parts.values()))}


def large_deployment(row: Row) -> Row:
    """The target's machines and month's price, at the end of the first year."""
    machines = MEMBERS * row["homes"]
    memory = machines * value("member_memory") + row["front_cores"] * 2
    payments = value("customers") * value("payments_month")
    return {
        "homes": row["homes"],
        "choice": row["choice"],
        "member_machines": machines,
        "cores": row["cores"],
        "memory_gib": round(memory),
        "disk_gib_after_a_year": row["disk_tib_year"] * 1024,
        "price_month": price(
            row["cores"],
            memory,
            row["disk_tib_year"] * 1024,
            payments * value("egress_bytes") / _GIB,
        ),
    }


def small_deployment(cpu: Cpu, measured: Row) -> Row:
    """Three equal machines, any one of which may be lost at the peak."""
    customers = value("small_customers")
    payments = customers * value("payments_month")
    peak = payments / _MONTH_S * value("peak_to_mean")
    front_us = cpu.front + cpu.quote + value("tls_us")
    one_machine_us = front_us / 2 + cpu.local + value("database_us")
    cores = max(
        value("member_cores"), math.ceil(peak * one_machine_us / 1e6 / value("utilisation"))
    )
    limit = min(
        cores * value("utilisation") / one_machine_us * 1e6,
        value("utilisation") / cpu.local * 1e6,
    )
    rows = customers * measured["customer_bytes"] / _GIB
    month = payments * measured["payment_bytes"] / _GIB
    egress = payments * value("egress_bytes") / _GIB
    memory = MEMBERS * value("member_memory")
    disks = {1: rows + month, 12: rows + 12 * month}
    return {
        "customers": round(customers),
        "payments_month": round(payments),
        "mean_per_s": round(payments / _MONTH_S, 1),
        "peak_per_s": round(peak),
        "machines": MEMBERS,
        "cores_each": int(cores),
        "memory_gib_each": round(value("member_memory")),
        "busy_at_peak_with_two_left": round(peak * one_machine_us / 1e6 / cores, 3),
        "carries_per_s": round(limit),
        "disk_gib_each": {f"month {at}": round(disk) for at, disk in disks.items()},
        "price_month": {
            f"month {at}": price(MEMBERS * cores, memory, MEMBERS * disk, egress)
            for at, disk in disks.items()
        },
    }


def hot_merchants(cpu: Cpu, merchant_share: float) -> list[Row]:
    """What the most paid merchants bring upon their home's writer at the peak."""
    count, power = int(value("merchants")), value("merchant_zipf")
    total = sum(rank**-power for rank in range(1, count + 1))
    found = []
    for most in (1, 10, 100):
        share = merchant_share * sum(rank**-power for rank in range(1, most + 1)) / total
        rate = share * value("peak")
        found.append(
            {
                "merchants": most,
                "share": round(share, 4),
                "payments_per_s": round(rate),
                "credit_cores": round(rate * cpu.credit / 1e6, 3),
            }
        )
    return found
