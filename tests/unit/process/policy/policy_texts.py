"""The demonstration policy and facts to ask it about."""

from functools import cache
from pathlib import Path

import tallystick.process.policy
from tallystick.process.policy import CompiledPolicy, Facts, compile_policy, read_policy

DEMO = Path(tallystick.process.policy.__file__).parent / "defaults" / "demo.yaml"
YEAR_MS = 365 * 86_400_000


@cache
def demo_text() -> str:
    return DEMO.read_text(encoding="utf-8")


@cache
def demo() -> CompiledPolicy:
    return compile_policy(read_policy(demo_text()))


def changed(old: str, new: str) -> str:
    """The demonstration policy with one passage replaced; the passage must stand there once."""
    assert demo_text().count(old) == 1, old
    return demo_text().replace(old, new)


def payment(**changes: object) -> Facts:
    """A payment that nothing speaks against, with `changes`."""
    facts: dict[str, object] = {
        "operation": "pay",
        "channel": "app",
        "tier": 1,
        "device_trust": "attested-hardware",
        "account_status": "active",
        "kind": "p2p",
        "grade": "device-signed-attested",
        "factors": ("possession", "inherence"),
        "amount_minor": 150_000,
        "currency": "KES",
        "payee_known": True,
        "device_age_ms": YEAR_MS,
        "account_age_ms": YEAR_MS,
    }
    return Facts(**({"factor_age_ms": 0} | facts | changes))  # type: ignore[arg-type]


SIGNED = {"grade": "device-signed", "device_trust": "software"}
DIALLED = {
    "channel": "ussd",
    "grade": "pin-verified",
    "device_trust": "none",
    "factors": ("possession", "knowledge"),
}
AGENT = {"tier": 3, "kind": "cash-in", "grade": "device-signed", "device_trust": "software"}
OPERATORS = {"channel": "operator", "grade": "two-operators", "device_trust": "none"}
