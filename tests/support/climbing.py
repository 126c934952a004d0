"""A served provider with a ladder for agents, an agent, and a clock that the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.protocol.test_tightening_served import until
from tests.support.served import Person, Served, served
from tests.unit.process.policy.ladders import with_ladders

from tallystick.client.wallet import Paid, Refusal
from tallystick.infrastructure.ledger.daybook import trial_balance
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.process.policy.incentives import standing_id
from tallystick.protocol.operators import ReversePayment
from tallystick.protocol.payments import PaymentKind

EXPENSE = "commission"


def balances(provider: Served) -> dict[str, int]:
    with open_reader(provider.folder.stored()) as reader:
        trial = trial_balance(LedgerStore(reader).balance_lines())["KES"]
    assert trial.is_even()
    return trial.balances


class MovedClock:
    """The real time and what the test moved it by: sessions need a time that goes on."""

    def __init__(self) -> None:
        self._real, self._moved = SystemClock(), 0

    def now(self) -> Instant:
        return Instant(self._real.now() + self._moved)

    def advance(self, milliseconds: int) -> None:
        self._moved += milliseconds


class Rig:
    """A served provider with the ladder, an agent, people, and a clock that the test moves."""

    def __init__(self, provider: Served, clock: MovedClock) -> None:
        self.provider, self.clock = provider, clock
        self.agent = provider.person(
            "+254700000009", "Amina Agency", kind="agent", tier=3, funds=50_000_000, till="123456"
        )
        self.people = [provider.person(f"+25470000000{n}", f"Person {n}") for n in range(1, 5)]

    def later(self, milliseconds: int) -> None:
        """Move the clock; sessions end and are established anew."""
        self.clock.advance(milliseconds)

    def cash_in(self, to: Person, minor: int) -> Paid:
        return self.agent.wallet.pay(PaymentKind.CASH_IN, to.number, Money(minor, "KES"))

    def refused(self, minor: int) -> str:
        with pytest.raises(Refusal) as refused:
            self.cash_in(self.people[0], minor)
        return refused.value.error.because

    def step(self) -> int:
        known = self.provider.platform.desks.incentives.standings.get(
            standing_id("agents", self.agent.customer)
        )
        return 0 if known is None else known.step

    def comes_to(self, step: int) -> bool:
        return until(lambda: self.step() == step)

    def give_back(self, order: str) -> None:
        first, second = self.provider.operators["operations"][:2]
        body = ReversePayment(order=order, because="cash was not handed over")
        waiting = first.act("reverse-payment", body)
        second.act("reverse-payment", body, approves=waiting.act)


@contextmanager
def rig(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, text: str = "", core_url: str = ""
) -> Iterator[Rig]:
    monkeypatch.setattr("tallystick.entry.incentives.EVERY_S", 0.1)
    monkeypatch.setattr("tallystick.entry.incentives.COUNT_EVERY_MS", 0)
    clock = MovedClock()
    with served(
        folder, policy_text=text or with_ladders(), clock=clock, core_url=core_url
    ) as provider:
        yield Rig(provider, clock)


def order_of(paid: Paid) -> str:
    return str(paid.verified.event.p["order"])


def earned(paid: Paid) -> object:
    return paid.verified.disclosed.get("commission_minor")
