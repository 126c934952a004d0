"""Steps survive a start, leave no trace of a lost batch, and hold where a core keeps the book."""

from pathlib import Path

import pytest
from simulators.core_system import CoreSystem, Hostility
from tests.protocol.test_core_book import QUICK
from tests.protocol.test_tightening_served import Opened, until
from tests.support.climbing import EXPENSE, balances, earned, rig
from tests.support.served import served
from tests.unit.process.policy.ladders import with_ladders

from tallystick.application.own_commands import Fall, Rise
from tallystick.entry.assembly import open_platform
from tallystick.entry.incentives import Steps, move
from tallystick.entry.recounting import recount
from tallystick.entry.replay.provider import ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import Conflict
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.process.policy.incentives import Counted, standing_id
from tallystick.protocol.payments import PaymentKind

START = 1_767_225_600_000
GOOD = {"settled-payments": 9, "distinct-customers": 9, "reversed-payments": 0}


class Climbing(Opened):
    """A provider without sockets whose policy has a ladder; `cus_a` stands for an agent."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(Instant(START))
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock, with_ladders())
        self.platform = self.provider.platform

    def start_again(self) -> None:
        self.platform.close()
        self.platform = open_platform(self.provider.folder, self.provider.secret, self.clock)

    def counted(self, **more: int) -> Counted:
        measures = GOOD | {name.replace("_", "-"): value for name, value in more.items()}
        return Counted(begun=START, measures=measures)

    def step(self) -> int:
        known = self.platform.desks.incentives.standings.get(standing_id("agents", "cus_a"))
        return 0 if known is None else known.step


def test_a_step_survives_a_start_and_every_move_is_in_the_record(tmp_path: Path) -> None:
    on = Climbing(tmp_path / "p")
    try:
        with pytest.raises(Conflict, match="stays here for another 24 h"):
            on.do(Rise("agents", "cus_a", on.counted()))
        on.clock.advance(DAY_MS)
        on.do(Rise("agents", "cus_a", on.counted()))
        with pytest.raises(Conflict, match="stays here"):
            on.do(Rise("agents", "cus_a", on.counted(reversed_permille=0)))
        on.start_again()
        assert on.step() == 1
        on.clock.advance(7 * DAY_MS)
        on.do(Rise("agents", "cus_a", on.counted(reversed_permille=0)))
        with pytest.raises(Conflict, match="no finding"):
            on.do(Fall("agents", "cus_a", on.counted()))
        on.do(Fall("agents", "cus_a", on.counted(training_days=0)))
        assert on.step() == 0
        told = recount(on.provider.folder, Instant(0))
        moves = [one for one in told if one.what.startswith("incentive.")]
        assert [one.what for one in moves] == [
            "incentive.risen",
            "incentive.risen",
            "incentive.fallen",
        ]
        assert "untrained: training ended; distinct-customers 9" in moves[-1].says
        assert "before=2" in moves[-1].says
        assert {one.who for one in moves} == {"the service"}
    finally:
        on.platform.close()


def test_a_batch_that_does_not_become_durable_moves_nobody(tmp_path: Path) -> None:
    on = Climbing(tmp_path / "p")
    try:
        on.clock.advance(DAY_MS)
        prepared = on.platform.writer.prepare([Rise("agents", "cus_a", on.counted())])
        assert on.step() == 1
        on.platform.writer.abandon(prepared)
        assert on.step() == 0
        assert on.platform.desks.incentives.standings == {}
    finally:
        on.platform.close()


def test_a_fall_comes_before_a_rise_and_nothing_is_counted_in_between(tmp_path: Path) -> None:
    on = Climbing(tmp_path / "p")
    try:
        incentives = on.platform.desks.incentives
        (ladder,) = incentives.ladders
        at = START + DAY_MS
        stands = incentives.standing(ladder, "cus_a", START)
        assert move(ladder, stands, on.counted(), at) == Rise("agents", "cus_a", on.counted())
        assert move(ladder, stands, on.counted(), at - 1) is None
        on.clock.advance(DAY_MS)
        on.do(Rise("agents", "cus_a", on.counted()))
        bad = on.counted(reversed_payments=1)
        known = incentives.standing(ladder, "cus_a")
        assert move(ladder, known, bad, at) == Fall("agents", "cus_a", bad)
        steps = Steps(on.platform)
        now = on.clock.now()
        assert steps.read(now, incentives.ladders) == {}
        assert steps.read(now, incentives.ladders) is None
    finally:
        on.platform.close()


def test_where_a_core_keeps_the_book_commission_moves_with_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = CoreSystem(Hostility(), seed=1, late_ms=10)
    with served(
        tmp_path / "p", policy_text=with_ladders(), core_url=core.url, patience=QUICK
    ) as provider:
        agent = provider.person("+254700000009", "Amina", kind="agent", tier=3, till="123456")
        ann = provider.person("+254700000001", "Ann")
        paid = agent.wallet.pay(PaymentKind.CASH_IN, ann.number, Money(100_000, "KES"))
        assert paid.verified.event.stage == "accepted"
        assert earned(paid) == 300
        assert until(lambda: balances(provider).get(EXPENSE) == 300)
        order = str(paid.verified.event.p["order"])
        assert until(lambda: agent.wallet.receipt(order).event.stage == "settled")
        assert agent.wallet.receipt(order).disclosed["commission_minor"] == 300
        assert "commission_minor" not in ann.wallet.receipt(order).disclosed
    core.close()


def test_an_order_that_is_sent_twice_pays_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(tmp_path / "p", monkeypatch) as on:
        wallet = on.agent.wallet
        quote = wallet.quote(PaymentKind.CASH_IN, on.people[0].number, Money(100_000, "KES"))
        order = wallet.consent(quote)
        assert earned(wallet.place(order)) == earned(wallet.place(order)) == 300
        assert balances(on.provider)[EXPENSE] == 300
