"""The wallet of the TypeScript client in Chromium: warnings, requests, devices, at 320 px."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_typescript_page import TYPES
from tests.protocol.test_typescript_own import STRICT
from tests.support.approved import TILL, program
from tests.support.chromium import BROWSER, Chromium
from tests.support.collectors import until
from tests.support.served import ORIGIN, PROVIDER, Person, Served, served
from tests.support.typescript import FOLDER, built, customer

from tallystick.client.beginning import Beginner
from tallystick.entry.conforming.relay import Answered, Asked, LoopbackDoor, Relay, Rule
from tallystick.kernel.errors import MfsError
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.operators import IssueActivation
from tallystick.protocol.payments import PaymentKind

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
ANN = "+254700000001"


def door(provider: Served, relay: Relay) -> LoopbackDoor:
    """The wallet, the package, what the app knows of its provider, and the provider."""
    root = {"algorithm": provider.done.root.algorithm, "public": provider.done.root.public}
    known = json.dumps({"name": PROVIDER, "origin": ORIGIN, "root": root}).encode()

    def handle(asked: Asked) -> Answered | None:
        name = asked.path.lstrip("/") or "index.html"
        if name == "provider.json":
            return Answered(200, known, "application/json")
        file = FOLDER / (name if name.startswith("dist/") else f"wallet/{name}")
        if file.suffix in TYPES and file.is_file():
            return Answered(200, file.read_bytes(), TYPES[file.suffix])
        return relay.handle(asked)

    return LoopbackDoor(handle)


@dataclass
class Page:
    """Ann's wallet, bound and with its terms accepted."""

    browser: Chromium
    provider: Served
    relay: Relay
    ben: Person
    shop: Beginner

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            found = f"document.querySelector('[name={name}]')"
            self.browser.run(f"{found}.value = {json.dumps(value)}")

    def press(self, selector: str) -> None:
        self.browser.run(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector: str) -> str:
        found = self.browser.run(f"document.querySelector({json.dumps(selector)}).textContent")
        return " ".join(str(found).split())

    def until_said(self, part: str) -> None:
        self.browser.until(f"document.getElementById('said').textContent.includes({part!r})")
        self.browser.until("document.body.ariaBusy === 'false'")

    def look(self) -> None:
        self.press("#again")
        self.browser.until("document.body.ariaBusy === 'false'")

    def yes(self, text: str) -> None:
        self.browser.until("document.getElementById('asked').open")
        assert text in self.text("#asked-text")
        self.press("#asked button[value=yes]")

    def warned(self) -> list[tuple[str, bool]]:
        """The warnings that are shown, and whether each has a box."""
        self.browser.until("document.getElementById('warned').open")
        rows = self.browser.run(
            "JSON.stringify([...document.querySelectorAll('#warnings li')].map((row) =>"
            " [row.querySelector('.warning').textContent, row.querySelector('input') !== null]))"
        )
        return [(text, box) for text, box in json.loads(str(rows))]


@contextmanager
def bound(folder: Path, provider: Served) -> Iterator[Page]:
    """Ann's wallet, bound, and whom she pays."""
    provider.person("+254700000099", "Kiosk", kind="merchant", tier=3, till=TILL)
    ben = provider.person("+254700000002", "Ben Otieno")
    shop = program(provider, "kiosk")
    asked = customer(provider, ANN)
    relay = Relay(provider.url)
    at, browser = door(provider, relay), Chromium(folder)
    try:
        found = Page(browser, provider, relay, ben, shop)
        browser.go(f"{at.url}/")
        browser.until("document.body.dataset.ready === 'yes'")
        found.fill(**asked)
        found.press("#enrol button")
        found.yes("Bind this browser")
        found.until_said("is bound")
        yield found
    finally:
        browser.close()
        at.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    built()
    folder = tmp_path_factory.mktemp("wallet")
    with (
        served(folder / "p", policy_text=STRICT, more_roles=("care-desk",)) as provider,
        bound(folder, provider) as found,
    ):
        yield found


def pay(page: Page, amount: str, *, hurried: bool) -> None:
    page.fill(payee=page.ben.number, amount=amount)
    page.browser.run(f"document.querySelector('[name=urgency]').checked = {str(hurried).lower()}")
    page.press("#pay > button")


