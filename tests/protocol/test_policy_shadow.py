"""A policy in shadow decides beside the one in force, changes nothing, is enforced as it runs."""

import time
from pathlib import Path

import pytest
from tests.support.metrics import exposition
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import DEMO

from tallystick.client.wallet import Refusal
from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.operators import ActivatePolicy, ActReply, ShadowPolicy
from tallystick.protocol.payments import PaymentKind

_WATCHED = ("tallystick_policy_version", "tallystick_shadow_")
STRICTER = (
    (
        "p2p, cash-out], payee_known: false}\n    per_payment: 10_000_000",
        "p2p, cash-out]}\n    per_payment: 60_000",
    ),
    ("unknown-payee, per_payment: 2_000_000", "unknown-payee, per_payment: 20_000"),
)


def signed(provider: Served, version: int, *changes: tuple[str, str]) -> str:
    text = DEMO.read_text(encoding="utf-8").replace("version: 1\n", f"version: {version}\n")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    offline = provider.folder.root / "offline" / "officer-1.key"
    officer = open_officer_key(offline, provider.secret)
    return encode_canonical(sign_policy(text, "officer-1", officer)).decode()


def by_two(provider: Served, name: str, body: ActivatePolicy | ShadowPolicy) -> ActReply:
    first, second = provider.operators["security-officer"][:2]
    waiting = first.act(name, body)
    assert waiting.state == "waiting"
    return second.act(name, body, approves=waiting.act)


def metrics(provider: Served) -> dict[str, int]:
    lines = (line.rpartition(" ") for line in exposition(provider).splitlines())
    return {name: int(value) for name, _, value in lines if name.startswith(_WATCHED)}


def noted(provider: Served) -> list[bytes]:
    """Lines of the log about the shadow, once one was written."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = b"".join(provider.log).splitlines()
        found = [line for line in lines if b"the policy in shadow" in line]
        if found:
            return found
        time.sleep(0.1)
    return []


def pay(provider: Served, payer: object, payee: str, minor: int) -> None:
    payer.wallet.pay(PaymentKind.P2P, payee, Money(minor, "KES"))  # type: ignore[attr-defined]


@pytest.mark.requirement("MFS-6.1-01")
def test_differences_are_counted_and_noted_and_nothing_else_changes(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        ann = provider.person("+254700000001", "Ann", funds=1_000_000)
        ben = provider.person("+254700000002", "Ben")
        envelope = signed(provider, 2, *STRICTER)
        done = by_two(provider, "shadow-policy", ShadowPolicy(envelope=envelope))
        assert "version 2 decides in shadow" in done.says
        for minor in (50_000, 70_000, 80_000):
            pay(provider, ann, ben.number, minor)
        found = metrics(provider)
        assert found["tallystick_policy_version"] == 1
        assert found["tallystick_shadow_policy_version"] == 2
        assert found["tallystick_shadow_differences_total"] == 2
        assert found["tallystick_shadow_decisions_total"] >= 3
        notes = noted(provider)
        assert len(notes) == 1
        assert b'"would_be":"deny"' in notes[0]
        assert b'"shadow_row":"unknown-payee"' in notes[0]
        done = by_two(provider, "activate-policy", ActivatePolicy(envelope=envelope))
        assert "version 2 is in force" in done.says
        assert metrics(provider)["tallystick_shadow_policy_version"] == 0
        with pytest.raises(Refusal):
            pay(provider, ann, ben.number, 70_000)
        pay(provider, ann, ben.number, 60_000)


def test_a_shadow_outlives_a_start_and_can_be_ended(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        envelope = signed(provider, 2, *STRICTER)
        by_two(provider, "shadow-policy", ShadowPolicy(envelope=envelope))
        folder, secret = provider.folder, provider.secret
    platform = open_platform(folder, secret)
    try:
        assert platform.desks.policy.version == 1
        assert platform.desks.policy.shadow_version == 2
    finally:
        platform.close()


def test_a_shadow_is_ended_by_an_empty_file(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        envelope = signed(provider, 2, *STRICTER)
        by_two(provider, "shadow-policy", ShadowPolicy(envelope=envelope))
        done = by_two(provider, "shadow-policy", ShadowPolicy())
        assert done.says == "no policy decides in shadow"
        assert provider.platform.desks.policy.shadow_version == 0


@pytest.mark.threat("THR-INS-05")
def test_what_is_put_in_shadow_is_signed_newer_and_proved(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        old = signed(provider, 1)
        with pytest.raises(MfsError) as refused:
            by_two(provider, "shadow-policy", ShadowPolicy(envelope=old))
        assert refused.value.code == "conflict"
        forged = signed(provider, 2).replace('"officer-1"', '"officer-2"')
        with pytest.raises(MfsError) as refused:
            by_two(provider, "shadow-policy", ShadowPolicy(envelope=forged))
        assert refused.value.code == "not-authentic"
        assert provider.platform.desks.policy.shadow_version == 0
