"""Recoveries, freezes and approvals at the desk: seen for a purpose, done by two, in the tally."""

import json
import re

import pytest
from tests.support.desks import (
    DeskBrowser,
    come_in,
    events,
    served_desk,
    text_of,
    without_lots,
)

from tallystick.client.approvals import Approvals
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.model import Wire
from tallystick.kernel.money import Money
from tallystick.protocol.approvals import BeginApproval, DeclineReason
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import ChangeTier, OpenRecovery, ResumeCustomer

TILL, FILE = "554400", "FILE-2026/17"


class Town:
    """A served desk with somebody for each role, and people who get into trouble."""

    def __init__(self, provider, origin, codes) -> None:
        self.provider, self.numbers = provider, iter(range(254_700_001_000, 2**60))
        self.care = come_in(origin, codes["care-desk"][0], "Cem")
        self.money, self.other_money = (
            come_in(origin, code, name)
            for code, name in zip(codes["operations"], ("Oda", "Otto"), strict=True)
        )
        self.officer, self.second_officer = (
            come_in(origin, code, name)
            for code, name in zip(codes["security-officer"], ("Sia", "Sol"), strict=True)
        )
        self.auditor = come_in(origin, codes["auditor"][0], "Ada")
        self.person("Kiosk", kind="merchant", tier=3, till=TILL)

    def person(self, name: str = "Ann Wanjiru", **more):
        return self.provider.person(f"+{next(self.numbers)}", name, **more)

    def customer(self, browser: DeskBrowser, who: str, purpose: str) -> str:
        answer = browser.post("/desk/find", {"who": who, "purpose": purpose})
        return browser.follow(answer).text

    def seconded(self, first: DeskBrowser, second: DeskBrowser, act: str, **fields: str) -> str:
        """What an act came to that `first` proposed and `second` approved."""
        proposed = text_of(first.act(act, **fields).text)
        waiting = re.search(r"act_[0-9a-z]{26}", proposed)[0]
        assert "Waiting for a second person" in proposed
        own = first.approve(waiting)
        assert own.status == 403, "nobody approves their own"
        answer = second.approve(waiting)
        return text_of(second.sign(answer.headers["location"]).text)

    def ask(self, number: str) -> str:
        body = BeginApproval(
            payer=number, kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=7_700,
            currency="KES", asked_by="Kiosk at the corner",
        )  # fmt: skip
        return self.provider.operators["care-desk"][0].act("begin-approval", body).reference


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with served_desk(tmp_path_factory.mktemp("cases") / "p") as (provider, origin, codes):
        yield Town(provider, origin, codes)


def opened_by_two(town: Town, number: str) -> str:
    """A recovery: Cem proposes at the desk, a colleague approves with a key of their own."""
    place = town.care.draw_up(
        "open-recovery", number=number, kind="lost-phone", evidence=FILE, because="came with papers"
    )
    shown = town.care.get(place).text
    digest = b64url(sha256(FILE.encode()))
    assert digest in shown
    assert FILE not in shown, "only the digest is signed"
    act = re.search(r"act_[0-9a-z]{26}", text_of(town.care.sign(place).text))[0]
    body = OpenRecovery(
        number=number, kind="lost-phone", evidence=digest, because="came with papers"
    )
    return (
        town.provider.operators["care-desk"][0].act("open-recovery", body, approves=act).reference
    )


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_recovery_is_opened_by_two_seen_as_a_case_and_cancelled(town: Town) -> None:
    ann = town.person()
    recovery = opened_by_two(town, ann.number)
    cases = town.care.get("/desk/cases").text
    assert recovery in cases
    for personal in ("Ann", ann.number, ann.number[1:]):
        assert personal not in without_lots(cases)
    page = town.customer(town.care, ann.customer, "recovery")
    assert recovery in page
    assert "cooling" in page
    assert "may be finished from" in page
    assert 'value="finish-recovery"' not in page, "it has to cool off"
    assert "Last payments" not in page
    viewed = events(town.provider, "operator.viewed")[-1]
    assert (viewed["p"]["page"], viewed["p"]["purpose"]) == ("customer", "recovery")
    done = town.care.act("cancel-recovery", recovery=recovery, because="found the phone")
    assert "the recovery is cancelled" in text_of(done.text).lower()
    assert recovery not in town.care.get("/desk/cases").text
    assert events(town.provider, "recovery.cancelled")[-1]["p"]["recovery"] == recovery
    assert "cancelled" in town.customer(town.care, ann.customer, "recovery")


