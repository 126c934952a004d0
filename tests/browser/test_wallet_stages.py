"""The wallet page over a core system that takes its time: what is accepted is not called paid."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.core_system import CoreSystem
from tests.browser.test_wallet_page import BROWSER, TILL, Page, bound, looked_at, pay
from tests.support.collectors import until
from tests.support.served import by_one_operator, served
from tests.support.typescript import built

from tallystick.application.core import book_id
from tallystick.application.core.model import Patience
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.core import TransferStage
from tallystick.protocol.payments import PaymentKind

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
QUICK = Patience(
    first_ms=50, most_ms=200, absent_apart_ms=200, placings=10, lies=50, people_after_ms=600_000
)
UNDER_WAY = "Under way, not paid yet. Do not order it again."


@dataclass
class Bank:
    """The core system's book, whose transfers stay pending until it is told how they end."""

    core: CoreSystem

    def pending(self) -> str:
        """The one transfer that has not ended, once it is there."""

        def found() -> list[str]:
            books = self.core.truth().items()
            return [name for name, one in books if one.state is TransferStage.PENDING]

        until(found)
        (name,) = found()
        return name


@pytest.fixture(scope="module")
def bank() -> Iterator[Bank]:
    with CoreSystem(two_phase=frozenset({"p2p", "merchant"})) as core:
        yield Bank(core)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, bank: Bank) -> Iterator[Page]:
    built()
    folder = tmp_path_factory.mktemp("stages")
    policy = by_one_operator()
    with (
        served(
            folder / "p", core_url=bank.core.url, patience=QUICK, policy_text=policy
        ) as provider,
        bound(folder, provider) as found,
    ):
        yield found


@pytest.mark.requirement("MFS-7.3.3-03")
def test_an_accepted_order_is_paid_once_the_book_said_so_over_a_restart_as_well(
    page: Page, bank: Bank, tmp_path: Path
) -> None:
    pay(page, "25", hurried=False)
    page.warned()
    page.press("#warned button[value=yes]")
    page.yes("Pay KES 25.00 to Ben O.")
    page.until_said(f"KES 25.00 to Ben O.: {UNDER_WAY}")
    assert "aid (" not in page.text("body")
    looked_at(page.browser, tmp_path, "under-way")
    page.browser.go(str(page.browser.run("location.href")))
    page.browser.until("document.body.dataset.ready === 'yes'")
    row = "document.querySelector('#orders').textContent"
    page.browser.until(f"{row}.includes('KES 25.00 to Ben O.: {UNDER_WAY}')")
    before = page.ben.wallet.account().available_minor
    bank.core.books.end(bank.pending(), settle=True)
    page.browser.until(f"{row}.includes('KES 25.00 to Ben O.: Paid (receipt verified)')")
    looked_at(page.browser, tmp_path, "ended")
    page.browser.until("localStorage.getItem('tallystick followed') === '[]'")
    assert page.ben.wallet.account().available_minor == before + 2_500


def test_an_order_that_the_book_refused_is_said_not_to_be_paid(page: Page, bank: Bank) -> None:
    pay(page, "3", hurried=False)
    page.yes("Pay KES 3.00 to Ben O.")
    page.until_said(f"KES 3.00 to Ben O.: {UNDER_WAY}")
    bank.core.books.end(bank.pending(), settle=False)
    page.until_said("KES 3.00 to Ben O.: Not paid")
    assert "erified" not in page.text("#said")
    assert page.browser.run("document.getElementById('said').hasAttribute('data-wrong')") is True
    page.browser.until("document.getElementById('balance').textContent === 'KES 975.00'")


@pytest.mark.requirement("MFS-11.2.2-01")
def test_an_approved_request_is_followed_as_an_order_of_ones_own(page: Page, bank: Bank) -> None:
    begun = page.shop.begin(
        BeginApproval(
            payer="+254700000001", kind=PaymentKind.MERCHANT, payee=TILL, amount_minor=5_000,
            currency="KES", asked_by="Kiosk",
        )
    )  # fmt: skip
    page.look()
    page.browser.run(f"document.querySelector('#requests input').value = '{begun.number}'")
    page.press("#requests button")
    page.yes("Pay KES 50.00 to Kiosk")
    page.until_said(f"KES 50.00 to Kiosk: {UNDER_WAY}")
    assert bank.pending() == book_id(begun.order)
    bank.core.books.end(book_id(begun.order), settle=True)
    page.until_said("KES 50.00 to Kiosk: Paid (receipt verified)")
    assert page.browser.complaints() == []
