"""Who pays whom how much: homes by gravity, merchants by Zipf, shares and amounts as recorded.

The shares of the kinds and the amounts follow a PaySim recording if one is at hand (the folder
that TALLYSTICK_TEST_DATA names, or `../shared/data`), and the declared shape below otherwise.
"""

import csv
import os
import random
from itertools import accumulate
from pathlib import Path

from bench.growth.homes import Place, gravity
from bench.growth.model import Order, OrderKind
from bench.growth.partition import Partition
from bench.machine import ROOT
from tallystick.infrastructure.ledger.chart import new_account
from tallystick.infrastructure.ledger.model import Account, AccountKind
from tallystick.kernel.ids import random_id, timed_id
from tallystick.kernel.model import Record

CURRENCY = "KES"
START = 1_760_000_000_000
_AMOUNT_UNIT = 100
_CUSTOMER_CEILING = 6_000_000


class Shape(Record, frozen=True, kw_only=True):
    """Shares of the kinds of payment, and amounts in minor units from which one is drawn."""

    source: str
    shares: dict[str, float]
    amounts: tuple[int, ...]


DECLARED = Shape(
    source="declared shape",
    shares={"merchant": 0.45, "cash-out": 0.22, "cash-in": 0.20, "p2p": 0.13},
    amounts=(20_00, 50_00, 120_00, 300_00, 800_00, 2_500_00, 10_000_00, 40_000_00),
)

_KINDS = {
    "PAYMENT": "merchant",
    "DEBIT": "merchant",
    "CASH_OUT": "cash-out",
    "CASH_IN": "cash-in",
    "TRANSFER": "p2p",
}


