"""Counters of exemptions, exact against arithmetic written again, and the fraud rate."""

import json
import random
from decimal import Decimal
from typing import cast

import pytest
from tests.unit.process.policy.policy_texts import demo

from tallystick.application.exemptions import Exemptions
from tallystick.application.exemptions.store import APART, MIGRATION, kinds_of_payments
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.entry.frauds import rates_of
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.store.database import Database, batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.policy.compile import compile_policy
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.policy.regimes.exemptions import BY_AMOUNT

START = 20_600 * DAY_MS


class InForce:
    """The demonstration policy, held to whatever is named."""

    def __init__(self, text: str = "") -> None:
        self.compiled = compile_policy(read_policy(text)) if text else demo()


def counters(database: Database, text: str = "", **more) -> Exemptions:
    policy = cast("PolicyInForce", InForce(text))
    return Exemptions(policy, database, capacity=100, **more)


def turn_at(now: int) -> Turn:
    return Turn(now=Instant(now), first_event=0, provider="p", entropy=random.Random(now).randbytes)


def settle(
    database: Database, exemptions: Exemptions, at: int, order: str, kind: str, amount: int, **more
) -> str:
    turn = turn_at(at)
    known = more.pop("known", False)
    found = exemptions.settled(
        turn, order, more.pop("customer", "cus_a"), kind, amount, known=known
    )
    with batch(database):
        turn.changes.flush(database)
    return found


@pytest.fixture
def database(place: Place):
    with open_database(place) as opened:
        migrate(opened, (MIGRATION, APART), Instant(0))
        yield opened


def test_only_a_policy_held_to_the_pack_in_its_currency_counts(database: Database) -> None:
    exemptions = counters(database)
    assert not exemptions.counting
    held = "regimes: [generic, eu-psd2-rts]"
    for currency in ("KES", "EUR"):
        text = demo_policy().replace("regimes: [generic]", held)
        text = text.replace("currency: KES", f"currency: {currency}")
        assert counters(database, text).counting is (currency == "EUR")


@pytest.mark.requirement("MFS-7.3.2-01")
def test_low_value_payments_go_by_count_and_the_sixth_needs_two_factors(
    database: Database,
) -> None:
    exemptions = counters(database)
    found = [settle(database, exemptions, START + n, f"o{n}", "p2p", 2_000) for n in range(7)]
    assert found == ["low-value-remote"] * 5 + ["two-factors"] + ["low-value-remote"]
    assert settle(database, exemptions, START + 8, "o8", "p2p", 3_001) == "two-factors"
    row = exemptions.counted("cus_a", remote=True)
    assert row is not None
    assert (row.count, row.amount_minor, row.since) == (0, 0, START + 8)


def test_low_value_payments_go_by_amount(database: Database) -> None:
    exemptions = counters(database, counter=BY_AMOUNT)
    found = [settle(database, exemptions, START + n, f"o{n}", "p2p", 2_500) for n in range(5)]
    assert found == ["low-value-remote"] * 4 + ["two-factors"]


def test_tills_go_contactless_and_known_payees_are_trusted(database: Database) -> None:
    exemptions = counters(database)
    assert settle(database, exemptions, START, "o1", "merchant", 5_000) == "contactless"
    assert settle(database, exemptions, START, "o2", "merchant", 5_001) == "two-factors"
    assert settle(database, exemptions, START, "o3", "p2p", 900_000, known=True) == "trusted-payee"


def test_payments_at_tills_and_from_afar_are_counted_apart_and_begin_anew_together(
    database: Database,
) -> None:
    exemptions = counters(database)
    kinds = ["p2p", "merchant"] * 5
    found = [
        settle(database, exemptions, START + n, f"o{n}", k, 2_000) for n, k in enumerate(kinds)
    ]
    assert found == ["low-value-remote", "contactless"] * 5
    assert settle(database, exemptions, START + 20, "o20", "merchant", 2_000) == "two-factors"
    after = [settle(database, exemptions, START + 30 + n, f"q{n}", "p2p", 100) for n in range(6)]
    assert after == ["low-value-remote"] * 5 + ["two-factors"]


def test_what_was_counted_together_counts_for_both(place: Place) -> None:
    with open_database(place) as opened:
        migrate(opened, (MIGRATION,), Instant(0))
        with batch(opened):
            opened.execute(
                "INSERT INTO exemption_count (customer, count, amount_minor, since)"
                " VALUES ('cus_a', 4, 900, 5)"
            )
        migrate(opened, (MIGRATION, APART), Instant(0))
        exemptions = counters(opened)
        for remote in (False, True):
            row = exemptions.counted("cus_a", remote=remote)
            assert row is not None
            assert (row.count, row.amount_minor, row.since) == (4, 900, 5)
        assert settle(opened, exemptions, START, "o1", "p2p", 100) == "low-value-remote"
        assert settle(opened, exemptions, START, "o2", "p2p", 100) == "two-factors"


def test_what_is_counted_is_what_a_list_says(database: Database) -> None:
    """A thousand payments of three customers, against a list that is scanned for each."""
    exemptions, draws = counters(database), random.Random(5)
    since: dict[str, list[int]] = {"cus_a": [], "cus_b": [], "cus_c": []}
    for number in range(1_000):
        customer = draws.choice(sorted(since))
        amount = draws.choice((100, 2_999, 3_000, 3_001, 8_000))
        found = settle(
            database, exemptions, START + number, f"o{number}", "p2p", amount, customer=customer
        )
        held = amount <= 3_000 and len(since[customer]) < 5
        assert found == ("low-value-remote" if held else "two-factors")
        since[customer] = [*since[customer], amount] if held else []
        row = exemptions.counted(customer, remote=True)
        assert row is not None
        assert (row.count, row.amount_minor) == (len(since[customer]), sum(since[customer]))


@pytest.mark.requirement("MFS-7.3.2-01")
def test_the_fraud_rate_of_ninety_days_permits_thresholds(database: Database) -> None:
    exemptions = counters(database)
    for number in range(100):
        settle(database, exemptions, START + number, f"o{number}", "p2p", 100_000)
    settle(database, exemptions, START + 200, "small", "p2p", 1_000)
    turn = turn_at(START + 300)
    assert exemptions.report_fraud(turn, "small").fraud == 1
    with pytest.raises(Conflict):
        exemptions.report_fraud(turn, "small")
    with pytest.raises(NotFound):
        exemptions.report_fraud(turn, "unknown")
    with batch(database):
        turn.changes.flush(database)
    kinds = kinds_of_payments(database, START, START + DAY_MS)
    by_name = {one.exemption: one for one in kinds}
    assert by_name["low-value-remote"].rate == 1
    assert by_name["two-factors"].rate == 0
    rates = rates_of(kinds, START, START + DAY_MS)
    share = Decimal(1_000) / Decimal(100 * 100_000 + 1_000)
    assert Decimal(rates.remote_rate_percent) >= share * 100
    assert rates.permits == ("transfer-risk-100", "transfer-risk-250")
    assert json.loads(encode(rates))["permits"] == ["transfer-risk-100", "transfer-risk-250"]
    later = START + 2 * DAY_MS
    assert settle(database, counters(database), later, "o-risk", "p2p", 20_000) == (
        "transfer-risk-250"
    )
    gone = kinds_of_payments(database, START + DAY_MS, START + 2 * DAY_MS)
    assert gone == []
    assert rates_of(gone, 0, 1).permits == ()
