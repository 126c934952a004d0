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
from tallystick.application.operators.acts.rehearsing import Rehearsed
from tallystick.application.operators.service import code_hash
from tallystick.application.own_commands import LapseProposal, RehearseFor
from tallystick.application.turn import Turn
from tallystick.client.operator import OperatorDesk
from tallystick.entry.setup import demo_policy
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import (
    Conflict,
    LimitExceeded,
    Malformed,
    NotFound,
    NotPermitted,
)
from tallystick.protocol.desk import DeclineAct, RehearseAct, RehearsedActs
from tallystick.protocol.keylife import StepKey
from tallystick.protocol.operators import (
    EraseSubject,
    FundAccount,
    InviteOperator,
    SuspendDevice,
)
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
    theirs, others = second.rehearsed(), scene.provider.operators["care-desk"][0].rehearsed()
    assert waiting.act in {one.act for one in theirs}
    assert waiting.act not in {one.act for one in others}
    made = 1 + max(1, len(theirs)) + max(1, len(others))
    assert scene.events().count("operator.rehearsed") == looks + made
    second.act("decline-act", DeclineAct(act=waiting.act, because="not agreed"))
    with pytest.raises(Conflict, match="declined"):
        second.rehearsed(waiting.act)


def test_a_look_at_all_that_waits_rehearses_one_act_and_names_the_others(
    scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair(scene, "operations")
    waiting = [first.act("fund-account", money(scene.person(), 10 + one)).act for one in range(3)]
    officer = scene.provider.operators["security-officer"][0]
    for one in range(21):
        invited = InviteOperator(role="auditor", code_hash=code_hash(f"code {one}"))
        assert officer.act("enrol-operator", invited).state == "waiting"
    operators, tried = scene.provider.platform.desks.operators, list[str]()
    rehearse = operators.rehearse

    def noting(turn: Turn, name: str, *more: object) -> Rehearsed:
        tried.append(name)
        return rehearse(turn, name, *more)

    monkeypatch.setattr(operators, "rehearse", noting)
    told = second.act("rehearse-act", RehearseAct()).says
    found = Decoder(RehearsedActs).decode(told.encode())
    assert [one.act for one in found.acts] == waiting[2:]
    assert list(found.more[:2]) == [waiting[1], waiting[0]]
    assert tried == ["fund-account"]
    assert [one.act for one in second.rehearsed()][:3] == waiting[::-1]


def test_what_approves_nothing_is_bound_to_nothing_that_was_shown(scene) -> None:
    first, _ = pair(scene, "operations")
    with pytest.raises(Malformed, match="only an act that approves"):
        first.act("fund-account", money(scene.person(), 10), shown="A" * 43)


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


def test_no_batch_rehearses_twice_and_a_bound_confirmation_is_one_of_its_own() -> None:
    """Payments that wait come between rehearsals; what comes before a bound act is durable."""
    batches: list[list[str]] = []
    bound = PerformAct(SimpleNamespace(bound=True))  # type: ignore[arg-type]
    free = PerformAct(SimpleNamespace(bound=False))  # type: ignore[arg-type]
    look, other = RehearseFor("act", "opr"), LapseProposal("prp", None)
    called = {id(bound): "bound", id(free): "free", id(look): "look", id(other): "other"}

    class Noting:
        lost = overtaken = False

        def prepare(self, commands: list[object]) -> object:
            batches.append([called[id(one)] for one in commands])
            return commands

        def commit(self, _: object) -> None: ...

        def release(self, commands: list[object]) -> list[object]:
            return [SimpleNamespace(outcome=SimpleNamespace(reply=None)) for _ in commands]

    async def run() -> None:
        loop = WriterLoop(Noting(), asyncio.get_running_loop())  # type: ignore[arg-type]
        for one in (other, other, free, other, bound, bound, look, look, other, free, other):
            loop.submit(one, lambda _: None)
        await loop.close()

    asyncio.run(run())
    assert batches == [
        ["other", "other", "free"], ["other"], ["bound"], ["bound"], ["look"], ["look"],
        ["other", "free"], ["other"],
    ]  # fmt: skip
