"""A candidate policy on recorded facts: what would have come out otherwise, without a name."""

import json
from pathlib import Path

import pytest
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import DEMO, tallystick

from tallystick.client.wallet import Refusal
from tallystick.kernel.money import Money
from tallystick.protocol.operators import EraseSubject
from tallystick.protocol.payments import PaymentKind


def candidate(folder: Path, old: str, new: str) -> Path:
    text = DEMO.read_text(encoding="utf-8").replace("version: 1\n", "version: 2\n")
    assert text.count(old) == 1
    file = folder / "candidate.yaml"
    text = text.replace(old, new)
    text = text.replace(
        "unknown-payee, per_payment: 2_000_000", "unknown-payee, per_payment: 20_000"
    )
    file.write_text(text, encoding="utf-8")
    return file


def replayed(provider: Served, folder: Path, file: Path, *more: str) -> dict[str, object]:
    secret = folder / "secret"
    secret.write_bytes(provider.secret.reveal())
    secret.chmod(0o600)
    ran = tallystick(
        "policy", "replay", file, "--provider", provider.folder.root, "--secret-file", secret,
        "--json", *more,
    )  # fmt: skip
    assert ran.code == 0, ran.all
    told: dict[str, object] = json.loads(ran.out)
    plain = tallystick(
        "policy", "replay", file, "--provider", provider.folder.root, "--secret-file", secret, *more
    )
    for personal in ("+254", "Ann", "Ben", "ord_", "acc_", "cus_"):
        assert personal not in ran.out + plain.out
    return told


@pytest.mark.requirement("MFS-6.1-01")
def test_flips_are_counted_by_row_with_their_value(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        ann = provider.person("+254700000001", "Ann", funds=1_000_000)
        ben = provider.person("+254700000002", "Ben")
        for shillings in (100, 700, 800):
            ann.wallet.pay(PaymentKind.P2P, ben.number, Money(shillings * 100, "KES"))
        with pytest.raises(Refusal):
            ben.wallet.pay(PaymentKind.P2P, ann.number, Money(99_999_999, "KES"))
        file = candidate(
            tmp_path,
            "p2p, cash-out], payee_known: false}\n    per_payment: 10_000_000",
            "p2p, cash-out]}\n    per_payment: 60_000",
        )
        told = replayed(provider, tmp_path, file)
        assert (told["candidate"], told["versions"]) == (2, [1])
        assert told["decisions"] == 4
        assert told["unlike"] == 0
        assert told["flips"] == [
            {
                "was": "allow",
                "now": "deny",
                "before": "person-signed",
                "after": "unknown-payee",
                "count": 2,
                "value_minor": 150_000,
            }
        ]
        assert replayed(provider, tmp_path, file, "--last", "2")["decisions"] == 2
        assert replayed(provider, tmp_path, DEMO)["flips"] == []


def test_the_facts_of_an_erased_payer_are_not_read(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        ann = provider.person("+254700000001", "Ann", funds=10_000)
        ben = provider.person("+254700000002", "Ben")
        ann.wallet.pay(PaymentKind.P2P, ben.number, Money(10_000, "KES"))
        first, second = provider.operators["privacy-officer"][:2]
        body = EraseSubject(customer=ann.customer, because="asked for")
        waiting = first.act("erase-subject", body)
        second.act("erase-subject", body, approves=waiting.act)
        told = replayed(provider, tmp_path, DEMO)
        assert (told["decisions"], told["unread"]) == (0, 1)
