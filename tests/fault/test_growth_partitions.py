"""Homes of the growth plan: no fault makes, loses or halves money, and every planted mistake shows.

The homes run the real ledger on the real store; network, crashes and outages come from a seed.
"""

import random
from pathlib import Path

import pytest
from bench.growth.checker import check_cut
from bench.growth.model import Message, Order, OrderKind, Role, Stage, Word
from bench.growth.network import NO_FAULTS, Faults
from bench.growth.partition import Partition
from bench.growth.simulation import Ended, Simulation
from bench.growth.workload import CURRENCY, DECLARED, START, Plan, Town

from tallystick.infrastructure.ledger.model import AccountStatus, Leg, Posting, PostingKind
from tallystick.kernel.model import replace

PLAN = Plan(homes=3, customers=24, merchants=5, agents=2, orders=220, seconds=900, moves=2)
HARD = Faults(lost=0.08, doubled=0.15, late=0.08, crash=0.01)
SEEDS = range(1, 9)


def play(folder: Path, seed: int, faults: Faults, partition=Partition) -> Ended:
    folder.mkdir(mode=0o700)
    return Simulation(PLAN, faults, DECLARED, seed, folder, partition).run()


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[int, Ended]:
    """Every seed once."""
    folder = tmp_path_factory.mktemp("homes")
    return {seed: play(folder / str(seed), seed, HARD) for seed in SEEDS}


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_fault_makes_loses_or_halves_money(runs, seed):
    ended = runs[seed]
    assert not ended.findings
    assert ended.settled + ended.refused == ended.orders
    assert ended.crossing > 30
    assert ended.settled > 100
    assert min(ended.messages[fault] for fault in ("lost", "doubled", "late")) > 10
    assert sum(ended.crashes.values()) >= 1


def test_the_faults_strike_every_step_and_money_is_seen_in_flight(runs):
    ended = list(runs.values())
    struck = {step for one in ended for step in one.crashes}
    assert struck == {"received", "applied", "written", "committed", "sending"}
    assert sum(one.most_in_flight > 0 for one in ended) >= 4
    assert sum(one.moved for one in ended) >= 8


def test_a_seed_gives_the_same_run_again(runs, tmp_path):
    assert play(tmp_path / "again", 5, HARD) == runs[5]


def test_without_faults_nothing_is_sent_twice_by_the_network(tmp_path):
    ended = play(tmp_path / "homes", 1, NO_FAULTS)
    assert not ended.findings
    assert ended.messages["lost"] == ended.messages["doubled"] == ended.messages["late"] == 0
    assert not ended.crashes


def quiet(step: str) -> None:
    """No step of this home ends it."""


def test_a_payer_who_is_suspended_meanwhile_delays_the_capture_and_nothing_else(tmp_path):
    folder = tmp_path / "homes"
    folder.mkdir(mode=0o700)
    town = Town(PLAN, DECLARED, random.Random(1))
    homes = [Partition(home, PLAN.homes, CURRENCY, folder) for home in range(PLAN.homes)]
    for home, partition in enumerate(homes):
        partition.open_accounts(town.accounts[home], town.funds[home], START)
    payer, payee = homes[0], homes[1]
    order = town.order(OrderKind.PAYMENT, town.people[0][0], town.people[1][0], 700, START, fee=3)
    ask = Message(word=Word.ASK, order=order, to=0)
    (credit,) = payer.take([ask], START, quiet)
    (answer,) = payee.take([credit], START + 1, quiet)
    payer.state.set_status(order.payer, AccountStatus.SUSPENDED, START + 2)
    assert payer.take([answer], START + 3, quiet) == []
    in_flight, found = check_cut([one.path for one in homes], {order.id: order})
    assert (in_flight, found) == (700, ())
    payer.die()
    payer.rise()
    (again,) = payer.due(START + 5_000)
    (answer,) = payee.take([again], START + 5_001, quiet)
    payer.spendable(order.payer)
    payer.state.set_status(order.payer, AccountStatus.OPEN, START + 5_002)
    (told,) = payer.take([answer], START + 5_003, quiet)
    assert told.done
    assert check_cut([one.path for one in homes], {order.id: order}) == (0, ())
    for one in homes:
        one.die()


