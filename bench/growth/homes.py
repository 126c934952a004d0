"""Regions and homes: who lives where, who pays whom, and how even that makes the partitions.

A region has a place and a weight (its share of the customers). What people of one region pay to
another falls with the square of the distance, as gravity does. A home is a partition; customers
are given to homes by hash, by region, or by region with large regions cut into cells.
"""

import math
import random
from collections.abc import Sequence

from tallystick.kernel.model import Record

NEAR = 0.05
"""Distance that is added to every other one; people of one place are this far apart."""


class Place(Record, frozen=True, kw_only=True):
    """A region or a cell of one: where it is in the unit square, and its share of customers."""

    x: float
    y: float
    weight: float
    region: int = 0


def gravity(places: Sequence[Place]) -> list[list[float]]:
    """For each place, the shares of its payments that go to every place; each row sums to 1."""
    rows = []
    for one in places:
        pulls = [
            other.weight / (NEAR + math.hypot(one.x - other.x, one.y - other.y)) ** 2
            for other in places
        ]
        total = sum(pulls)
        rows.append([pull / total for pull in pulls])
    return rows


def regions(count: int, dice: random.Random, *, skew: float) -> list[Place]:
    """`count` regions whose weights fall as rank to the power of minus `skew`, summing to 1."""
    weights = [1 / rank**skew for rank in range(1, count + 1)]
    total = sum(weights)
    return [
        Place(x=dice.random(), y=dice.random(), weight=weight / total, region=number)
        for number, weight in enumerate(weights)
    ]


def cells_of(places: Sequence[Place], largest: float) -> list[Place]:
    """The places, those above the share `largest` cut by hash into equal cells at one spot."""
    cells = []
    for place in places:
        parts = max(1, math.ceil(place.weight / largest))
        cells += [
            Place(x=place.x, y=place.y, weight=place.weight / parts, region=place.region)
        ] * parts
    return cells


def packed(places: Sequence[Place], homes: int) -> list[int]:
    """The home of each place: heaviest first, each to the home that has least."""
    load = [0.0] * homes
    found = [0] * len(places)
    for number in sorted(range(len(places)), key=lambda one: -places[one].weight):
        home = min(range(homes), key=load.__getitem__)
        load[home] += places[number].weight
        found[number] = home
    return found


def bisected(places: Sequence[Place], homes: int) -> list[int]:
    """The home of each place: the map is cut in two by weight, across its longer side, and again.

    Neighbours stay together, so that few payments cross; no home is heavier than its part by more
    than one place.
    """
    found = [0] * len(places)
    waiting = [(list(range(len(places))), 0, homes)]
    while waiting:
        part, first, count = waiting.pop()
        if count == 1:
            for number in part:
                found[number] = first
            continue
        wide = _extent([places[one].x for one in part]) >= _extent([places[one].y for one in part])
        part.sort(key=lambda one: (places[one].x if wide else places[one].y, one))
        left = count // 2
        wanted = sum(places[one].weight for one in part) * left / count
        cut, got = 0, 0.0
        while cut < len(part) and got + places[part[cut]].weight / 2 <= wanted:
            got += places[part[cut]].weight
            cut += 1
        waiting += [(part[:cut], first, left), (part[cut:], first + left, count - left)]
    return found


def _extent(values: Sequence[float]) -> float:
    return max(values) - min(values) if values else 0.0


class Spread(Record, frozen=True, kw_only=True):
    """Shares of all payments by home: within it, out of it to others, into it from others."""

    customers: tuple[float, ...]
    local: tuple[float, ...]
    outgoing: tuple[float, ...]
    incoming: tuple[float, ...]

    def crossing(self) -> float:
        """The share of all payments whose payer and payee have different homes."""
        return sum(self.outgoing)


def spread_by_hash(homes: int, dice: random.Random, customers: int, activity_cv: float) -> Spread:
    """Every customer's home is a hash: even but for chance, and most payments cross.

    Chance is that of `customers` draws, whose activity varies by `activity_cv` (deviation/mean).
    """
    mean = customers / homes
    deviation = math.sqrt((1 + activity_cv**2) / mean)
    counts = [1 / homes + dice.gauss(0, 1 / homes / math.sqrt(mean)) for _ in range(homes)]
    payers = [max(0.0, dice.gauss(1, deviation)) / homes for _ in range(homes)]
    payees = [max(0.0, dice.gauss(1, deviation)) / homes for _ in range(homes)]
    paid, got = sum(payers), sum(payees)
    out = [one / paid for one in payers]
    into = [one / got for one in payees]
    local = [one * other for one, other in zip(out, into, strict=True)]
    return Spread(
        customers=tuple(one / sum(counts) for one in counts),
        local=tuple(local),
        outgoing=tuple(one - inside for one, inside in zip(out, local, strict=True)),
        incoming=tuple(one - inside for one, inside in zip(into, local, strict=True)),
    )


def spread_by_place(
    places: Sequence[Place], home_of: Sequence[int], homes: int, *, anywhere: float
) -> Spread:
    """Every place has one home; the share `anywhere` of payments knows no distance."""
    pulls = gravity(places)
    flow = [[0.0] * homes for _ in range(homes)]
    for one, place in enumerate(places):
        for other, payee in enumerate(places):
            share = (1 - anywhere) * pulls[one][other] + anywhere * payee.weight
            flow[home_of[one]][home_of[other]] += place.weight * share
    every = range(homes)
    customers = [0.0] * homes
    for number, place in enumerate(places):
        customers[home_of[number]] += place.weight
    return Spread(
        customers=tuple(customers),
        local=tuple(flow[home][home] for home in every),
        outgoing=tuple(sum(flow[home]) - flow[home][home] for home in every),
        incoming=tuple(sum(row[home] for row in flow) - flow[home][home] for home in every),
    )
