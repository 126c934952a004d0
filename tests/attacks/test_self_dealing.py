"""An agent who deals with itself, a few friends or its own customers earns no step."""

from pathlib import Path

import pytest
from tests.support.climbing import Rig, rig
from tests.support.served import Person

from tallystick.application.controls.merits import count
from tallystick.application.own_commands import Fall, Rise
from tallystick.entry.assembly import open_platform
from tallystick.entry.http.operations import OPERATIONS
from tallystick.kernel.errors import Conflict, MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.incentives import Counted, standing_id
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind


def measured(on: Rig) -> dict[str, int]:
    platform = on.provider.platform
    incentives = platform.desks.incentives
    with platform.database.reader() as reader:
        found = count(
            reader,
            incentives.ladders,
            incentives.standings,
            platform.registers.read(),
            on.clock.now(),
            0,
        )
    return found[standing_id("agents", on.agent.customer)].measures


def own(on: Rig, number: str) -> Person:
    """A customer whom the agent opens itself, with a phone that the agent holds."""
    body = OpenCustomer(name="Nobody Else", msisdn=number, kind="person", tier=1)
    opened = on.agent.wallet.open_customer(body)
    code = on.provider.activation_code(number)
    return on.provider.enrol_phone(number, opened.activation, code)


@pytest.mark.requirement("MFS-6.1-02")
def test_an_agent_cannot_lift_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rig(tmp_path / "p", monkeypatch) as on:
        friend = on.people[0]
        for _ in range(5):
            on.cash_in(friend, 20_000)
            friend.wallet.pay(PaymentKind.CASH_OUT, "123456", Money(20_000, "KES"))
        found = measured(on)
        assert (found["settled-payments"], found["distinct-customers"]) == (2, 1)
        for one in on.people[1:]:
            on.cash_in(one, 9_999)
        assert measured(on)["distinct-customers"] == 1
        for number in ("+254700000021", "+254700000022", "+254700000023"):
            puppet = own(on, number)
            on.cash_in(puppet, 20_000)
            puppet.wallet.pay(PaymentKind.CASH_OUT, "123456", Money(15_000, "KES"))
        assert measured(on)["distinct-customers"] == 1
        on.later(DAY_MS)
        assert "step 0" in on.refused(3_000_000)
        assert on.step() == 0
        for one in on.people[1:]:
            on.cash_in(one, 20_000)
        assert measured(on)["distinct-customers"] == 4
        assert on.comes_to(1)


def test_nobody_outside_says_that_an_agent_rises_and_the_writer_asks_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [one.name for one in OPERATIONS if "rise" in one.name or "fall" in one.name]
    with rig(tmp_path / "p", monkeypatch) as on:
        agent = on.agent.customer
    poor = Counted(begun=0, measures={"settled-payments": 3, "distinct-customers": 3})
    platform = open_platform(on.provider.folder, on.provider.secret, on.clock)
    try:
        for command in (Rise("agents", agent, poor), Fall("agents", agent, poor)):
            (recorded,) = platform.writer.run([command])
            assert isinstance(recorded.outcome.reply, Conflict)
        (recorded,) = platform.writer.run([Rise("nothing", "cus_x", poor)])
        assert isinstance(recorded.outcome.reply, MfsError)
    finally:
        platform.close()