class CreditsEachTimeItIsAsked(Partition):
    """The payee's home does not look whether it knows the order."""

    def _credit(self, message, now):
        known = self._kept.get(message.order.id)
        number = 0 if known is None else self.state.next_seq
        leg = self._payees_leg(message.order)
        posting = Posting(
            id=f"{message.order.id}/credit/{number}", kind=PostingKind.POST, legs=(leg,)
        )
        refusal = self._post(posting, now)
        stage = Stage.REFUSED if refusal else Stage.SETTLED
        return [self._answer(self._keep(message.order, Role.PAYEE, stage, refusal, now))]


class ForgetsToCapture(Partition):
    """The payer's home notes that the order is settled, and leaves the hold."""

    def _finish(self, order: Order, kind: PostingKind, now: int) -> str:
        return "" if kind is PostingKind.CAPTURE else super()._finish(order, kind, now)


class VoidsWhenItHasWaited(Partition):
    """The payer's home takes silence for a refusal."""

    def _ask_again(self, kept, now):
        if now - kept.at < 5_000:
            return super()._ask_again(kept, now)
        guessed = Message(word=Word.ANSWER, order=kept.order, to=self.home, reason="silence")
        return [guessed]


class ForgetsThatItRefused(Partition):
    """The payee's home answers that it will not credit, and keeps no row of that."""

    def _keep(self, order, role, stage, reason, now):
        kept = super()._keep(order, role, stage, reason, now)
        if role is Role.PAYEE and stage is Stage.REFUSED:
            del self._kept[order.id], self._changed[order.id]
            self.state.recent.pop(f"{order.id}/credit", None)
        return kept


class AnswersBeforeItIsDurable(Partition):
    """A home that dies before its commit has said already what it meant to do."""

    said: list[Message]

    def take(self, batch, now, fuse):
        early, self.said = getattr(self, "said", []), []

        def told_before(step: str) -> None:
            try:
                fuse(step)
            except Exception:
                self.said = [one for one in out if one.word is Word.ANSWER]
                raise

        out: list[Message] = []
        act = self._act
        self._act = lambda message, at: out.extend(found := act(message, at)) or found
        try:
            return early + super().take(batch, now, told_before)
        finally:
            self._act = act


class SendsAgainUnderAnotherId(Partition):
    """The payer's home makes a new order of one that was not answered."""

    def _ask_again(self, kept, now):
        sent = super()._ask_again(kept, now)
        if now == kept.at:
            return sent
        other = kept.order.id[:-4] + "zzzz"
        return [replace(one, order=replace(one.order, id=other)) for one in sent]


class CreditsAnotherAmount(Partition):
    """The payee's home keeps a part for itself."""

    def _payees_leg(self, order: Order) -> Leg:
        leg = super()._payees_leg(order)
        return replace(leg, amount=max(1, leg.amount - 1))


class LosesItsOutbox(Partition):
    """After a restart nobody remembers what was under way."""

    def rise(self) -> None:
        super().rise()
        self._again = {}


MISTAKES = {
    CreditsEachTimeItIsAsked: "credited once and whole",
    ForgetsToCapture: "no open hold",
    VoidsWhenItHasWaited: "credited only what is held",
    ForgetsThatItRefused: "credited only what is held",
    AnswersBeforeItIsDurable: "captured only what was credited",
    SendsAgainUnderAnotherId: "known order",
    CreditsAnotherAmount: "credited once and whole",
    LosesItsOutbox: "no unknown outcome",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.__name__)
def test_the_checker_catches_a_planted_mistake(tmp_path, mistake):
    rules: set[str] = set()
    for seed in SEEDS:
        ended = play(tmp_path / str(seed), seed, HARD, mistake)
        rules |= {one.rule for one in ended.findings}
        if MISTAKES[mistake] in rules:
            break
    assert MISTAKES[mistake] in rules
