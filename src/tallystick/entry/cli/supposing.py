"""Facts as people type them: `amount=250.50`, `device_age=3d`, `payee_known=no`.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from tallystick.entry.cli.console import table
from tallystick.kernel.codec import from_plain, to_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import field_names
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tallystick.process.policy.explain import Tried
from tallystick.process.policy.explain import in_words as duration_in_words
from tallystick.process.policy.facts import FOREVER, VOCABULARY, Facts

_UNITS = {"ms": 1, "s": SECOND_MS, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_DURATION = re.compile(r"(\d{1,12})(ms|s|min|h|d)")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_DAY = 86_400_000

_ORDINARY: dict[str, Any] = {
    "operation": "pay",
    "kind": "p2p",
    "channel": "app",
    "grade": "device-signed-attested",
    "tier": 2,
    "device_trust": "attested-hardware",
    "account_status": "active",
    "factors": ["possession", "knowledge"],
    "amount_minor": 10_000,
    "payee_known": False,
    "device_age_ms": 90 * _DAY,
    "account_age_ms": 90 * _DAY,
    "sim_age_ms": FOREVER,
}
"""A payment that nobody wonders about."""


def suppose(given: Iterable[str], currency: str) -> Facts:
    """The facts of an ordinary payment with `given` (NAME=VALUE) in their place.

    Raises Malformed for a name or value that a policy does not know, with what it may be.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.2
    """
    plain = {**_ORDINARY, "currency": currency}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise Malformed(f"{one[:40]!r} is not NAME=VALUE", remedy="--facts channel=ussd")
        field, read = _reader(name.strip().replace("-", "_"), currency)
        plain[field] = read(value.strip())
    return from_plain(plain, Facts)


def in_words(facts: Facts) -> list[tuple[str, str]]:
    """The facts that differ from their defaults, each as a name and a value for people.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return [(name, _spoken(name, value)) for name, value in to_plain(facts).items()]


def say_stood(stood: Iterable[Tried]) -> None:
    """Print the steps of incentives that touch a payment; nothing where there are none.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = [(one.row, "lets pass" if one.matched else "refuses", one.says) for one in stood]
    if rows:
        table("\nsteps of incentives", ("incentive", "", "step"), rows)


def _spoken(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return duration_in_words(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    return ", ".join(one if isinstance(one, str) else ":".join(map(str, one)) for one in value)


def _reader(name: str, currency: str) -> tuple[str, Callable[[str], Any]]:
    """The field that `name` stands for, and how its value is read."""
    if name == "amount":
        return "amount_minor", lambda value: Money.parse(value, currency).minor
    if name == "time_of_day":
        return "minute_of_day", _minute
    field = name if name in field_names(Facts) else f"{name}_ms"
    if field not in field_names(Facts):
        known = [*(one.removesuffix("_ms") for one in field_names(Facts)), "amount", "time_of_day"]
        near = get_close_matches(name, known) or sorted(known)
        raise Malformed(f"no fact is called {name[:40]!r}", remedy=f"use {' or '.join(near)}")
    if field in VOCABULARY:
        return field, lambda value: _word(field, value)
    if field in _LISTED:
        return field, _LISTED[field]
    if field in {"currency", "operator_role", "act"}:
        return field, str
    return field, _duration if field.endswith("_ms") else _number


def _word(field: str, value: str) -> Any:
    words = VOCABULARY[field] if field != "operation" else (*VOCABULARY[field], "operate")
    meant: Any = _WORDS.get(value, value) if False in words else value
    if meant not in words:
        known = ["no", "yes"] if False in words else [str(word) for word in words]
        near = get_close_matches(value, known) or known
        raise Malformed(f"{field} is not {value[:40]!r}", remedy=f"use {' or '.join(near)}")
    return meant


def _number(value: str) -> int:
    if not value.isdigit() or len(value) > 18:
        raise Malformed(f"{value[:40]!r} is not a number")
    return int(value)


def _duration(value: str) -> int:
    found = _DURATION.fullmatch(value)
    return _number(value) if found is None else int(found[1]) * _UNITS[found[2]]


def _minute(value: str) -> int:
    found = _TIME.fullmatch(value)
    if found is None:
        raise Malformed(f"{value[:40]!r} is not a time of day", remedy="write 08:00 or 23:30")
    return int(found[1]) * 60 + int(found[2])


def _factors(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _degraded(value: str) -> list[list[Any]]:
    """Each `dependency:since`, such as `sim-signal:5min`."""
    pairs = (one.partition(":") for one in value.split(",") if one)
    return [[name, _duration(since or "0")] for name, _, since in pairs]


def _steps(value: str) -> list[list[Any]]:
    """Each `incentive:step`, such as `agents:1`."""
    pairs = (one.partition(":") for one in value.split(",") if one)
    return [[name.strip(), _number(step.strip() or "0")] for name, _, step in pairs]


_LISTED: dict[str, Callable[[str], Any]] = {
    "factors": _factors,
    "degraded": _degraded,
    "steps": _steps,
}
