"""Regimes: the shipped packs, the strictest of several, and policies that are below."""

from decimal import Decimal

import pytest
from tests.unit.process.policy.policy_texts import changed, demo_text, payment

from tallystick.kernel.errors import Malformed, NotFound
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.policy.regimes import baseline_of, regime, regime_names
from tallystick.process.policy.regimes.exemptions import Asked, Since, exempted
from tallystick.process.policy.regimes.reading import read_regime
from tallystick.process.yamltext.quantities import day_ms

NOW = day_ms("2026-01-01")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def held_to(regimes: str, *changes: tuple[str, str], currency: str = "KES") -> str:
    """The demonstration policy held to `regimes`, with passages replaced."""
    text = demo_text().replace("regimes: [generic]", f"regimes: {regimes}")
    text = text.replace("currency: KES", f"currency: {currency}")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def refused(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        compile_policy(read_policy(text))
    return caught.value.detail


def test_the_shipped_packs_are_dated_sourced_and_no_legal_advice() -> None:
    assert regime_names() == ("eu-psd2-rts", "generic", "gh", "ke", "ng", "ug")
    for name in regime_names():
        pack = regime(name)
        assert pack.id == name
        assert 0 < pack.effective_from < NOW
        assert pack.source
        assert "not legal advice" in pack.notice
        for rules in (pack.factors, pack.sessions, pack.attempts, pack.tiers, pack.pauses):
            assert all(rule.article for rule in rules)
    with pytest.raises(NotFound):
        regime("../generic")


@pytest.mark.requirement("MFS-B-01")
@pytest.mark.requirement("MFS-13.2-04")
@pytest.mark.parametrize(
    ("name", "tier", "at", "day", "balance"),
    [
        ("ng", 1, NOW, 5_000_000, 30_000_000),
        ("ng", 2, NOW, 20_000_000, 50_000_000),
        ("ng", 3, NOW, 500_000_000, None),
        ("ng", 0, NOW, 5_000_000, 30_000_000),
        ("ng", 9, NOW, 500_000_000, None),
        ("gh", 1, day_ms("2024-02-29"), 30_000, 100_000),
        ("gh", 1, day_ms("2024-03-01"), 300_000, 500_000),
        ("gh", 3, NOW, 2_500_000, 7_500_000),
        ("ug", 2, NOW, 20_000_000, 20_000_000),
        ("ke", 1, NOW, None, 50_000_000),
    ],
)
def test_a_tier_is_held_to_its_own_cap_or_to_the_next_below(
    name: str, tier: int, at: int, day: int | None, balance: int | None
) -> None:
    pack = regime(name)
    found = baseline_of([pack], at=at, currency=pack.currency, tiers=[tier])
    caps = {cap.measure: cap.bound.value for cap in found.amounts}
    assert caps.get("in a day") == day
    assert caps.get("balance") == balance


PACK = """
regime: {title: made up, effective_from: 2020-01-01, currency: KES, source: a test, notice: none}
factors: [{operations: [pay, quote], categories: 3, article: art. 1}]
sessions: [{idle: PT1M, article: art. 2}]
attempts: [{limit: 3, article: art. 3}]
tiers:
  - {tier: 0, label: all, kinds: [p2p], per_payment: 100, day: 700, balance: 900, article: art. 4}
pauses: [{operations: [pay, change-pin], channels: [ussd], sim_age_below: PT72H, article: art. 5}]
exemptions: []
"""


def test_of_several_regimes_the_strictest_holds_and_says_where_it_is_from() -> None:
    made_up = read_regime("made-up", PACK)
    found = baseline_of(
        [regime("generic"), made_up, regime("ke")], at=NOW, currency="KES", tiers=[0, 1]
    )
    assert found.factors["pay"].value == 3
    assert found.factors["login"].origin == "regime generic, MFS-7.3.2-01"
    assert found.idle is not None
    assert found.idle.origin == "regime made-up, art. 2"
    assert found.attempts is not None
    assert (found.attempts.value, found.attempts.article) == (3, "art. 3")
    assert [(one.bound.value, one.bound.regime) for one in found.pauses] == [
        (72 * HOUR_MS, "made-up")
    ]
    balance = next(one for one in found.amounts if one.measure == "balance")
    assert (balance.bound.value, balance.bound.regime, balance.tiers) == (900, "made-up", (0, 1))


def test_a_regime_in_another_currency_is_refused_at_its_name() -> None:
    found = refused(held_to("[generic, ng]"))
    assert "regime ng states its amounts in NGN, the policy in KES" in found
    assert found.startswith(
        f"line {held_to('[generic, ng]').splitlines().index('regimes: [generic, ng]') + 1}"
    )


def test_an_unknown_regime_is_refused_with_what_there_is() -> None:
    assert "use one of" in refused(held_to("[atlantis]"))
    assert "did you mean 'generic'" in refused(held_to("[generick]"))


def test_a_policy_below_its_regime_is_refused_with_the_article_and_an_example() -> None:
    found = refused(held_to("[ke]"))
    lines = [line for line in found.splitlines() if "CBK 2023-09-08" in line]
    assert any("keeps at most 50000000 minor units" in line for line in lines)
    assert any("tier 3" in line and "pass per payment" in line for line in lines)
    assert not any("tier 2," in line for line in lines)


KENYAN = (
    ("3: {label: merchants and agents under contract,",
     "3: {label: merchants and agents under contract, max_balance: 50_000_000,"),
    ("per_payment: 50_000_000", "per_payment: 25_000_000"),
)  # fmt: skip


def test_a_policy_that_keeps_to_its_regime_names_it_where_it_binds() -> None:
    compiled = compile_policy(read_policy(held_to("[generic, ke]", *KENYAN)))
    denied = compiled.decide(payment(tier=2, amount_minor=25_000_001))
    assert denied.row == "tier-2"
    assert denied.because.endswith("(regime ke, CBK 2023-09-08)")
    own = compiled.decide(payment(tier=1, amount_minor=7_000_001))
    assert own.because == "a registered person's ordinary spending"


def test_a_daily_cap_must_be_held_by_a_limit_and_is_named_in_it() -> None:
    caps = (
        ("1_000_000, because: little", "900_000, because: little"),
        ("max_balance: 10_000_000", "max_balance: 30_000_000"),
    )
    text = held_to("[ng]", *caps, currency="NGN")
    found = refused(text)
    assert (
        "lets more than 5000000 minor units pass in a day (regime ng, CBN 2017-09-07, tier 1)"
        in found
    )
    kept = text.replace("{window: PT24H, amount: 15_000_000}", "{window: PT24H, amount: 5_000_000}")
    kept = kept.replace("per_payment: 7_000_000", "per_payment: 4_000_000")
    kept = kept.replace("amount: 50_000_000}", "amount: 20_000_000}")
    kept = kept.replace("per_payment: 25_000_000", "per_payment: 15_000_000")
    kept = kept.replace("amount: 5_000_000_000}", "amount: 500_000_000}")
    compiled = compile_policy(read_policy(kept))
    facts = payment(tier=1, currency="NGN")
    rule = next(one for one in compiled.decide(facts).limits if one.id == "tier-1/86400")
    assert rule.because.endswith("(regime ng, CBN 2017-09-07, tier 1)")


def test_a_row_that_keeps_a_pause_names_the_regime_and_a_shorter_one_is_refused() -> None:
    compiled = compile_policy(read_policy(demo_text()))
    dialled = {"channel": "ussd", "grade": "pin-verified", "device_trust": "none"}
    inside = compiled.decide(payment(**dialled, sim_age_ms=24 * HOUR_MS - 1))
    assert inside.because.endswith("(regime generic, MFS-7.3.2-10)")
    outside = compiled.decide(payment(**dialled, sim_age_ms=24 * HOUR_MS))
    assert (outside.row, outside.because) == (
        "sim-just-changed",
        "the SIM changed less than 72 hours ago",
    )
    assert compile_policy(
        read_policy(changed("sim_age: {below: PT72H}", "sim_age: {below: PT24H}"))
    )
    found = refused(changed("sim_age: {below: PT72H}", "sim_age: {below: PT23H}"))
    assert "allows within 86400 s of a change of SIM (regime generic, MFS-7.3.2-10)" in found
    assert "sim_age_ms 82800000" in found


def test_factors_that_are_missing_are_asked_for_by_the_regime() -> None:
    decision = compile_policy(read_policy(held_to("[eu-psd2-rts]"))).decide(payment(factors=()))
    assert decision.because.endswith("(regime eu-psd2-rts, RTS 4(1))")


@pytest.mark.requirement("MFS-11.2.1-01")
@pytest.mark.parametrize(
    ("asked", "since", "counter", "holds"),
    [
        ({"amount_minor": 5_000}, {}, "count", {"contactless"}),
        ({"amount_minor": 5_001}, {}, "count", set()),
        ({"amount_minor": 3_000}, {}, "count", {"contactless", "low-value-remote"}),
        ({"amount_minor": 3_001}, {}, "count", {"contactless"}),
        ({"amount_minor": 1}, {"count": 4}, "count", {"contactless", "low-value-remote"}),
        ({"amount_minor": 1}, {"count": 5}, "count", set()),
        ({"amount_minor": 5_000}, {"amount_minor": 10_000}, "amount", {"contactless"}),
        ({"amount_minor": 5_000}, {"amount_minor": 10_001}, "amount", set()),
        ({"amount_minor": 3_000}, {"amount_minor": 7_000}, "amount",
         {"contactless", "low-value-remote"}),
        ({"amount_minor": 3_000}, {"amount_minor": 7_001}, "amount", {"contactless"}),
        ({"amount_minor": 90_000, "relation": "trusted"}, {}, "count", {"trusted-payee"}),
        ({"amount_minor": 90_000, "relation": "series"}, {}, "count", {"recurring"}),
        ({"amount_minor": 50_000, "fraud_share": Decimal("0.00005")}, {}, "count",
         {"card-risk-500", "transfer-risk-500"}),
        ({"amount_minor": 50_000, "fraud_share": Decimal("0.00011")}, {}, "count", set()),
        ({"amount_minor": 25_000, "fraud_share": Decimal("0.0006")}, {}, "count",
         {"card-risk-250"}),
        ({"amount_minor": 25_001, "fraud_share": Decimal("0.0006")}, {}, "count", set()),
        ({}, {"elapsed_ms": 180 * DAY_MS - 1}, "count", {"account-information"}),
        ({}, {"elapsed_ms": 180 * DAY_MS}, "count", set()),
    ],
)  # fmt: skip
def test_exemptions_hold_up_to_their_counters(
    asked: dict[str, object], since: dict[str, int], counter: str, holds: set[str]
) -> None:
    found = exempted(
        regime("eu-psd2-rts"),
        Asked(**asked),  # type: ignore[arg-type]
        Since(**since),
        at=NOW,
        counter=counter,
    )
    named = {one.id for one in found}
    assert holds <= named
    for bounded in ("contactless", "low-value-remote", "account-information", "card-risk-500"):
        assert (bounded in named) == (bounded in holds)


def test_before_july_2023_account_information_was_good_for_90_days() -> None:
    at = day_ms("2023-07-24")
    since = Since(elapsed_ms=90 * DAY_MS)
    assert not exempted(regime("eu-psd2-rts"), Asked(), since, at=at)
    earlier = Since(elapsed_ms=90 * DAY_MS - 1)
    found = exempted(regime("eu-psd2-rts"), Asked(), earlier, at=at)
    assert [one.id for one in found] == ["account-information-90"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("currency: KES", "currency: none", "a regime that states amounts has a currency"),
        ("categories: 3", "categories: 4", "an integer from 1 to 3"),
        ("article: art. 3", "article: ''", "the place in a text"),
        ("kinds: [p2p]", "kinds: [gift]", "cannot be 'gift'"),
        ("2020-01-01", "2020-13-01", "there is no day"),
    ],
)
def test_a_defective_pack_is_refused_with_its_position(old: str, new: str, says: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_regime("made-up", PACK.replace(old, new))
    assert says in caught.value.detail
    assert caught.value.detail.startswith("line ")