@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.requirement("MFS-6.2.1-01")
def test_a_death_stops_an_account_and_two_officers_let_it_go_on(town: Town) -> None:
    bea = town.person("Bea Otieno", funds=90_000)
    town.officer.get("/desk")
    named = town.officer.act(
        "freeze-account", number=bea.number, kind="death", evidence=FILE, because="certificate",
        operators=operator_of(town, "Sia"),
    )  # fmt: skip
    assert "nothing leaves the account" in text_of(named.text).lower()
    with pytest.raises(MfsError):
        bea.wallet.pay(PaymentKind.P2P, town.person().number, Money(100, "KES"))
    page = town.customer(town.officer, bea.customer, "recovery")
    assert 'value="release-account"' in page
    seen = text_of(town.officer.act("view-frozen", customer=bea.customer).text)
    assert "90000" in seen
    refused = town.second_officer.act("view-frozen", customer=bea.customer)
    assert refused.status == 403
    assert "90000" not in without_lots(refused.text)
    done = town.seconded(
        town.officer, town.second_officer, "release-account",
        customer=bea.customer, evidence="ORDER-3", because="heirs are known",
    )  # fmt: skip
    assert "active again" in done
    told = events(town.provider, "account.released")[-1]
    assert told["p"]["because"] == "heirs are known"
    assert "ORDER-3" not in json.dumps(told)


def operator_of(town: Town, name: str) -> str:
    operators = town.provider.platform.desks.operators
    for one in {view["p"]["operator"] for view in events(town.provider, "operator.viewed")}:
        if operators.name_of(operators.get(one)) == name:
            return one
    raise AssertionError(name)


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.threat("THR-SOC-02")
def test_what_waits_is_taken_back_and_a_risk_state_is_cleared_by_two(town: Town) -> None:
    cleo = town.person("Cleo Achieng", funds=90_000)
    approval = town.ask(cleo.number)
    cases = town.care.get("/desk/cases").text
    assert approval in cases
    assert "0 of 1" in cases
    page = town.customer(town.care, cleo.customer, "not-me")
    assert approval in page
    for theirs in ("77.00", "7700", "Kiosk"):
        assert theirs not in without_lots(page), "terms are between the parties"
    done = town.care.act("cancel-approval", approval=approval, because="not theirs")
    assert "taken back" in text_of(done.text)
    dan = town.person("Dan Kamau", funds=90_000)
    device = Approvals(dan.session, dan.keystore, dan.wallet, town.provider.clock)
    second = town.ask(dan.number)
    item = [one for one in device.poll() if one.state.approval == second][-1]
    device.decline(item, DeclineReason.NOT_ME)
    assert "It was not me" in text_of(town.care.get("/desk/cases").text)
    page = town.customer(town.money, dan.customer, "not-me")
    assert "the score is 700 of 1000" in page
    with pytest.raises(MfsError):
        dan.wallet.pay(PaymentKind.P2P, cleo.number, Money(100, "KES"))
    done = town.seconded(
        town.care, town.money, "clear-risk", customer=dan.customer, because="identified anew"
    )
    assert "unmolested again" in done
    assert "None is in force." in town.customer(town.money, dan.customer, "not-me")
    dan.wallet.pay(PaymentKind.P2P, cleo.number, Money(100, "KES"))
    assert events(town.provider, "risk.cleared")[-1]["p"]["because"] == "identified anew"


@pytest.mark.requirement("MFS-7.3.4-01")
def test_who_has_no_such_act_has_no_such_purpose_and_draws_nothing_up(town: Town) -> None:
    ann = town.person()
    for browser, purpose in (
        (town.auditor, "recovery"), (town.auditor, "not-me"), (town.money, "recovery"),
        (town.officer, "not-me"),
    ):  # fmt: skip
        answer = browser.post("/desk/find", {"who": ann.number, "purpose": purpose})
        assert answer.status == 403
    approval = town.ask(ann.number)
    cases = town.auditor.get("/desk/cases").text
    assert approval in cases
    assert ">Open" not in cases
    assert ">Open" in town.care.get("/desk/cases").text
    for act, fields in (
        ("open-recovery", {"number": ann.number, "kind": "dormant", "evidence": "x",
                           "because": "y"}),
        ("freeze-account", {"number": ann.number, "kind": "death", "evidence": "x",
                            "because": "y"}),
        ("clear-risk", {"customer": ann.customer, "because": "y"}),
    ):  # fmt: skip
        answer = town.auditor.post("/desk/acts", {"name_of_act": act, **fields})
        assert answer.status == 403