@pytest.mark.requirement("MFS-7.3.6-04")
def test_the_terms_stand_there_until_they_are_accepted(page: Page) -> None:
    assert page.browser.run("document.getElementById('terms').hidden") is False
    assert page.text("#balance") == "KES 1,000.00"
    page.press("#accept")
    page.until_said("terms are accepted")
    assert page.browser.run("document.getElementById('terms').hidden") is True


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_nothing_is_paid_until_the_warnings_are_acknowledged(page: Page, tmp_path: Path) -> None:
    pay(page, "25", hurried=True)
    assert page.warned() == [
        ("You never paid them before.", True),
        ("Does somebody hurry you? Hang up.", False),
    ]
    go = "document.querySelector('#warned button[value=yes]')"
    assert page.browser.run(f"{go}.disabled") is True
    page.press("#warned button[value=yes]")
    assert page.browser.run("document.getElementById('asked').open") is False
    looked_at(page.browser, tmp_path, "warned")
    page.press("#warned button[value=no]")
    page.until_said("nothing was paid")
    pay(page, "25", hurried=True)
    page.warned()
    page.press("#warnings input")
    assert page.browser.run(f"{go}.disabled") is False
    page.press("#warned button[value=yes]")
    page.yes(
        "You never paid them before. Does somebody hurry you? Hang up. Pay KES 25.00 to Ben O."
    )
    page.until_said("KES 25.00 to Ben O.: Paid (receipt verified)")
    assert page.text("#balance") == "KES 975.00"
    assert page.ben.wallet.account().available_minor == 2_500
    pay(page, "1.50", hurried=False)
    page.yes("Pay KES 1.50 to Ben O., fee KES 0.00?")
    page.until_said("KES 1.50 to Ben O.: Paid")


@pytest.mark.requirement("MFS-11.2.2-01")
def test_requests_are_approved_and_declined_and_devices_are_seen(
    page: Page, tmp_path: Path
) -> None:
    def begun(amount: int) -> Any:
        return page.shop.begin(
            BeginApproval(
                payer=ANN, kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=amount,
                currency="KES", asked_by="Kiosk",
            )
        )  # fmt: skip

    first = begun(5_000)
    page.look()
    assert page.text("#requests p") == "Pay KES 50.00 to Kiosk, fee KES 0.00. Asked by Kiosk."
    desk, before = page.provider.operators["care-desk"][0], len(page.provider._codes(ANN))
    activation = desk.act("issue-activation", IssueActivation(number=ANN)).reference
    code = page.provider.activation_code(ANN, before)
    other = page.provider.enrol_phone(ANN, activation, code)
    assert other.wallet.account().available_minor == 97_350
    page.look()
    looked_at(page.browser, tmp_path, "home")
    page.browser.run(f"document.querySelector('#requests input').value = '{first.number}'")
    page.press("#requests button")
    page.yes("Pay KES 50.00 to Kiosk")
    page.until_said("KES 50.00 to Kiosk: Paid (receipt verified)")
    second = begun(9_000)
    page.look()
    page.press("#requests button.quiet")
    page.until_said("is declined")
    assert page.shop.status(second.approval).stage == "declined"
    assert page.text("#requests") == "Nothing."
    assert page.text("#notices p")
    page.press("#devices button[data-act=suspend]")
    page.until_said("Done.")
    assert "suspended" in page.text("#devices")
    with pytest.raises(MfsError):
        other.wallet.account()
    page.browser.go(str(page.browser.run("location.href")))
    page.browser.until("document.body.dataset.ready === 'yes'")
    assert page.text("#balance") == "KES 923.50"
    assert page.browser.complaints() == []


def lost(path: str) -> Rule:
    """What is sent to `path` arrives, and no answer comes back."""
    return Rule(path, after=lambda _asked, _reply: None, times=1000)


def test_an_order_without_an_answer_is_placed_again_after_a_restart_and_paid_once(
    page: Page,
) -> None:
    wallet, before = page.ben.wallet, page.ben.wallet.account().available_minor
    home = str(page.browser.run("location.href"))
    with page.relay.playing(lost("/v1/payments")) as passed:
        pay(page, "3", hurried=False)
        page.yes("Pay KES 3.00 to Ben O.")
        until(lambda: [one for one in passed if one.asked.path == "/v1/payments"])
        until(lambda: wallet.account().available_minor == before + 300)
        page.browser.go(f"{home}provider.json")
    page.browser.go(home)
    page.until_said("KES 3.00 to Ben O.: Paid")
    page.browser.until("document.body.dataset.ready === 'yes'")
    assert wallet.account().available_minor == before + 300
    page.browser.go(home)
    page.browser.until("document.body.dataset.ready === 'yes'")
    assert page.text("#said") == "", "it is not placed a third time"
    assert wallet.account().available_minor == before + 300


def test_what_was_paid_stays_said_although_nothing_can_be_looked_at_after_it(page: Page) -> None:
    with page.relay.playing(lost("/v1/education")):
        pay(page, "2", hurried=False)
        page.yes("Pay KES 2.00 to Ben O.")
        page.until_said("KES 2.00 to Ben O.: Paid")
        assert page.text("#said").endswith("may be old.")
    page.look()
    assert page.browser.run("document.body.ariaBusy") == "false"


def looked_at(browser: Chromium, folder: Path, name: str) -> None:
    """As narrow as a small phone nothing is cut off, in light and dark; pictures are kept."""
    for dark in (False, True):
        browser.look(width=320, dark=dark)
        assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
        cut = browser.run(
            "[...document.querySelectorAll('button, input, select, p, h2')].filter((one) =>"
            " one.getClientRects().length && one.getBoundingClientRect().right > 320.5).length"
        )
        assert cut == 0
        browser.picture(folder / f"{name}-{'dark' if dark else 'light'}.png")
