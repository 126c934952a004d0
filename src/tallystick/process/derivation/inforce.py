"""Which words of controls a policy in force honours, and by which row, limit or section.

A policy that a person wrote counts like a derived one, as long as it has the row under its name.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.process.derivation.rules import Rules
from tallystick.process.policy.language.model import Policy

_MOST_FAILURES: Final = 5


def words_in_force(policy: Policy, rules: Rules) -> dict[str, str]:
    """Each word that `policy` honours, with what honours it.

    A row honours every word that asks for it. Other words are sections of the policy.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    there = {one.id for one in policy.limits} | {one.id for one in policy.decisions}
    found: dict[str, str] = {}
    for rule in (*rules.limits, *rules.decisions):
        if rule.id in there:
            for word in rule.emitters:
                found.setdefault(word, f"row {rule.id}")
    for word, section in _SECTIONS.items():
        says = section(policy)
        if says:
            found.setdefault(word, says)
    return found


def _two_factors(policy: Policy) -> str:
    rule = policy.factors.get("pay")
    return "factors: pay" if rule is not None and rule.categories >= 2 else ""


def _attempts(policy: Policy) -> str:
    rule = policy.attempts
    return "attempts" if 0 < rule.limit <= _MOST_FAILURES and rule.block_ms else ""


def _idle(policy: Policy) -> str:
    return "sessions: idle" if all(one.idle_ms for one in policy.sessions.values()) else ""


def _life(policy: Policy) -> str:
    return "sessions: absolute" if all(one.absolute_ms for one in policy.sessions.values()) else ""


def _quotes(policy: Policy) -> str:
    return "quotes" if policy.quote_life_ms else ""


def _attestation(policy: Policy) -> str:
    rule = policy.dependencies.get("attestation")
    bounded = rule is not None and (rule.on_failure == "closed" or rule.stale_for_ms)
    return "devices: proofs" if bounded and policy.devices.proofs.calm_ms else ""


def _tiers(policy: Policy) -> str:
    tiers = [one.id for one in policy.limits if any(words.field == "tier" for words in one.words)]
    return f"limits: {', '.join(tiers)}" if tiers else ""


def _two_operators(policy: Policy) -> str:
    return "operators: two people" if policy.operators.two_people else ""


def _hybrid(policy: Policy) -> str:
    return "handshake" if policy.handshake.preferred.startswith("hpke-mlkem") else ""


def _closed(policy: Policy) -> str:
    closed = [name for name, one in policy.dependencies.items() if one.on_failure == "closed"]
    return f"dependencies: {', '.join(closed)}" if closed else ""


_SECTIONS: Final[Mapping[str, Callable[[Policy], str]]] = {
    "two-factors": _two_factors,
    "attempts-limit": _attempts,
    "idle-timeout": _idle,
    "session-life": _life,
    "quote-life": _quotes,
    "attestation-age": _attestation,
    "tier-limits": _tiers,
    "two-operators": _two_operators,
    "hybrid-suites": _hybrid,
    "dependency-closed": _closed,
}
