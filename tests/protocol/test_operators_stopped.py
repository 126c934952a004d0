"""Operators who are suspended, resumed and removed: what holds at once, what never comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.desks import come_in, events, served_desk, text_of
from tests.support.served import Served, served

from tallystick.application.operators.service import code_hash
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.entry.setup import demo_policy, one_time_code
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotFound, NotPermitted
from tallystick.process.policy import read_policy
from tallystick.protocol.desk import BindPasskey, BreakGlass, DeclineAct, SteerOperator
from tallystick.protocol.operators import InviteOperator, SuspendService

WHY = "the laptop was stolen"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "p") as found:
        yield found


def steer(operator: OperatorDesk, because: str = WHY) -> SteerOperator:
    return SteerOperator(operator=operator._operator, because=because)


def both(first: OperatorDesk, second: OperatorDesk, act: str, whom: OperatorDesk) -> str:
    """What `act` about `whom` says once two signed it."""
    waiting = first.act(act, steer(whom))
    assert waiting.state == "waiting"
    return second.act(act, steer(whom), approves=waiting.act).says


def nothing() -> SuspendService:
    return SuspendService(kind="salary", channel="all", because="a try")


@pytest.mark.threat("THR-INS-01")
def test_who_is_suspended_signs_nothing_more_and_begins_no_emergency(provider: Served) -> None:
    sia, (oda, otto) = provider.operators["security-officer"][0], provider.operators["operations"]
    emergency = BreakGlass(minutes=10, because="nobody else is here")
    otto.act("break-glass", emergency)
    done = oda.act("suspend-operator", steer(otto))
    assert "nothing they sign counts" in done.says
    for act, body in (
        ("suspend-service", nothing()),
        ("break-glass", emergency),
        ("decline-act", DeclineAct(act=done.act, because="a try")),
        ("bind-passkey", BindPasskey(code_hash=code_hash("a"))),
    ):
        with pytest.raises(NotAuthentic):
            otto.act(act, body)
    (event,) = events(provider, "operator.suspended")
    assert event["p"] == {"operator": otto._operator, "role": "operations", "by": oda._operator}
    assert WHY not in str(event)
    with pytest.raises(Conflict, match="suspended already"):
        sia.act("suspend-operator", steer(otto))


@pytest.mark.threat("THR-INS-01")
def test_what_was_proposed_given_out_or_signed_before_counts_for_nothing_also_after_a_resumption(
    provider: Served,
) -> None:
    sia, sol = provider.operators["security-officer"]
    oda, otto = provider.operators["operations"]
    code = one_time_code()
    invited = InviteOperator(role="operations", code_hash=code_hash(code.reveal()))
    open_code = sia.act("enrol-operator", invited)
    sol.act("enrol-operator", invited, approves=open_code.act)
    later = InviteOperator(role="operations", code_hash=code_hash("another-code"))
    waits = sia.act("enrol-operator", later)
    signed_before = sia.signed("suspend-service", nothing())
    (foretold,) = sol.rehearsed(waits.act)
    assert foretold.would == "done"
    oda.act("suspend-operator", steer(sia))
    (foretold,) = sol.rehearsed(waits.act)
    assert foretold.would == "refused"
    assert foretold.says.startswith("who proposed this was suspended since")
    with pytest.raises(NotPermitted, match="who proposed this was suspended"):
        sol.act("enrol-operator", later, approves=waits.act)
    assert "may act again" in both(sol, otto, "resume-operator", sia)
    with pytest.raises(NotPermitted, match="who proposed this was suspended"):
        sol.act("enrol-operator", later, approves=waits.act)
    posted = sia._transport.post("/v1/acts/suspend-service", signed_before.body, "application/json")
    assert posted.status == 401
    with pytest.raises(NotAuthentic, match="code is not valid"):
        enrol_operator(sia._transport, code, "Mallory", Es256SigningKey.generate())
    assert sia.act("suspend-service", nothing()).state == "done"


def test_who_suspended_one_suspends_no_second_one_until_two_decided(provider: Served) -> None:
    sia, sol = provider.operators["security-officer"]
    oda, otto = provider.operators["operations"]
    oda.act("suspend-operator", steer(otto))
    for other in (sia, sol):
        with pytest.raises(Conflict, match="nobody decided about them yet"):
            oda.act("suspend-operator", steer(other))
    assert "too few remain" not in sia.act("suspend-operator", steer(oda)).says
    both(sia, sol, "remove-operator", oda)
    assert "too few remain to resume anybody" in sia.act("suspend-operator", steer(sol)).says


def test_who_removes_somebody_is_told_that_too_few_remain(provider: Served) -> None:
    sia, sol = provider.operators["security-officer"]
    oda, otto = provider.operators["operations"]
    assert "too few remain" not in both(sia, sol, "remove-operator", otto)
    assert "too few remain" not in both(sia, sol, "remove-operator", oda)
    assert "removed for good; too few remain to resume anybody" in both(
        sia, sol, "remove-operator", sol
    )


@pytest.mark.threat("THR-INS-01")
def test_nobody_resumes_or_removes_alone_and_no_policy_lets_them(provider: Served) -> None:
    sia = provider.operators["security-officer"][0]
    otto = provider.operators["operations"][1]
    sia.act("suspend-operator", steer(otto))
    for act in ("resume-operator", "remove-operator"):
        waiting = sia.act(act, steer(otto))
        assert waiting.state == "waiting"
        with pytest.raises(NotPermitted, match="one person cannot agree with themselves"):
            sia.act(act, steer(otto), approves=waiting.act)
        both_listed = "resume-operator, remove-operator, enrol-authenticator"
        alone = both_listed.replace(f"{act}, ", "")
        assert demo_policy().count(both_listed) == 1
        with pytest.raises(Malformed, match=act):
            read_policy(demo_policy().replace(both_listed, alone))
    with pytest.raises(NotPermitted):
        provider.operators["care-desk"][0].act("suspend-operator", steer(sia))
    with pytest.raises(NotFound):
        sia.act("suspend-operator", SteerOperator(operator="opr_" + "0" * 26, because=WHY))


def test_at_the_desk_a_suspended_operator_is_out_and_two_decide(tmp_path: Path) -> None:
    with served_desk(tmp_path / "p") as (provider, origin, codes):
        oda, otto = (come_in(origin, code, name) for code, name in zip(
            codes["operations"], ("Oda", "Otto"), strict=True))  # fmt: skip
        sia = come_in(origin, codes["security-officer"][0], "Sia")
        care = come_in(origin, codes["care-desk"][0], "Cem")
        ada = come_in(origin, codes["auditor"][0], "Ada")
        assert care.get("/desk/operators").status == 403
        assert 'href="/desk/operators"' not in care.get("/desk").text
        assert 'href="/desk/operators"' in oda.get("/desk").text
        ids = dict(re.findall(r"<span>(\w+)</span><br><span class=\"mono\">(opr_[0-9a-z]{26})",
                              sia.get("/desk/operators").text))  # fmt: skip
        assert {"Oda", "Otto", "Sia", "Cem", "Ada"} <= set(ids)
        otto.get("/desk")
        done = oda.act("suspend-operator", operator=ids["Otto"], because=WHY)
        assert "nothing they sign counts" in text_of(done.text)
        out = otto.get("/desk")
        assert (out.status, out.headers["location"]) == (303, "/desk/sign-in?then=%2Fdesk")
        assert otto.sign_in().status == 401
        page = text_of(ada.get("/desk/operators").text)
        assert f"by {ids['Oda']}: {WHY}" in page
        assert "1 suspended: two people decide." in page
        assert "Let a suspended operator act again" not in page
        waits = sia.act("resume-operator", operator=ids["Otto"], because="the laptop was found")
        act = re.search(r"act_[0-9a-z]{26}", text_of(waits.text))
        assert act is not None
        answer = oda.approve(act[0])
        assert "may act again" in text_of(oda.sign(answer.headers["location"]).text)
        assert otto.sign_in().status == 303
        assert otto.get("/desk").status == 200
        (event,) = events(provider, "operator.resumed")
        assert event["p"]["by"] == f"{ids['Sia']},{ids['Oda']}"
        oda.act("suspend-operator", operator=ids["Otto"], because=WHY)
        waits = sia.act("resume-operator", operator=ids["Otto"], because="found again")
        act = re.search(r"act_[0-9a-z]{26}", text_of(waits.text))
        assert act is not None
        answer = oda.approve(act[0])
        assert "may act again" in text_of(oda.sign(answer.headers["location"]).text)
        assert otto.get("/desk").status == 303, "a session from before it lives on"


def test_who_lost_a_phone_removes_its_passkey_and_never_their_last_one(tmp_path: Path) -> None:
    with served_desk(tmp_path / "p") as (provider, origin, codes):
        sia = come_in(origin, codes["security-officer"][0], "Sia")
        care = come_in(origin, codes["care-desk"][0], "Cem")
        lost = b64url(sia.passkey.credential)
        only = {"credential": lost, "because": "the phone was lost"}
        assert sia.act("remove-passkey", **only).status == 409
        shown = text_of(sia.act("bind-passkey").text)
        code = re.search(r"(?:[A-Z0-9]{5}-){3}[A-Z0-9]{5}", shown)
        assert code is not None, shown
        second = come_in(origin, code[0], "Sia")
        assert lost in second.get("/desk/passkeys").text
        theirs = {"credential": b64url(care.passkey.credential), "because": "a try"}
        assert second.act("remove-passkey", **theirs).status == 404
        assert "signs nothing any more" in text_of(second.act("remove-passkey", **only).text)
        assert lost not in second.get("/desk/passkeys").text
        assert sia.get("/desk").status == 303, "the session of the lost phone lives on"
        assert sia.sign_in().status == 401
        assert second.act("remove-passkey", **only).status == 409
        assert len(events(provider, "operator.passkey-removed")) == 1
