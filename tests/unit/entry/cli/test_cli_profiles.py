"""Each of the four programmes lives: set up, analysed, its policy in force, paid under, proved.

What is served is what was derived: the payment at the end is decided by the policy of the
programme, in its currency, between numbers of its country.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.entry.cli.command_line import Cast, Ran, Smsc, TourProvider, tallystick

from tallystick.entry.cli.console import FOUND_SOMETHING
from tallystick.entry.gating import start_of
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.process.policy import read_policy
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import (
    CALLING_CODES,
    PROFILES,
    profile_currency,
    profile_text,
)
from tallystick.process.risk.analysis import Options, analyse
from tallystick.process.risk.packs import pack_for
from tallystick.protocol.operators import ActivatePolicy
from tallystick.protocol.payments import PaymentKind

pytest.importorskip("highspy", reason="the extra risk is not installed")
CURRENCIES = {
    "mobile-money-operator": "KES",
    "wallet-start-up": "EUR",
    "bank-app": "EUR",
    "merchant-acquirer": "ZAR",
}


@dataclass
class Life:
    """A provider of one profile after its first payment under its own policy."""

    profile: str
    provider: TourProvider
    secret: Path
    paid: Any

    @property
    def folder(self) -> Path:
        return self.provider.folder.root

    def sign(self, officer: str, target: Path) -> Ran:
        return tallystick(
            "policy", "sign", self.folder / "policy.derived.yaml", "--officer", officer,
            "--key-file", self.folder / "offline" / f"{officer}.key",
            "--secret-file", self.secret, "--out", target,
        )  # fmt: skip


@pytest.fixture(scope="module", params=PROFILES)
def life(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    name = request.param
    place = tmp_path_factory.mktemp(name)
    smsc = Smsc()
    provider = TourProvider(place, Es256SigningKey.generate(), smsc)
    lived = Life(name, provider, place / "secret", None)
    try:
        _live(lived, smsc)
        yield lived
    finally:
        provider.stop()
        smsc.close()


def _live(lived: Life, smsc: Smsc) -> None:
    provider, code = lived.provider, CALLING_CODES[lived.profile]
    codes = provider.set_up("--profile", lived.profile, "--provider", "lived-wallet")
    derived = lived.folder / "policy.derived.yaml"
    if not derived.exists():  # set-up gave up on a slow machine, and named these
        assert tallystick("risk", "run", lived.folder).code in {0, FOUND_SOMETHING}
        made = tallystick("policy", "derive", lived.folder, "--out", derived)
        assert made.code == 0, made.all
    assert lived.sign("officer-1", lived.folder.parent / "signed.json").code == 0
    signed = lived.sign("officer-2", lived.folder.parent / "signed.json")
    assert "signed by 2 officers" in signed.out, signed.all
    url = provider.serve()
    settings = provider.folder.settings()
    cast = Cast(
        url, settings.provider, settings.origin, settings.root.verify_key(), smsc, SystemClock(),
        currency=settings.currency,
    )  # fmt: skip
    try:
        for role, one in codes:
            cast.join(role, Secret(one))
        payer = cast.person(f"+{code}700000001", "Ann", funds=500_00)
        payee = cast.person(f"+{code}700000002", "Ben")
        body = ActivatePolicy(envelope=(lived.folder.parent / "signed.json").read_text())
        first, second = cast.operators["security-officer"][:2]
        waiting = first.act("activate-policy", body)
        done = second.act("activate-policy", body, approves=waiting.act)
        assert "version 2 is in force" in done.says
        lived.paid = payer.wallet.pay(
            PaymentKind.P2P, payee.number, Money(25_00, settings.currency)
        )
    finally:
        cast.close()


def test_a_payment_is_decided_by_the_derived_policy(life: Life) -> None:
    derived = read_policy((life.folder / "policy.derived.yaml").read_text(encoding="utf-8"))
    programme = read_programme((life.folder / "mfs.yaml").read_text(encoding="utf-8"))
    own = CURRENCIES[life.profile]
    assert derived.header.currency == programme.offer.currency == own
    assert life.paid.verified.event.p["currency"] == own
    event = life.paid.verified.event
    assert event.policy == derived.header.version == 2
    assert event.p["row"] in {row.id for row in derived.decisions}


def test_its_gate_is_open(life: Life) -> None:
    start = start_of(life.provider.folder, SystemClock().now())
    assert start is not None
    assert start.gate.missing == ()
    assert start.gate.met
    told = tallystick("doctor", life.folder)
    assert "start gate" in told.out
    assert "requirements met by controls" in told.out


def test_it_is_proved_and_bundled_and_reported(life: Life, tmp_path: Path) -> None:
    life.provider.stop()
    proved = tallystick("prove", life.folder, "--secret-file", life.secret)
    assert " probes passed, " in proved.out, proved.all
    made = tallystick(
        "bundle", "make", life.folder, tmp_path / "bundle", "--officer", "officer-1",
        "--key-file", life.folder / "offline" / "officer-1.key", "--secret-file", life.secret,
    )  # fmt: skip
    assert made.code == 0, made.all
    checked = tallystick("bundle", "verify", tmp_path / "bundle", "--settings", life.folder)
    assert "the bundle verifies" in checked.out, checked.all
    page, numbers = tmp_path / "report.html", tmp_path / "report.json"
    told = tallystick(
        "report", life.folder, "--out", page, "--json", numbers, "--years", 300, "--no-history"
    )
    assert told.code == 0, told.all
    assert json.loads(numbers.read_bytes())["versions"]["policy_version"] == 2


def test_every_profile_has_its_currency_and_calling_code() -> None:
    assert {name: profile_currency(name) for name in PROFILES} == CURRENCIES
    assert set(CALLING_CODES) == set(PROFILES)


# What the years of the examples come to; each programme says in its comments what was assumed.
KEEPS = ("mobile-money-operator", "wallet-start-up", "merchant-acquirer")


@pytest.mark.parametrize("name", PROFILES)
def test_three_examples_keep_their_appetite_and_the_bank_shows_a_gap(name: str) -> None:
    text = profile_text(name)
    found = read_programme(text)
    pack = pack_for(found.uses)
    loss = analyse(found, pack, options=Options(years=10_000)).loss
    assert loss.within == (name in KEEPS), loss.curve.percentiles
    assert ("on purpose" in text) == (name not in KEEPS)
