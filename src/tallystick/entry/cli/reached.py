"""Tables of who may pay less, and of whom a proposed policy would touch, for the command line.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.3
"""

from collections.abc import Sequence

from tallystick.entry.cli.console import say, table
from tallystick.entry.fleet import ShutOut
from tallystick.entry.reaching import Touches, Tried, lost
from tallystick.kernel.money import Money
from tallystick.process.policy.facts import FOREVER


def say_shut_out(found: Sequence[ShutOut], currency: str) -> None:
    """Print who may pay less than with a proven device, and by which clause.

    Source: ISO/TS 12812-2:2017, 7.3.3; 8.1.1
    """
    rows = [
        (
            one.people.called,
            one.people.tier,
            one.people.devices,
            one.people.customers,
            one.reach.kind,
            amount(one.reach.most_minor, currency),
            amount(one.full_minor, currency),
            f"{one.reach.by} ({one.reach.outcome})",
        )
        for one in found
    ]
    columns = ("trust", "tier", "devices", "customers", "payment", "at most", "proven", "clause")
    if rows:
        table("who may pay less", columns, rows)


def say_touches(found: Touches, version: int, currency: str) -> None:
    """Print whom a proposed policy gives less than the one in force.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    if not found.version:
        say("no policy is in force: there is nothing to compare with")
        return
    if not found.narrowed:
        say(f"version {version} gives nobody less than version {found.version}, which is in force")
        return
    touched = {
        (one.people.trust, one.people.tier, one.people.factors): one.people
        for one in found.narrowed
    }
    devices = sum(one.devices for one in touched.values())
    customers = sum(one.customers for one in touched.values())
    say(
        f"version {version} gives less than version {found.version} to customers of these classes:"
        f" {customers} of {sum(one.customers for one in found.people)} customers,"
        f" {devices} of {sum(one.devices for one in found.people)} devices"
    )
    rows = [
        (
            one.people.called,
            one.people.tier,
            one.people.devices,
            one.people.customers,
            one.was.kind,
            amount(one.was.most_minor, currency),
            amount(one.now.most_minor, currency),
            f"{one.now.by} ({one.now.outcome})",
        )
        for one in found.narrowed
    ]
    columns = ("trust", "tier", "devices", "customers", "payment", "now", "then", "clause")
    table("who may pay less", columns, rows)
    say(
        "the most in one payment, to a payee who was paid before, at noon, by an account long known"
    )


def say_tried(found: Tried) -> None:
    """Print what a proposed policy of appraisal makes of the devices.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """
    say(
        f"{found.devices} active devices, {found.judged} judged again from their evidence:"
        f" {lost(found.changed)} would lose full trust"
    )
    names = sorted({*found.before, *found.after})
    rows = [(name, found.before.get(name, 0), found.after.get(name, 0)) for name in names]
    table("trust", ("trust", "devices now", "devices then"), rows)
    changed = [
        (
            one.attested,
            one.kept_in,
            f"{one.was} -> {one.now}",
            one.devices,
            one.customers,
            " ".join(one.rules) or "every rule holds",
        )
        for one in found.changed
    ]
    if changed:
        columns = ("attested by", "keys kept in", "trust", "devices", "customers", "rules")
        table("whose trust changes", columns, changed)


def amount(minor: int, currency: str) -> str:
    """An amount for people; what has no bound and what is nothing in a word.

    Source: ISO 4217
    """
    if minor >= FOREVER:
        return "no bound"
    return str(Money(minor, currency)) if minor else "nothing"