def test_a_form_without_its_fields_is_refused_by_its_label(town: Town) -> None:
    answer = town.care.post(
        "/desk/acts", {"name_of_act": "cancel-recovery", "recovery": "rcv_x", "because": "y"}
    )
    assert answer.status == 400
    assert "Recovery" in text_of(answer.text)


def test_the_device_list_says_what_a_phone_said_of_failed_verifications(town: Town) -> None:
    eve = town.person("Eve Mutua", funds=90_000)
    assert "never said anything" in town.customer(town.care, eve.number, "lost-device")
    eve.keystore._tries = eve.keystore._tries.after(right=False).after(right=False)
    eve.wallet.account()
    page = text_of(town.customer(town.care, eve.number, "lost-device"))
    assert "2 in all, 2 tries count, last " in page


def agreed(town: Town, act: str, body: Wire, **fields: str) -> str:
    """What came of an act that Cem proposes at the desk and a colleague agrees to with a key."""
    shown = text_of(town.care.act(act, **fields).text)
    waiting = re.search(r"act_[0-9a-z]{26}", shown)[0]
    own = town.care.approve(waiting)
    assert own.status == 403, "nobody approves their own"
    return town.provider.operators["care-desk"][0].act(act, body, approves=waiting).says


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_customer_is_suspended_by_one_and_resumed_by_two_from_the_page(town: Town) -> None:
    fay = town.person("Fay Njeri", funds=90_000)
    account = town.provider.platform.desks.customers.get(fay.customer).account
    page = town.customer(town.care, fay.customer, "fraud-inquiry")
    assert 'value="suspend-customer"' in page
    assert 'value="resume-customer"' not in page
    town.care.act("suspend-customer", number=account, because="money mule")
    with pytest.raises(MfsError):
        fay.wallet.account()
    page = town.customer(town.care, fay.customer, "fraud-inquiry")
    assert 'value="resume-customer"' in page
    assert 'value="suspend-customer"' not in page
    body = ResumeCustomer(number=account, because="cleared")
    says = agreed(town, "resume-customer", body, number=account, because="cleared")
    assert "active again" in says
    fay.session.establish()
    assert fay.wallet.account().available_minor == 90_000


@pytest.mark.requirement("MFS-7.3.3-04")
def test_a_tier_is_changed_on_papers_from_the_page(town: Town) -> None:
    gil = town.person("Gil Kariuki", funds=90_000)
    account = town.provider.platform.desks.customers.get(gil.customer).account
    page = town.customer(town.care, gil.customer, "customer-asked")
    assert 'value="change-tier"' in page
    assert len(re.findall(r'id="(f-[^"]*)"', page)) == len(set(re.findall(r'id="(f-[^"]*)"', page)))
    digest = b64url(sha256(FILE.encode()))
    body = ChangeTier(number=account, tier=1, evidence=digest, because="papers expired")
    typed = {"number": account, "tier": "1", "evidence": FILE, "because": "papers expired"}
    assert "tier 1" in agreed(town, "change-tier", body, **typed)
    changed = events(town.provider, "customer.tier-changed")[-1]
    assert (changed["p"]["before"], changed["p"]["tier"]) == (2, 1)
    assert digest not in json.dumps(changed)
    assert "tier-lowered" in town.customer(town.care, gil.customer, "customer-asked")


def test_a_service_is_suspended_on_the_first_page_and_taken_again_by_two(town: Town) -> None:
    assert 'value="suspend-service"' in town.money.get("/desk").text
    assert 'value="suspend-service"' not in town.care.get("/desk").text
    town.money.act("suspend-service", kind="salary", channel="all", because="a wrong file")
    for browser in (town.money, town.care):
        page = text_of(browser.get("/desk").text)
        assert "salary by all is suspended" in page
        assert "a wrong file" in page
        assert "a service was suspended for everybody" in page, "among the alerts"
    assert 'value="resume-service"' in town.money.get("/desk").text
    done = town.seconded(
        town.money, town.other_money, "resume-service",
        kind="salary", channel="all", because="the file is right",
    )  # fmt: skip
    assert "payments are taken again" in done
    assert "salary by all is suspended" not in text_of(town.money.get("/desk").text)
    assert events(town.provider, "service.resumed")[-1]["p"]["because"] == "the file is right"