def recorded_shape() -> Shape:
    """Shares and amounts of the honest rows of the recording; the declared shape without one."""
    folder = Path(os.environ.get("TALLYSTICK_TEST_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "mobile-money" / "paysim_sample.csv"
    if not path.is_file():
        return DECLARED
    counts: dict[str, int] = {}
    amounts: list[int] = []
    with path.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            kind = _KINDS.get(row["type"])
            if kind is not None and row["isFraud"] == "0":
                counts[kind] = counts.get(kind, 0) + 1
                amounts.append(max(1, int(float(row["amount"]))) * _AMOUNT_UNIT // 10)
    total = sum(counts.values())
    shares = {kind: count / total for kind, count in sorted(counts.items())}
    return Shape(source=f"{path.name}, {total} honest rows", shares=shares, amounts=tuple(amounts))


class Plan(Record, frozen=True, kw_only=True):
    """The size of a simulated load: `seconds` is the time over which `orders` arrive."""

    homes: int = 4
    customers: int = 60
    merchants: int = 12
    agents: int = 4
    orders: int = 400
    seconds: int = 1_800
    zipf: float = 1.1
    tills: int = 1
    moves: int = 3
    settlements: int = 3


class Town:
    """The accounts of every home, the directory that finds a home, and the orders."""

    def __init__(self, plan: Plan, shape: Shape, dice: random.Random) -> None:
        self.plan = plan
        self._dice = dice
        self._shape = shape
        self.places = [
            Place(x=dice.random(), y=dice.random(), weight=1 / (1 + home) ** 0.6)
            for home in range(plan.homes)
        ]
        self._flows = [list(accumulate(row)) for row in gravity(self.places)]
        self._sources = list(accumulate(place.weight for place in self.places))
        self.accounts: list[list[Account]] = [[] for _ in range(plan.homes)]
        self.funds: list[list[int]] = [[] for _ in range(plan.homes)]
        self.directory: dict[str, int] = {}
        self.people = [self._open(home, AccountKind.CUSTOMER, plan.customers) for home in self._all]
        self.agents = [self._open(home, AccountKind.AGENT_FLOAT, plan.agents) for home in self._all]
        self.shops = [self._open(home, AccountKind.MERCHANT, plan.merchants) for home in self._all]
        self.tills: dict[tuple[str, int], str] = {}
        ranked = [shop for row in zip(*self.shops, strict=True) for shop in row]
        self._shops = ranked
        self._ranks = list(accumulate(1 / rank**plan.zipf for rank in range(1, len(ranked) + 1)))
        for shop in ranked[: plan.tills]:
            for home in self._all:
                if home != self.directory[shop]:
                    (self.tills[shop, home],) = self._open(home, AccountKind.MERCHANT, 1)

    @property
    def opening(self) -> dict[str, int]:
        """The money of every account before the first order."""
        return {
            account.id: amount
            for accounts, funds in zip(self.accounts, self.funds, strict=True)
            for account, amount in zip(accounts, funds, strict=True)
        }

    @property
    def _all(self) -> range:
        return range(self.plan.homes)

    def _open(self, home: int, kind: AccountKind, count: int) -> list[str]:
        opened = []
        for _ in range(count):
            identifier = random_id("acc", self._dice.randbytes(16))
            account = new_account(identifier, kind, CURRENCY, START)
            funds = 0
            if kind is AccountKind.CUSTOMER:
                account.ceiling = _CUSTOMER_CEILING
                funds = self._dice.randrange(50_000, 3_000_000)
            elif kind is AccountKind.AGENT_FLOAT:
                funds = 40_000_000
            self.accounts[home].append(account)
            self.funds[home].append(funds)
            self.directory[identifier] = home
            opened.append(identifier)
        return opened

    def _place(self, source: int | None) -> int:
        weights = self._sources if source is None else self._flows[source]
        return self._dice.choices(self._all, cum_weights=weights)[0]

    def payment(self, now: int) -> Order:
        """One payment of a customer, a shop or an agent, asked for at `now`."""
        dice = self._dice
        kinds = self._shape.shares
        kind = dice.choices(list(kinds), list(kinds.values()))[0]
        here = self._place(None)
        there = self._place(here)
        person = dice.choice(self.people[here])
        if kind == "merchant":
            shop = dice.choices(self._shops, cum_weights=self._ranks)[0]
            till = self.tills.get((shop, self.directory[person]))
            payer, payee = person, till or shop
        elif kind == "cash-out":
            payer, payee = person, dice.choice(self.agents[there])
        elif kind == "cash-in":
            payer, payee = dice.choice(self.agents[there]), person
        else:
            payer, payee = person, dice.choice(self.people[there])
            if payee == payer:
                payee = dice.choice([one for one in self.people[there] if one != payer])
        amount = dice.choice(self._shape.amounts)
        fee = 0 if kind == "cash-in" else amount // 200
        return self.order(OrderKind.PAYMENT, payer, payee, amount, now, fee=fee)

    def order(
        self, kind: OrderKind, payer: str, payee: str, amount: int, now: int, *, fee: int = 0
    ) -> Order:
        """An order between the homes that the directory names at `now`."""
        return Order(
            id=timed_id("ord", now, self._dice.randbytes(10)),
            kind=kind,
            payer=payer,
            payee=payee,
            amount=amount,
            fee=fee,
            currency=CURRENCY,
            source=self.directory[payer],
            target=self.directory[payee],
        )

    def between(
        self, kind: OrderKind, source: int, target: int, account: str, amount: int, now: int
    ) -> Order:
        """An order between two homes themselves: the net of their transit, or a moving account."""
        return Order(
            id=timed_id("ord", now, self._dice.randbytes(10)),
            kind=kind,
            payer=account,
            payee=account,
            amount=amount,
            fee=0,
            currency=CURRENCY,
            source=source,
            target=target,
        )

    def prepare(self, account: str, home: Partition, now: int) -> None:
        """Open `account` at the home it moves to, unless it is open there."""
        if not home.has_account(account):
            opened = new_account(account, AccountKind.CUSTOMER, CURRENCY, now)
            opened.ceiling = _CUSTOMER_CEILING
            home.open_accounts((opened,), (0,), now)
