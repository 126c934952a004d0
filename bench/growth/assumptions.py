"""Everything that was not measured here: replace it, and run again.

Prices are declared, not quoted: they are nobody's offer. A deployment is compared by them with
another one of the same table, and priced only with the reader's own.
"""

from tallystick.kernel.model import Record

DECLARED_ON = "2026-11-26"


class Assumption(Record, frozen=True, kw_only=True):
    """A value, its unit, and why this one."""

    value: float
    unit: str
    because: str


def _of(value: float, unit: str, because: str) -> Assumption:
    return Assumption(value=value, unit=unit, because=because)


ASSUMED: dict[str, Assumption] = {
    "customers": _of(100e6, "customers", "the target"),
    "peak": _of(12_000, "payments/s", "the target: largest announced peak of one service"),
    "small_customers": _of(3e6, "customers", "the smallest deployment asked for"),
    "payments_month": _of(30, "payments/customer/month", "one a day; replace with your own"),
    "peak_to_mean": _of(10.5, "x", "the target's peak over its mean at 30 a month"),
    "utilisation": _of(0.6, "of a core", "what a core is planned for at the peak"),
    "tls_us": _of(100, "us/payment", "TLS and the balancer; not measured here"),
    "database_us": _of(56, "us/commit", "CPU inside PostgreSQL, measured once in a trial of it"),
    "wal_bytes": _of(5_500, "bytes/commit", "log of one payment in a trial at 32 a commit"),
    "extra_bytes": _of(0.5, "of a payment", "what each further commit of a crossing payment adds"),
    "message_bytes": _of(2_200, "bytes", "between homes: leaf 700, proof 33 x 32, order, header"),
    "client_bytes": _of(5_000, "bytes/payment", "quote and order, both ways, with TLS and TCP"),
    "egress_bytes": _of(3_000, "bytes/payment", "the part of it that leaves for the customer"),
    "copies": _of(3, "copies", "the three members of each quorum"),
    "regions": _of(47, "regions", "home distribution: places in a unit square, from a seed"),
    "region_skew": _of(0.7, "exponent", "weight of the n-th region: n to the power of minus this"),
    "cells": _of(128, "cells", "a region above one of these shares is cut by hash"),
    "anywhere": _of(0.25, "of payments", "bills and large merchants: distance does not count"),
    "activity_cv": _of(2.9, "deviation/mean", "how unlike customers are in how often they pay"),
    "merchants": _of(1e6, "merchants", "among 100 million customers"),
    "merchant_zipf": _of(1.1, "exponent", "how unlike merchants are in how often they are paid"),
    "member_cores": _of(2, "cores", "the smallest machine that is worth running"),
    "member_memory": _of(8, "GiB", "1 GiB of processes, 2 GiB of shared buffers, the rest cache"),
    "core_month": _of(18.0, "price", "one core for a month"),
    "memory_month": _of(2.5, "price", "one GiB of memory for a month"),
    "disk_month": _of(0.10, "price", "one GiB of fast disk for a month"),
    "egress": _of(0.05, "price", "one GiB that leaves for customers"),
}


def value(name: str) -> float:
    """The value assumed for `name`."""
    return ASSUMED[name].value
