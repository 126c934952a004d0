"""Policies on the command line: checked, compared, tried, signed."""

import json

import pytest
from tests.unit.entry.cli.command_line import DEMO, tallystick

from tallystick.entry.cli.supposing import suppose
from tallystick.kernel.errors import Malformed


def test_a_sound_policy_is_said_to_be_sound() -> None:
    ran = tallystick("policy", "check", DEMO)
    assert ran.code == 0
    assert "version 1 of demo-wallet is sound" in ran.out


def test_a_defect_is_shown_with_its_position(tmp_path) -> None:
    text = DEMO.read_text().replace("currency: KES", "currency: KESX")
    (tmp_path / "bad.yaml").write_text(text)
    ran = tallystick("policy", "check", tmp_path / "bad.yaml")
    assert ran.code == 1
    assert "line" in ran.err


def test_what_changes_is_said_in_words(tmp_path) -> None:
    (tmp_path / "v2.yaml").write_text(
        DEMO.read_text().replace("version: 1\n", "version: 2\n").replace("limit: 5 ", "limit: 3 ")
    )
    ran = tallystick("policy", "diff", DEMO, tmp_path / "v2.yaml")
    assert ran.code == 0
    assert "attempts" in ran.out
    assert "5 -> 3" in ran.out
    assert tallystick("policy", "diff", DEMO, DEMO).out.strip() == "nothing changes"


def test_an_ordinary_payment_is_allowed_and_a_suspended_account_is_not() -> None:
    ran = tallystick("policy", "explain", DEMO, "--facts", "amount=100")
    assert ran.code == 0
    assert "allow: row" in ran.out
    ran = tallystick("policy", "explain", DEMO, "--facts", "account_status=suspended", "--json")
    told = json.loads(ran.out)
    assert told["outcome"] == "deny"
    assert told["tried"][-1] == {
        **told["tried"][-1], "row": "account-stopped", "matched": True,
    }  # fmt: skip


def test_facts_are_read_as_people_type_them() -> None:
    given = [
        "amount=250.50", "payee_known=yes", "device_age=3d", "time-of-day=23:30", "tier=1",
        "channel=ussd", "factors=knowledge", "degraded=sim-signal:5min", "risk_score=7",
    ]  # fmt: skip
    facts = suppose(given, "KES")
    assert facts.amount_minor == 25_050
    assert facts.payee_known is True
    assert facts.device_age_ms == 3 * 86_400_000
    assert facts.minute_of_day == 23 * 60 + 30
    assert (facts.tier, facts.channel, facts.factors) == (1, "ussd", ("knowledge",))
    assert facts.degraded == (("sim-signal", 300_000),)
    assert facts.risk_score == 7
    assert suppose(["account_age_ms=12"], "KES").account_age_ms == 12
    assert suppose(["operation=operate", "act=close-day"], "KES").act == "close-day"


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("chanel=ussd", "channel"),
        ("channel=usd", "ussd"),
        ("payee_known=maybe", "yes"),
        ("amount=1.234", "2 decimals"),
        ("time_of_day=25:00", "08:00"),
        ("device_age=3 weeks", "not a number"),
        ("tier", "NAME=VALUE"),
    ],
)
def test_a_fact_that_does_not_exist_is_answered_with_what_does(given: str, hint: str) -> None:
    with pytest.raises(Malformed) as refused:
        suppose([given], "KES")
    assert hint in str(refused.value)


def test_two_officers_sign_one_file_after_the_other(tmp_path) -> None:
    secret = tmp_path / "secret"
    ran = tallystick("init", "--no-analysis", tmp_path / "p", "--secret-out", secret)
    assert ran.code == 0
    offline, target = tmp_path / "p" / "offline", tmp_path / "signed.json"
    for number in (1, 2):
        ran = tallystick(
            "policy", "sign", DEMO, "--officer", f"officer-{number}", "--key-file",
            offline / f"officer-{number}.key", "--secret-file", secret, "--out", target,
        )  # fmt: skip
        assert ran.code == 0, ran.err
    assert "signed by 2 officers" in ran.out
    again = tallystick(
        "policy", "sign", DEMO, "--officer", "officer-2", "--key-file",
        offline / "officer-2.key", "--secret-file", secret, "--out", target,
    )  # fmt: skip
    assert again.code == 1
    assert "signed already" in again.err
    assert "is sound" in tallystick("policy", "check", target).out


def test_a_change_says_for_whom_it_comes_out_otherwise(tmp_path) -> None:
    text = DEMO.read_text().replace(
        "amount_minor: {above: 500_000}", "amount_minor: {above: 400_000}"
    )
    (tmp_path / "v2.yaml").write_text(text)
    ran = tallystick("policy", "diff", DEMO, tmp_path / "v2.yaml")
    assert "for whom it comes out otherwise" in ran.out
    assert "allow -> step-up sim-signed" in ran.out
    assert "(dialled -> dialled-large)" in ran.out


def test_regimes_are_listed_and_what_they_ask_is_shown_with_its_article(tmp_path) -> None:
    ran = tallystick("policy", "regimes")
    assert ran.code == 0
    for name in ("generic", "eu-psd2-rts", "ke", "ug", "ng", "gh"):
        assert name in ran.out
    assert "not legal advice" in ran.out
    (tmp_path / "eu.yaml").write_text(
        DEMO.read_text().replace("regimes: [generic]", "regimes: [generic, eu-psd2-rts]")
    )
    ran = tallystick("policy", "regimes", tmp_path / "eu.yaml")
    assert "failures in a row" in ran.out
    assert "MFS-7.3.2-10" in ran.out
    (tmp_path / "ke.yaml").write_text(DEMO.read_text().replace("[generic]", "[ke]"))
    ran = tallystick("policy", "check", tmp_path / "ke.yaml")
    assert ran.code == 1
    assert "regime ke, CBK 2023-09-08" in ran.err
