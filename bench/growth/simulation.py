"""Homes, clients, a bad network and the time, from one seed: the same seed, the same run.

Everything that happens is an event on one queue. A home takes whatever has arrived since its last
batch; it may die at any step, and comes back from its file. A client sends its order again, under
the same id, until it is told how the order ended.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.growth.checker import Finding, check_cut, check_end
from bench.growth.model import CLIENT, Message, Order, OrderKind, Word
from bench.growth.network import Faults, Network
from bench.growth.partition import Partition
from bench.growth.workload import CURRENCY, START, Plan, Shape, Town
from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import Record
from tallystick.kernel.time import HOUR_MS, SECOND_MS

_BATCH_MS, _POLL_MS, _CLIENT_MS = 3, SECOND_MS, 5 * SECOND_MS
_PATIENCE_MS = 2 * HOUR_MS
_CUTS = 12
_CUT_SHARE = 0.03


class Crash(Exception):
    """A writer dies here."""


class Ended(Record, frozen=True, kw_only=True):
    """What a run did and what the checker found; `findings` is empty for a good run."""

    seed: int
    orders: int
    crossing: int
    settled: int
    refused: int
    moved: int
    messages: dict[str, int]
    crashes: dict[str, int]
    outages: int
    most_in_flight: int
    simulated_s: int
    findings: tuple[Finding, ...]


class Simulation:
    """One run; `partition` is the class of the homes, so that a test may plant a mistake."""

    def __init__(
        self,
        plan: Plan,
        faults: Faults,
        shape: Shape,
        seed: int,
        folder: Path,
        partition: type[Partition] = Partition,
    ) -> None:
        self._dice = random.Random(seed)
        self._seed = seed
        self._faults = faults
        self.town = Town(plan, shape, self._dice)
        self._network = Network(faults, self._dice)
        self.homes = [partition(home, plan.homes, CURRENCY, folder) for home in range(plan.homes)]
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self.now = START
        self._inbox: list[list[Message]] = [[] for _ in self.homes]
        self._awake = [False] * plan.homes
        self._down_until = [0] * plan.homes
        self.orders: dict[str, Order] = {}
        self.told: dict[str, bool] = {}
        self._tries: Counter[str] = Counter()
        self._crashes: Counter[str] = Counter()
        self._most_in_flight = 0
        self._moving: dict[str, int] = {}
        self._moved = 0
        self.findings: list[Finding] = []

    def run(self) -> Ended:
        """Play to the end, to the first finding or to the end of patience, and check."""
        self._set_stage()
        limit = START + self.town.plan.seconds * SECOND_MS + _PATIENCE_MS
        while self._events and not self.findings:
            self.now, _, act = heapq.heappop(self._events)
            if self.now > limit:
                self.findings.append(Finding(rule="ends", detail="not everything came to an end"))
                break
            act()
        for home in self.homes:
            if home.up:
                home.die()
        self.findings += check_end(
            [home.path for home in self.homes], self.orders, self.told, self.town
        )
        crossing = sum(1 for one in self.orders.values() if one.source != one.target)
        return Ended(
            seed=self._seed,
            orders=len(self.orders),
            crossing=crossing,
            settled=sum(self.told.values()),
            refused=len(self.told) - sum(self.told.values()),
            moved=self._moved,
            messages=dict(self._network.counted),
            crashes=dict(sorted(self._crashes.items())),
            outages=self._faults.outages,
            most_in_flight=self._most_in_flight,
            simulated_s=(self.now - START) // SECOND_MS,
            findings=tuple(self.findings),
        )

    def _set_stage(self) -> None:
        plan, dice, span = self.town.plan, self._dice, self.town.plan.seconds * SECOND_MS
        for home, partition in enumerate(self.homes):
            partition.open_accounts(self.town.accounts[home], self.town.funds[home], START)
            self._at(START + dice.randrange(_POLL_MS), partial(self._poll, home))
        for _ in range(plan.orders):
            self._at(START + dice.randrange(span), self._pay)
        for number in range(plan.settlements):
            self._at(START + span * (number + 1) // plan.settlements, self._settle)
        for _ in range(plan.moves):
            self._at(START + dice.randrange(span), self._move)
        for _ in range(self._faults.outages):
            home = dice.randrange(plan.homes)
            self._at(START + dice.randrange(span), partial(self._outage, home))
        for number in range(_CUTS):
            self._at(START + span * (number + 1) // _CUTS, self._cut)

    def _at(self, time: int, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, act))

    # clients

    def _pay(self) -> None:
        self._place(self.town.payment(self.now))

    def _place(self, order: Order) -> None:
        self.orders[order.id] = order
        self._client_asks(order)

    def _client_asks(self, order: Order) -> None:
        if order.id in self.told:
            return
        self._tries[order.id] += 1
        self._send(Message(word=Word.ASK, order=order, to=order.source))
        wait = min(_CLIENT_MS * 2 ** min(self._tries[order.id], 5), 60 * SECOND_MS)
        self._at(self.now + wait, lambda: self._client_asks(order))

    def _hear(self, message: Message) -> None:
        first = message.order.id not in self.told
        known = self.told.setdefault(message.order.id, message.done)
        if known != message.done:
            detail = f"{message.order.id} was told both ends"
            self.findings.append(Finding(rule="told once", detail=detail))
        if first and message.order.kind is OrderKind.MOVE:
            self._arrived(message.order)

    # what homes do among themselves

    def _settle(self) -> None:
        """Every home that is up orders the settlement of what it owes each other home."""
        for source, home in enumerate(self.homes):
            for target in range(len(self.homes)):
                if home.up and source != target and (amount := home.net_owed(target)):
                    kind = OrderKind.SETTLEMENT
                    self._place(
                        self.town.between(kind, source, target, kind.value, amount, self.now)
                    )
        for (shop, at), till in self.town.tills.items():
            amount = self.homes[at].spendable(till) if self.homes[at].up else 0
            if amount:
                self._place(self.town.order(OrderKind.PAYMENT, till, shop, amount, self.now))

    def _move(self) -> None:
        """A customer changes home: nothing comes in from now on, and what is there goes along."""
        plan, dice = self.town.plan, self._dice
        source = dice.randrange(plan.homes)
        account = dice.choice(self.town.people[source])
        if account not in self._moving and self.homes[source].up:
            target = (source + 1 + dice.randrange(plan.homes - 1)) % plan.homes
            self._moving[account] = target
            self._leave(account, source, target)

    def _leave(self, account: str, source: int, target: int) -> None:
        """When no hold is open, order the move of the balance; then close, or try again later."""
        again = self.now + 30 * SECOND_MS
        old, new = self.homes[source], self.homes[target]
        if not (old.up and new.up) or not old.stop_incoming(account):
            self._at(again, lambda: self._leave(account, source, target))
            return
        amount = old.spendable(account)
        if amount:
            self.town.prepare(account, new, self.now)
            self._place(
                self.town.between(OrderKind.MOVE, source, target, account, amount, self.now)
            )
            return
        self._close(account, source, target)

    def _arrived(self, order: Order) -> None:
        if self.town.directory[order.payer] == order.source:
            self._leave(order.payer, order.source, order.target)

    def _close(self, account: str, source: int, target: int) -> None:
        try:
            self.homes[source].close_account(account, self.now)
        except Conflict:
            self._at(self.now + SECOND_MS, lambda: self._leave(account, source, target))
            return
        if self.town.directory[account] != target:
            self.town.prepare(account, self.homes[target], self.now)
            self.town.directory[account] = target
            self._moved += 1

    # homes

    def _send(self, message: Message) -> None:
        for delay in self._network.delays():
            self._at(self.now + delay, lambda: self._arrive(message))

    def _arrive(self, message: Message) -> None:
        if message.to == CLIENT:
            self._hear(message)
        elif self.homes[message.to].up:
            self._inbox[message.to].append(message)
            if not self._awake[message.to]:
                self._awake[message.to] = True
                self._at(self.now + _BATCH_MS, lambda: self._work(message.to))

    def _work(self, home: int) -> None:
        self._awake[home] = False
        batch, self._inbox[home] = self._inbox[home], []
        if batch and self.homes[home].up:
            self._guarded(home, lambda: self.homes[home].take(batch, self.now, self._fuse))
            if self._dice.random() < _CUT_SHARE:
                self._cut()

    def _poll(self, home: int) -> None:
        """Look at the outbox; goes on as long as anything may still happen."""
        if self.homes[home].up:
            self._guarded(home, lambda: self.homes[home].due(self.now))
        if not self._is_over():
            self._at(self.now + _POLL_MS, lambda: self._poll(home))

    def _is_over(self) -> bool:
        if self.now <= START + (self.town.plan.seconds + 1) * SECOND_MS:
            return False
        if any(self.town.directory[account] != home for account, home in self._moving.items()):
            return False
        homes_done = all(home.up and home.next_due() is None for home in self.homes)
        return homes_done and all(order in self.told for order in self.orders)

    def _guarded(self, home: int, act: Callable[[], list[Message]]) -> None:
        """Let a home act and send what it says, unless it dies before or between."""
        try:
            for message in act():
                self._fuse("sending")
                self._send(message)
        except Crash as crash:
            self._crashes[str(crash)] += 1
            self._fall(home, self._faults.restart_ms)

    def _fuse(self, step: str) -> None:
        if self._dice.random() < self._faults.crash:
            raise Crash(step)

    def _outage(self, home: int) -> None:
        self._fall(home, self._dice.randrange(*self._faults.outage_ms))

    def _fall(self, home: int, wait: int) -> None:
        until = self.now + wait
        if self.homes[home].up:
            self.homes[home].die()
        self._inbox[home] = []
        self._down_until[home] = max(until, self._down_until[home])
        self._at(until, lambda: self._rise(home))

    def _rise(self, home: int) -> None:
        if not self.homes[home].up and self.now >= self._down_until[home]:
            self.homes[home].rise()

    def _cut(self) -> None:
        """Check what must hold at every moment, from the files, whether homes are up or down."""
        in_flight, found = check_cut([home.path for home in self.homes], self.orders)
        self._most_in_flight = max(self._most_in_flight, in_flight)
        self.findings += found
