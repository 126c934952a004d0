"""A rehearsal of each act leaves rows, log, files, keys and messages byte for byte as they were."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.postgres import fresh_schema
from tests.support.rehearsed import LEFT_OUT, Peace, encoded, peace

from tallystick.application.asking import Approving
from tallystick.application.operators.acts.rehearsing import OTHERWISE, WITHHELD, is_passing
from tallystick.application.own_commands import RehearseFor
from tallystick.application.payments import Payments
from tallystick.application.payments.model import OrderRow, Stage
from tallystick.application.rehearsals import TABLES, UNTOLD, tell
from tallystick.application.rehearsals.words import DRAWN
from tallystick.application.turn import Outcome, Turn
from tallystick.entry.http.operations import ACT_NAMES
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Conflict, OutOfReach, Unavailable
from tallystick.kernel.model import replace
from tallystick.process.policy.signing import verify_policy
from tallystick.protocol.payments import Empty

ACTS = sorted(ACT_NAMES - LEFT_OUT)
REFUSED = {
    "lift-tightening": "record-in-doubt is not in force",
    "remove-passkey": "you have no such passkey",
    "report-fraud": "no settled order of this id was counted",
}
"""Acts for which nothing is prepared: what they would be about is not there."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def quiet(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Peace]:
    folder = tmp_path_factory.mktemp("quiet") / "p"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "sqlite":
            patch.setattr("tests.support.served.new_store", lambda: "")
            with peace(folder) as found:
                yield found
            return
        with fresh_schema() as address:
            patch.setattr("tests.support.served.new_store", lambda: str(address))
            with peace(folder) as found:
                yield found


def no_way_out(*_: object) -> None:
    raise AssertionError("a rehearsal sends something")


