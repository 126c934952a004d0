"""An act of two people is tried when it is proposed, told when looked at, done only as shown."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.looking import rows_of
from tests.support.recovered import PAPERS, Recovered, recovered
from tests.support.served import Person

from tallystick.application.commands import PerformAct
from tallystick.application.own_commands import LapseProposal
from tallystick.client.operator import OperatorDesk
from tallystick.entry.setup import demo_policy
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Conflict, LimitExceeded, NotFound, NotPermitted
from tallystick.protocol.desk import DeclineAct
from tallystick.protocol.keylife import StepKey
from tallystick.protocol.operators import EraseSubject, FundAccount, SuspendDevice
from tallystick.protocol.recovery import ChangeTier, FreezeAccount, ViewFrozen


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Iterator[Recovered]:
    with recovered(tmp_path_factory.mktemp("rehearsed") / "p") as found:
        yield found


def pair(scene: Recovered, role: str) -> tuple[OperatorDesk, OperatorDesk]:
    first, second = scene.provider.operators[role][:2]
    return first, second


def tier(person: Person, to: int) -> ChangeTier:
    return ChangeTier(number=person.number, tier=to, evidence=PAPERS, because="papers were seen")


def money(person: Person, minor: int) -> FundAccount:
    return FundAccount(
        number=person.number, amount_minor=minor, currency="KES", bank_reference="b-1"
    )


def stored(scene: Recovered) -> list[tuple]:
    acts = rows_of(scene.provider, "SELECT id, state FROM act ORDER BY id")
    return [*acts, *rows_of(scene.provider, "SELECT count(*) FROM event")]


def test_what_can_never_be_done_as_asked_is_refused_at_once_and_leaves_nothing(scene) -> None:
    person = scene.person()
    first, _ = pair(scene, "care-desk")
    before = stored(scene)
    with pytest.raises(NotPermitted, match="no such tier"):
        first.act("change-tier", tier(person, 9))
    with pytest.raises(Conflict, match="already"):
        first.act("change-tier", tier(person, 2))
    with pytest.raises(NotFound):
        first.act("resume-device", SuspendDevice(device="dev_" + "0" * 26, suspend=False,
                                                 because="found"))  # fmt: skip
    key = scene.provider.platform.keys.newest(Purpose.RECEIPT_CODE).id
    with pytest.raises(Conflict, match="does not become destroyed"):
        pair(scene, "security-officer")[0].act("destroy-key", StepKey(key=key, because="over"))
    with pytest.raises(Conflict, match="still has money"):
        scene.provider.operators["privacy-officer"][0].act(
            "erase-subject", EraseSubject(customer=person.customer, because="asked in writing")
        )
    assert stored(scene) == before


def test_what_may_come_right_by_itself_waits_and_the_first_person_is_told(scene) -> None:
    person = scene.person()
    first, second = pair(scene, "operations")
    waiting = first.act("fund-account", money(person, 10**12))
    assert waiting.state == "waiting"
    assert "could not be done now: the receiving account may not hold as much" in waiting.says
    (found,) = second.rehearsed(waiting.act)
    assert found.would == "refused"
    assert found.says.startswith("the receiving account may not hold as much")
    with pytest.raises(LimitExceeded):
        second.act("fund-account", money(person, 10**12), approves=waiting.act, shown=found.shown)
    second.act("decline-act", DeclineAct(act=waiting.act, because="far too much"))


@pytest.mark.threat("THR-INS-01")
def test_a_confirmation_is_bound_to_what_was_shown(scene) -> None:
    person, payer = scene.person(funds=9_500_000), scene.friend
    first, second = pair(scene, "care-desk")
    waiting = first.act("change-tier", tier(person, 1))
    (was,) = second.rehearsed(waiting.act)
    assert was.would == "done"
    assert "customer " + person.customer + ": tier 2 \N{RIGHTWARDS ARROW} 1" in was.changes
    assert not any("kept over" in one for one in was.changes)
    scene.both("operations", "fund-account", money(person, 1_000_000))
    before = stored(scene)
    with pytest.raises(Conflict, match="not what was shown any more") as refused:
        second.act("change-tier", tier(person, 1), approves=waiting.act, shown=was.shown)
    assert "it would be done" in refused.value.because
    assert stored(scene) == before
    assert scene.provider.platform.desks.customers.get(person.customer).tier == 2
    (now,) = second.rehearsed(waiting.act)
    assert set(now.changes) - set(was.changes) == {
        one for one in now.changes if one.startswith("new: kept over the ceiling")
    }
    done = second.act("change-tier", tier(person, 1), approves=waiting.act, shown=now.shown)
    assert done.state == "done"
    assert done.says == now.says
    assert payer.wallet.account()


def test_money_that_moves_beside_it_changes_nothing_of_what_was_shown(scene) -> None:
    person = scene.person()
    first, second = pair(scene, "operations")
    waiting = first.act("fund-account", money(person, 700))
    (was,) = second.rehearsed(waiting.act)
    moved = [one for one in was.changes if " account acc_" in one]
    assert [one.rpartition(": ")[2] for one in moved] == ["+KES 7.00", "+KES 7.00"]
    balance = person.wallet.account().available_minor
    assert not any(f"{balance // 100:,}" in one for one in was.changes)
    scene.provider.fund(person.number, 100)
    assert second.act(
        "fund-account", money(person, 700), approves=waiting.act, shown=was.shown
    ).state == "done"  # fmt: skip


def test_only_those_whom_it_concerns_may_look_and_each_look_is_recorded(scene) -> None:
    person = scene.person()
    first, second = pair(scene, "operations")
    waiting = first.act("fund-account", money(person, 500))
    with pytest.raises(NotPermitted, match="does not decide"):
        scene.provider.operators["care-desk"][0].rehearsed(waiting.act)
    with pytest.raises(NotFound):
        second.rehearsed("act_" + "0" * 26)
    looks = scene.events().count("operator.rehearsed")
    assert [one.act for one in first.rehearsed(waiting.act)] == [waiting.act]
    assert waiting.act in {one.act for one in second.rehearsed()}
    assert waiting.act not in {
        one.act for one in scene.provider.operators["care-desk"][0].rehearsed()
    }
    assert scene.events().count("operator.rehearsed") == looks + 3
    second.act("decline-act", DeclineAct(act=waiting.act, because="not agreed"))
    with pytest.raises(Conflict, match="declined"):
        second.rehearsed(waiting.act)


def test_a_rehearsal_tells_nobody_what_a_frozen_account_holds(tmp_path: Path) -> None:
    two = (
        ("two_people: [", "two_people: [view-frozen, "),
    )  # fmt: skip

    text = demo_policy()
    for old, new in two:
        assert text.count(old) == 1
        text = text.replace(old, new)
    with recovered(tmp_path / "p", policy_text=text) as scene:
        person = scene.person(funds=123_456)
        first, second = pair(scene, "security-officer")
        names = [
            str(one[0])
            for one in rows_of(
                scene.provider,
                "SELECT id FROM operator WHERE role = 'security-officer' ORDER BY enrolled_at",
            )
        ]
        scene.officer(
            "freeze-account",
            FreezeAccount(number=person.number, kind="death", evidence=PAPERS,
                          because="certificate 77", operators=(names[1],)),
        )  # fmt: skip
        body = ViewFrozen(customer=person.customer)
        waiting = first.act("view-frozen", body)
        assert waiting.state == "waiting"
        (found,) = second.rehearsed(waiting.act)
        assert found.would == "done"
        assert "1234" not in f"{found.says} {found.changes}".replace(",", "")
        done = second.act("view-frozen", body, approves=waiting.act, shown=found.shown)
        assert '"available_minor":123456' in done.says


def test_a_bound_confirmation_is_a_batch_of_its_own() -> None:
    """What comes before it in the queue is durable by the time that it is compared."""
    batches: list[list[str]] = []
    bound = PerformAct(SimpleNamespace(bound=True))  # type: ignore[arg-type]
    free = PerformAct(SimpleNamespace(bound=False))  # type: ignore[arg-type]
    other = LapseProposal("prp", None)

    class Noting:
        lost = overtaken = False

        def prepare(self, commands: list[object]) -> object:
            batches.append(["bound" if one is bound else "free" for one in commands])
            return commands

        def commit(self, _: object) -> None: ...

        def release(self, commands: list[object]) -> list[object]:
            return [SimpleNamespace(outcome=SimpleNamespace(reply=None)) for _ in commands]

    async def run() -> None:
        loop = WriterLoop(Noting(), asyncio.get_running_loop())  # type: ignore[arg-type]
        for one in (other, free, bound, bound, free, other):
            loop.submit(one, lambda _: None)
        await loop.close()

    asyncio.run(run())
    assert batches == [["free", "free"], ["bound"], ["bound"], ["free", "free"]]
