"""The TypeScript client under a policy of the hybrid suite alone: enrols, pays, never goes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.served import Person, Served, served
from tests.support.typescript import built, customer, device

from tallystick.entry.setup import demo_policy

EVERY = "suites: [hpke-mlkem768-x25519, hpke-x25519, hpke-p256]"
CLASSICAL = ["hpke-x25519", "hpke-p256"]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    built()
    assert EVERY in demo_policy()
    text = demo_policy().replace(EVERY, "suites: [hpke-mlkem768-x25519]")
    with served(tmp_path_factory.mktemp("hybrid") / "p", policy_text=text) as provider:
        yield provider


@pytest.fixture(scope="module")
def ben(provider: Served) -> Person:
    return provider.person("+254700000002", "Ben Otieno Payee")


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.3.2-06")
@pytest.mark.threat("THR-NET-05")
def test_it_enrols_and_pays_and_what_it_met_it_demands(
    provider: Served, ben: Person, tmp_path: Path
) -> None:
    state, payment = tmp_path / "device.json", {"payee": ben.number, "amount": 2_500}
    first = device(provider, state, **payment, **customer(provider, "+254700000001"))
    assert first.get("balance") == 97_500, first
    assert first["hybrid"] is True
    assert ben.wallet.receipt(first["order"]).disclosed["amount_minor"] == 2_500
    again = device(provider, state, **payment)
    assert again.get("balance") == 95_000, again
    back = device(provider, state, **payment, suites=CLASSICAL)
    assert back["error"] == "upgrade-required"
    assert ben.wallet.account().available_minor == 5_000


@pytest.mark.requirement("MFS-7.4.2-12")
def test_without_an_ml_kem_it_is_refused_and_says_so(
    provider: Served, ben: Person, tmp_path: Path
) -> None:
    asked = customer(provider, "+254700000003")
    payment = {"payee": ben.number, "amount": 2_500}
    refused = device(provider, tmp_path / "d.json", **payment, **asked, suites=CLASSICAL)
    assert refused["error"] == "not-permitted"
    assert "suite" in refused["detail"]
    assert refused["hybrid"] is False
    taken = device(provider, tmp_path / "d.json", **payment, **asked)
    assert taken.get("balance") == 97_500, taken
