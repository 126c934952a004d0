"""Cases at the desk in a real browser: every page can be read, and a passkey cancels a recovery."""

import json
import os
from pathlib import Path

import pytest
from tests.browser.test_desk_pages import LOOK
from tests.support.chromium import BROWSER, Chromium
from tests.support.desks import events, served_desk

from tallystick.client.approvals import Approvals
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.protocol.approvals import BeginApproval, DeclineReason
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import OpenRecovery

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
NUMBER, TILL = "+254700000001", "554400"


class Desk:
    """Somebody of the care desk in front of a browser, and three people with a case each."""

    def __init__(self, provider, origin, code, browser) -> None:
        self.provider, self.origin, self.browser = provider, origin, browser
        ann = provider.person(NUMBER, "Ann Wanjiru", funds=500_000)
        dan = provider.person("+254700000003", "Dan Kamau", funds=500_000)
        provider.person("+254700000099", "Kiosk", kind="merchant", tier=3, till=TILL)
        care = provider.operators["care-desk"][0]
        browser.authenticator()
        browser.go(origin + "/desk/join")
        browser.run(f"document.getElementById('f-code').value = {json.dumps(code)}")
        browser.run("document.getElementById('f-name').value = 'Cem'")
        self.press("form[data-passkey] button")
        browser.go(origin + "/desk/sign-in")
        self.press("form[data-passkey] button")
        assert browser.until("location.pathname === '/desk'")
        evidence = b64url(sha256(b"FILE-1"))
        self.fill_act("open-recovery", number=NUMBER, evidence="FILE-1", because="came in person")
        self.to_sign = browser.run("location.pathname")
        self.press("form[data-passkey] button")
        act = browser.run("document.querySelector('main dd .mono').innerText")
        body = OpenRecovery(
            number=NUMBER, kind="lost-phone", evidence=evidence, because="came in person"
        )
        self.recovery = care.act("open-recovery", body, approves=act).reference
        for payer in (ann, dan):
            asked = BeginApproval(
                payer=payer.number, kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=500,
                currency="KES", asked_by="Kiosk",
            )  # fmt: skip
            approval = care.act("begin-approval", asked).reference
        device = Approvals(dan.session, dan.keystore, dan.wallet, provider.clock)
        item = [one for one in device.poll() if one.state.approval == approval][-1]
        device.decline(item, DeclineReason.NOT_ME)
        self.paths = {
            "cases": "/desk/cases",
            "form": "/desk/acts/new/open-recovery",
            "recovery": self.opened(ann.customer, "recovery"),
        }

    def press(self, selector: str) -> None:
        self.browser.submit(f"document.querySelector({json.dumps(selector)}).click()")

    def fill_act(self, name: str, **fields: str) -> None:
        self.browser.go(f"{self.origin}/desk/acts/new/{name}")
        for field, value in fields.items():
            self.browser.run(f"document.getElementById('f-{field}').value = {json.dumps(value)}")
        self.press("main form button")

    def opened(self, customer: str, purpose: str) -> str:
        """The page of a customer, opened from the list of cases as a person does."""
        self.browser.go(self.origin + "/desk/cases")
        self.press(f"form:has(input[value='{customer}']):has(input[value='{purpose}']) button")
        return self.browser.run("location.pathname")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    with served_desk(folder / "p") as (provider, origin, codes):
        browser = Chromium(folder / "one")
        try:
            yield Desk(provider, origin, codes["care-desk"][0], browser)
        finally:
            browser.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320], ids=["wide", "narrow"])
@pytest.mark.parametrize("page", ["cases", "form", "recovery"])
def test_every_page_of_a_case_can_be_read(desk, page: str, width: int, dark: bool) -> None:
    desk.browser.look(width=width, dark=dark)
    desk.browser.go(desk.origin + desk.paths[page])
    seen = desk.browser.run(LOOK)
    if folder := os.environ.get("TALLYSTICK_PICTURES"):
        shade = "dark" if dark else "light"
        desk.browser.picture(Path(folder) / f"case-{page}-{width}-{shade}.png")
    assert seen["faults"] == []
    assert seen["texts"] > 10
    assert seen["width"] == width


def test_a_risk_state_is_seen_and_a_recovery_is_cancelled_with_a_passkey(desk) -> None:
    desk.browser.look(width=1200, dark=False)
    dan = desk.provider.platform.desks.customers.by_alias("+254700000003").id
    desk.opened(dan, "not-me")
    assert "700 of 1000" in desk.browser.run("document.body.innerText")
    desk.browser.go(desk.origin + desk.paths["recovery"])
    form = "form:has(input[value='cancel-recovery'])"
    desk.browser.run(
        f"document.querySelector(\"{form} input[name='because']\").value = 'phone was found'"
    )
    desk.press(f"{form} button")
    shown = desk.browser.run("document.querySelector('main').innerText")
    assert "phone was found" in shown
    assert desk.recovery in shown
    desk.press("form[data-passkey] button")
    assert "recovery is cancelled" in desk.browser.run("document.body.innerText").lower()
    told = events(desk.provider, "recovery.cancelled")[-1]["p"]
    assert (told["recovery"], told["because"]) == (desk.recovery, "phone was found")
    signed = events(desk.provider, "operator.signed")[-1]["p"]
    assert (signed["name"], signed["grade"]) == ("cancel-recovery", "passkey")
