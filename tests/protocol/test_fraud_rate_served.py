"""Exemptions of the RTS counted of real payments, frauds reported at the desk, the rate read."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from click.testing import CliRunner
from tests.support.desks import events
from tests.support.served import Person, Served, served

from tallystick.entry.cli.authentication import authentication
from tallystick.entry.setup import demo_policy
from tallystick.kernel.errors import Conflict, NotFound, Refused
from tallystick.kernel.money import Money
from tallystick.protocol.authentication import ReportFraud
from tallystick.protocol.payments import PaymentKind

POLICY = (
    demo_policy()
    .replace("currency: KES", "currency: EUR")
    .replace("regimes: [generic]", "regimes: [generic, eu-psd2-rts]")
)
TILL = "600300"
AT_ONCE = 64
NUMBERS = count(254_700_100_000)


@pytest.fixture
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("frauds") / "p"
    with served(folder, policy_text=POLICY, currency="EUR") as found:
        yield found


def strangers(provider: Served, many: int) -> list[str]:
    """Numbers of so many people whom nobody paid yet."""
    numbers = [f"+{next(NUMBERS)}" for _ in range(many)]
    for number in numbers:
        provider.open_customer(number, "Paula Payee")
    return numbers


def payer(provider: Served) -> Person:
    return provider.person(f"+{next(NUMBERS)}", "Ann App", funds=1_000_000)


def pay(person: Person, to: str, minor: int, kind: PaymentKind = PaymentKind.P2P) -> str:
    """The order's id."""
    return person.wallet.pay(kind, to, Money(minor, "EUR")).verified.event.id


def other_than(order: str) -> str:
    """An id that no order has."""
    return f"{order[:-2]}{'11' if order.endswith('00') else '00'}"


def report(provider: Served, until: datetime | None = None) -> dict:
    """What the command says of the 90 days before tomorrow, while the service runs."""
    day = (until or datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    said = CliRunner().invoke(
        authentication, ["fraud-rate", str(provider.folder.root), "--until", day, "--json"]
    )
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def kinds(said: dict) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Payments, their sum, frauds and theirs; by exemption and place."""
    return {
        (one["exemption"], "remote" if one["remote"] else "till"): (
            one["count"], one["amount_minor"], one["fraud_count"], one["fraud_minor"],
        )
        for one in said["kinds"]
    }  # fmt: skip


@pytest.mark.requirement("MFS-7.3.2-01")
def test_the_report_says_of_payments_and_frauds_what_happened(provider: Served) -> None:
    provider.person("+254711000003", "Shop", kind="merchant", tier=3, till=TILL)
    ann, began = payer(provider), datetime.now(UTC)
    first, *others = strangers(provider, 6)
    small = [pay(ann, first, 2_000), *(pay(ann, one, 2_000) for one in others)]
    known = pay(ann, first, 90_000)
    tills = [pay(ann, TILL, 4_000, PaymentKind.MERCHANT) for _ in range(2)]
    large = pay(ann, TILL, 6_000, PaymentKind.MERCHANT)
    paid = {
        ("contactless", "till"): (2, 8_000, 0, 0),
        ("low-value-remote", "remote"): (5, 10_000, 0, 0),
        ("trusted-payee", "remote"): (1, 90_000, 0, 0),
        ("trusted-payee", "till"): (1, 6_000, 0, 0),
        ("two-factors", "remote"): (1, 2_000, 0, 0),
    }
    assert kinds(report(provider)) == paid
    desk = provider.operators["care-desk"][0]
    for order in (small[1], tills[0]):
        desk.act("report-fraud", ReportFraud(order=order, because="not by the customer"))
    with pytest.raises(Conflict):
        desk.act("report-fraud", ReportFraud(order=small[1], because="told again"))
    with pytest.raises(NotFound):
        desk.act("report-fraud", ReportFraud(order=other_than(known), because="unknown"))
    with pytest.raises(Refused):
        provider.operators["privacy-officer"][0].act(
            "report-fraud", ReportFraud(order=large, because="not one's duty")
        )
    said = report(provider)
    frauds = {
        ("contactless", "till"): (2, 8_000, 1, 4_000),
        ("low-value-remote", "remote"): (5, 10_000, 1, 2_000),
    }
    assert kinds(said) == paid | frauds
    share = Decimal(2_000) / Decimal(102_000) * 100
    assert 0 <= Decimal(said["remote_rate_percent"]) - share < Decimal("0.0001")
    assert said["permits"] == []
    told = [one["p"] for one in events(provider, "fraud.reported")]
    assert [one["order"] for one in told] == [small[1], tills[0]]
    assert [one["exemption"] for one in told] == ["low-value-remote", "contactless"]
    assert report(provider, began)["kinds"] == [], "today is not one of whole days"


@pytest.mark.requirement("MFS-7.3.2-01")
def test_of_payments_at_once_exactly_as_many_are_exempt_as_the_law_allows(
    provider: Served,
) -> None:
    ann = payer(provider)
    wallets = [provider.reached.wallet(ann.keystore, consistency=False) for _ in range(AT_ONCE)]
    orders = [
        wallet.consent(wallet.quote(PaymentKind.P2P, number, Money(100, "EUR")))
        for wallet, number in zip(wallets, strangers(provider, AT_ONCE), strict=True)
    ]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        paid = list(threads.map(lambda wallet, order: wallet.place(order), wallets, orders))
    assert len({one.verified.event.id for one in paid}) == AT_ONCE
    rounds, rest = divmod(AT_ONCE, 6)
    allowed = rounds * 5 + rest
    assert kinds(report(provider)) == {
        ("low-value-remote", "remote"): (allowed, allowed * 100, 0, 0),
        ("two-factors", "remote"): (rounds, rounds * 100, 0, 0),
    }
    counted = provider.platform.desks.exemptions.counted(ann.customer, remote=True)
    assert counted is not None
    assert counted.count == rest