@pytest.mark.parametrize("act", ACTS)
def test_a_rehearsal_leaves_everything_as_it_was(
    quiet: Peace, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.rehearse("add-webhook")  # the copy and what it stands on are there from now on
    touched: list[str] = []

    def noting(turn: Turn, *more: object):
        touched.extend(table.name for table, _ in turn.changes.rows())
        return tell(turn, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("tallystick.entry.rehearsing.tell", noting)
    monkeypatch.setattr(socket.socket, "connect", no_way_out)
    before = quiet.standing()
    first = quiet.rehearse(act)
    again = quiet.rehearse(act)
    assert quiet.standing() == before
    assert first.shown == again.shown, (first, again)
    if act in REFUSED:
        assert first.says.startswith(REFUSED[act])
        return
    assert first.would == "done", first.says
    assert first.changes[-1].startswith("recorded as ")
    assert (first.says == WITHHELD) is (act in OTHERWISE)
    assert set(touched) <= set(TABLES) | set(UNTOLD), "a table that people have no words for"


def test_every_act_has_something_to_be_about(quiet: Peace) -> None:
    assert set(quiet.bodies) == set(ACTS)
    assert set(OTHERWISE) <= set(ACTS)
    assert not set(TABLES) & set(UNTOLD)
    assert set(TABLES) >= DRAWN


def test_the_copy_takes_its_keys_with_it(quiet: Peace) -> None:
    quiet.platform.rehearsal.close()
    before = quiet.standing()
    assert quiet.rehearse("open-customer").would == "done"
    assert quiet.standing()["keys"] != before["keys"]
    quiet.platform.rehearsal.close()
    assert quiet.standing() == before


def test_a_rehearsal_that_fails_by_a_fault_of_its_own_stops_nothing(
    quiet: Peace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise KeyError("a column that nobody thought of")

    quiet.platform.rehearsal.close()
    before = quiet.standing()
    with monkeypatch.context() as patch:
        patch.setattr("tallystick.entry.rehearsing.tell", wrong)
        found = quiet.rehearse("open-customer")
    assert found.would == "refused"
    assert found.says.startswith("it could not be tried")
    assert quiet.standing() == before
    assert quiet.rehearse("open-customer").would == "done"


def test_the_copy_checks_no_policy_again_that_is_in_force(
    quiet: Peace, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []

    def noting(file: Any, *more: Any, **named: Any) -> Any:
        checked.append(file.version)
        return verify_policy(file, *more, **named)

    quiet.platform.rehearsal.close()
    monkeypatch.setattr("tallystick.application.policing.service.verify_policy", noting)
    assert quiet.rehearse("add-webhook").would == "done"
    assert checked == []
    assert quiet.rehearse("activate-policy").would == "done"
    assert checked == [2]
    assert quiet.rehearse("add-webhook").would == "done"
    assert checked == [2]


def test_a_module_that_is_away_holds_up_nobody_who_lets_the_copy_go(
    quiet: Peace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("the module does not answer")

    assert quiet.rehearse("open-customer").would == "done"
    with monkeypatch.context() as patch:
        patch.setattr("tallystick.entry.rehearsing.tell", away)
        patch.setattr(type(quiet.platform.module), "destroy", away)
        found = quiet.rehearse("open-customer")
    assert found.says == "the module does not answer"
    assert quiet.rehearse("open-customer").would == "done"
    with monkeypatch.context() as patch:
        patch.setattr(type(quiet.platform.module), "destroy", away)
        quiet.platform.rehearsal.close()
    assert quiet.rehearse("open-customer").would == "done"


@pytest.mark.parametrize("stage", list(Stage))
def test_what_is_to_be_given_back_may_still_run_and_is_waited_for(
    quiet: Peace, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Payments.find

    def found(payments: Payments, order: str) -> OrderRow | None:
        row = find(payments, order)
        return None if row is None else replace(row, stage=stage)

    monkeypatch.setattr(Payments, "find", found)
    rehearsed = quiet.rehearse("reverse-payment")
    if stage is Stage.SETTLED:
        assert rehearsed.error is None
        return
    assert isinstance(rehearsed.error, Conflict)
    waits = stage in {Stage.ACCEPTED, Stage.UNKNOWN}
    assert is_passing("reverse-payment", rehearsed.error) is waits


def test_an_act_that_is_held_back_costs_no_copy(
    quiet: Peace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise OutOfReach("something fails")

    def no_other(*_: object) -> None:
        raise AssertionError("another copy is made")

    assert quiet.rehearse("add-webhook").would == "done"
    monkeypatch.setattr("tallystick.entry.rehearsing.join_desks", no_other)
    with monkeypatch.context() as patch:
        patch.setattr("tallystick.entry.rehearsing.tell", held)
        assert quiet.rehearse("add-webhook").says == "something fails"
    assert quiet.rehearse("add-webhook").would == "done"


def test_what_was_told_is_what_the_act_then_writes(quiet: Peace) -> None:
    """The live state does what the copy foretold, and the comparison above sees it."""
    platform, act = quiet.platform, "fund-account"
    foretold, before = quiet.rehearse(act), quiet.standing()
    written: list[tuple[str, ...]] = []
    perform = platform.desks.acts.perform

    def really(turn: Turn) -> Outcome:
        done = perform(turn, act, encoded(act, quiet.bodies[act]), quiet.signatures[act])
        platform.desks.book.collect(turn)
        written.append(tell(turn, platform.reader, platform.settings.currency).lines)
        return Outcome(Empty(), done.event)

    platform.writer.run([Approving(really)])
    assert written == [foretold.changes]
    after = quiet.standing()
    assert {one for one in before if before[one] != after[one]} >= {"account", "event", "log"}


@pytest.mark.threat("THR-INS-01")
def test_what_comes_before_a_confirmation_in_its_batch_counts(quiet: Peace) -> None:
    """In the store the key is still active, as it was shown; in the batch it is not any more."""
    key = quiet.platform.keys.newest(Purpose.PIN_PEPPER).id
    body = {"key": key, "because": "over"}
    (waiting,) = quiet.run(quiet.signed(0, "retire-key", body))
    assert waiting.state == "waiting"
    (shown,) = quiet.run(RehearseFor(waiting.act, quiet.operator(1)))
    assert shown.changes[0].endswith("active \N{RIGHTWARDS ARROW} deactivated")
    confirmed = quiet.signed(1, "retire-key", body, approves=waiting.act, shown=shown.shown)
    stopped, refused = quiet.run(quiet.signed(0, "suspend-key", body), confirmed)
    assert stopped.state == "done"
    assert isinstance(refused, Conflict)
    assert "not what was shown" in refused.detail
    assert quiet.platform.desks.keylife.rows()[key].state == "suspended"
    (now,) = quiet.run(RehearseFor(waiting.act, quiet.operator(1)))
    again = quiet.signed(1, "retire-key", body, approves=waiting.act, shown=now.shown)
    assert [one.state for one in quiet.run(again)] == ["done"]
