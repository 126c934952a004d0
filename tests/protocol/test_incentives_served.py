"""An agent earns a step, is paid for it, loses it by a finding, and two people can give it back."""

import json
import time
from pathlib import Path

import pytest
from tests.protocol.test_policy_shadow import by_two
from tests.support.climbing import EXPENSE, balances, earned, order_of, rig
from tests.support.looking import leaves_of
from tests.support.served import Served
from tests.support.stores import raw
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.policy.ladders import DEVICES, with_ladders

from tallystick.client.ownlife import OwnLife
from tallystick.entry.rechecking import Verifier
from tallystick.infrastructure.ledger.daybook import trial_balance
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.protocol.operators import CloseDay, CoverCommission, SetIncentive
from tallystick.protocol.payments import PaymentKind


@pytest.mark.requirement("MFS-6.1-02")
def test_an_agent_earns_a_step_loses_it_and_two_people_give_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(tmp_path / "p", monkeypatch) as on:
        assert "agents: step 0: a new agent" in on.refused(3_000_000)
        small = [on.cash_in(one, 100_000) for one in on.people]
        assert [earned(one) for one in small] == [300] * 4
        assert small[0].balance_minor == 50_000_000 - 100_000 + 300
        on.later(DAY_MS)
        assert on.comes_to(1)
        large = on.cash_in(on.people[0], 3_000_000)
        assert earned(large) == 5_000
        assert balances(on.provider)[EXPENSE] == 4 * 300 + 5_000
        on.give_back(order_of(large))
        assert balances(on.provider)[EXPENSE] == 4 * 300
        assert on.comes_to(0)
        assert "agents: step 0: a new agent" in on.refused(3_000_000)
        security = on.provider.operators["security-officer"]
        body = SetIncentive(
            ladder="agents", subject=on.agent.customer, step=1, because="the customer was mistaken"
        )
        assert security[0].act("set-incentive", body).state == "waiting"
        assert "step 0" in on.refused(3_000_000)
        assert by_two(on.provider, "set-incentive", body).says.endswith("is on step 1 of agents")
        assert earned(on.cash_in(on.people[0], 3_000_000)) == 5_000
        time.sleep(0.5)
        assert on.step() == 1
        kinds = [decode_leaf(one).kind for one in leaves_of(on.provider)]
        assert [one for one in kinds if one.startswith("incentive.")] == [
            "incentive.risen",
            "incentive.fallen",
            "incentive.set",
        ]


def test_a_customer_sees_no_commission_and_the_day_closes_once_it_is_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(tmp_path / "p", monkeypatch) as on:
        paid = on.cash_in(on.people[0], 100_000)
        theirs = on.people[0].wallet.receipt(order_of(paid))
        assert "commission_minor" not in theirs.disclosed
        assert theirs.disclosed["amount_minor"] == 100_000
        out = on.people[0].wallet.pay(PaymentKind.CASH_OUT, "123456", Money(50_000, "KES"))
        assert earned(out) is None
        mine = on.agent.wallet.receipt(order_of(out))
        assert mine.disclosed["commission_minor"] == 200
        assert owed_beyond(on.provider) == 500
        day = iso_utc(on.clock.now())[:10]
        on.later(DAY_MS)
        operations = on.provider.operators["operations"]
        with pytest.raises(MfsError, match="500 minor units of commission"):
            operations[0].act("close-day", CloseDay(day=day))
        body = CoverCommission(amount_minor=500, currency="KES", bank_reference="b-4712")
        waiting = operations[0].act("cover-commission", body)
        operations[1].act("cover-commission", body, approves=waiting.act)
        assert owed_beyond(on.provider) == 0
        assert "is closed" in operations[0].act("close-day", CloseDay(day=day)).says


def owed_beyond(provider: Served) -> int:
    """What is owed to others beyond what is safeguarded."""
    with open_reader(provider.folder.stored()) as reader:
        return trial_balance(LedgerStore(reader).balance_lines())["KES"].shortfall()


def test_the_command_line_says_who_stands_where_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(tmp_path / "p", monkeypatch) as on:
        refused = on.refused(3_000_000)
        paid = on.cash_in(on.people[0], 100_000)
        root = on.provider.folder.root
        ran = tallystick("incentives", root, "--subject", on.agent.customer, "--json")
        assert ran.code == 0, ran.all
        (one,) = json.loads(ran.out)["subjects"]
        assert (one["incentive"], one["step"]) == ("agents", 0)
        assert one["measures"]["settled-payments"] == 1
        assert one["lifts_next"] == "settled-payments at least 4, distinct-customers at least 3"
        assert "distinct-customers is 1, at least 3 counts" in one["waits_for"]
        assert "reversed-payments at least 1: 1 down" in one["drops"]
        shown = tallystick("incentives", root)
        assert on.agent.customer in shown.out
        assert tallystick("incentives", root, "--subject", "cus_nobody").code == 1
        secret = tmp_path / "secret"
        secret.write_bytes(on.provider.secret.reveal())
        secret.chmod(0o600)
        why = tallystick("why", order_of(paid), root, "--secret-file", secret)
        assert why.code == 0, why.all
        assert "steps of incentives" in why.out
        assert "step 0: a new agent" in why.out
        assert "step 0" in refused
        with Verifier(on.provider.folder, on.provider.secret, on.clock) as verifier:
            assert verifier.recheck().doubts == ()
            raw(on.provider.folder.stored(), "UPDATE commission_paid SET amount_minor = 301")
            (doubt,) = verifier.recheck().doubts
        assert doubt.order == order_of(paid)
        assert "the ledger paid another commission than is kept of it" in doubt.wrong
        assert "another commission was paid than the policy gives" in doubt.wrong


@pytest.mark.requirement("MFS-7.3.6-04")
def test_the_protection_card_tells_the_step_of_today_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "(sending) from a phone that proves no safe place of its keys: at most"
    with rig(tmp_path / "p", monkeypatch, text=with_ladders(DEVICES)) as on:
        own = OwnLife(on.people[0].session, on.people[0].keystore, on.clock)
        before = own.card().lines
        assert f"One payment {where} KES 1,000.00." in before
        assert f"If all goes well, after 24 h or more: One payment {where} KES 4,000.00." in before
        body = SetIncentive(
            ladder="software-phones", subject="software", step=1, because="a test of the card"
        )
        assert by_two(on.provider, "set-incentive", body).state == "done"
        after = own.card().lines
        assert f"One payment {where} KES 4,000.00." in after
        assert not any(line.startswith("If all goes well") for line in after)
