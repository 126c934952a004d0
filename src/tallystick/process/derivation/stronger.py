"""A policy for a service that lost controls: the values that answer what rose become stronger.

    the next profile's value where there is one and it differs
    else one step more in the direction in which the profiles go; amounts and lives are halved,
    pauses doubled
    proofs of devices are never older than the policy in force takes them

Rows stay: whatever a lost control asked for is asked for all the same. Caps follow from the attacks
that may succeed with the controls that are left.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; A
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from tallystick.kernel.model import replace
from tallystick.process.derivation.amounts import (
    CapReason,
    caps_for_appetite,
    duration,
    rounded,
)
from tallystick.process.derivation.basis import controls_in, successes_of
from tallystick.process.derivation.derive import EMITTER, Basis
from tallystick.process.derivation.rules import PROFILES, Rules, values_named
from tallystick.process.risk.model import Pack
from tallystick.process.yamltext.section import duration_ms

T = TypeVar("T")

_PROOFS: Final[Mapping[str, str]] = {
    "proof_calm": "calm_ms",
    "proof_raised": "raised_ms",
    "proof_high": "high_ms",
    "proof_lowered": "lowered_ms",
}
"""How old a proof of a device may be, by value, with the field of the policy in force."""

_TIERS: Final = "tier-limits"
_SECTION_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "idle-timeout": ("idle",),
    "session-life": ("app_life", "desk_life"),
    "quote-life": ("quote_life",),
    "attempts-limit": ("attempts", "block", "activation_tries"),
    "attestation-age": ("attestation_stale", "revocation_stale", *_PROOFS),
    "dependency-closed": ("degraded",),
}
"""Values of sections, which no row names, by the word that asks for them."""


_LEAST_MS: Final[Mapping[str, int]] = {"idle": 90_000, **dict.fromkeys(_PROOFS, 60_000)}
"""A session that is typed into lives longer than a dialled one, which ends after a minute; and the
proof that an order was answered with has to be fresh when its customer agrees to it."""


def answering(rules: Rules, pack: Pack, threats: Iterable[str]) -> frozenset[str]:
    """The values that answer threat rules: those of rows that a control asks for that hinders one.

    Where no value does, the amounts of the tiers: less is at stake then, whatever the way.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    hindering = {name for threat in threats for name in controls_in(pack.rules[threat].tree)}
    words = {
        word.removeprefix(EMITTER)
        for name in hindering & pack.controls.keys()
        for word in pack.controls[name].enforced_by
        if word.startswith(EMITTER)
    }
    found = {
        name
        for rule in (*rules.limits, *rules.decisions)
        if words & set(rule.emitters)
        for name in values_named(rule.row)
    }
    found |= {name for word in words for name in _SECTION_VALUES.get(word, ())}
    if _TIERS in words or not found:
        found |= {name for name in rules.amounts if name.startswith("tier_")}
    return frozenset(found)


def stronger(
    rules: Rules, pack: Pack, basis: Basis, left: frozenset[str], threats: Iterable[str]
) -> tuple[Rules, Basis]:
    """Rules and basis with stronger values for `threats`, where only the controls `left` are there.

    Raises Unavailable without the extra `risk`.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    names = answering(rules, pack, threats)
    column = PROFILES.index(basis.profile)
    changed = replace(
        rules,
        values={
            name: _put(row, column, _kept(name, _answer(name, row, column, names), basis))
            for name, row in rules.values.items()
        },
        numbers={
            name: _put(row, column, _stronger_number(row, column)) if name in names else row
            for name, row in rules.numbers.items()
        },
        amounts={
            name: _put(row, column, _stronger_amount(row, column)) if name in names else row
            for name, row in rules.amounts.items()
        },
    )
    return changed, replace(basis, caps=_caps(rules, pack, basis, left, names))


def _answer(name: str, row: tuple[str, ...], column: int, names: frozenset[str]) -> str:
    return _stronger_value(name, row, column) if name in names else row[column]


def _kept(name: str, value: str, basis: Basis) -> str:
    """`value`, or that of the policy in force where a proof is fresher there."""
    if name not in _PROOFS or basis.chosen is None:
        return value
    before: int = getattr(basis.chosen.devices.proofs, _PROOFS[name])
    return duration(before) if 0 < before < (duration_ms(value) or 0) else value


def _put(row: tuple[T, ...], column: int, value: T) -> tuple[T, ...]:
    return (*row[:column], value, *row[column + 1 :])


def _next(row: Sequence[T], column: int) -> T | None:
    later = [one for one in row[column + 1 :] if one != row[column]]
    return later[0] if later else None


def _stronger_value(name: str, row: tuple[str, ...], column: int) -> str:
    following = _next(row, column)
    if following is not None:
        return following
    first, here = duration_ms(row[0]) or 0, duration_ms(row[column]) or 0
    return duration(here * 2 if here > first else max(_LEAST_MS.get(name, 1_000), here // 2))


def _stronger_number(row: tuple[int, ...], column: int) -> int:
    following = _next(row, column)
    if following is not None:
        return following
    before = next((one for one in reversed(row[:column]) if one != row[column]), row[column])
    return max(1, row[column] + (row[column] - before))


def _stronger_amount(row: tuple[int, ...], column: int) -> int:
    following = _next(row, column)
    return max(1, row[column] // 2) if following is None else following


def _caps(
    rules: Rules, pack: Pack, basis: Basis, left: frozenset[str], names: frozenset[str]
) -> dict[str, CapReason]:
    """Caps by the attacks that may succeed now; one that answers what rose is at most half."""
    average = basis.programme.offer.average_payment.minor
    chosen = basis.controls
    successes = successes_of(rules, basis.programme, pack, chosen, left)
    anew = caps_for_appetite(rules, basis.programme, successes)
    found: dict[str, CapReason] = {}
    for name, before in basis.caps.items():
        cap = min(anew[name], before, key=lambda one: one.amount)
        half = max(min(average, before.amount), rounded(before.amount // 2))
        if name in names and cap.amount > half:
            cap = CapReason(amount=half, because=f"half of what it was: {cap.because}"[:200])
        found[name] = cap
    return found
