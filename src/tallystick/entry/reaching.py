"""Whom a proposed policy would give less, before anybody signs it: customers and devices by class.

    a policy               asked for every class of people that there is, as the one in force is
    a policy of appraisal  every device judged again from the evidence that was kept with it

Nothing is stored and nothing names a customer.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1; 7.2.6; 14.2.2
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.application.deviceproofs import categories_of
from tallystick.application.devices import Attesting
from tallystick.application.devices.store import KeptDevice, kept_devices
from tallystick.application.fleet.store import (
    people_by_trust,
    people_without_device,
    showers,
)
from tallystick.application.policing.store import last_policy
from tallystick.application.proving.service import PROVING
from tallystick.entry.inforce import kept_measures, signed_policy
from tallystick.infrastructure.store.database import Connection, Reader
from tallystick.kernel.model import Record
from tallystick.process.attestation.model import read_appraisals
from tallystick.process.policy.compile import CompiledPolicy, recompile
from tallystick.process.policy.facts import DeviceTrust, Factor
from tallystick.process.policy.reach import Narrowed, People, counts_as_shown, narrowed
from tallystick.process.policy.tightening import effective

PAGE: Final = 500
"""Devices that are read at once, so that a large fleet is never in memory whole."""

_KEPT: Final = b"["
_FULL: Final = DeviceTrust.ATTESTED_HARDWARE.value


class Touches(Record, frozen=True, kw_only=True):
    """Whom a proposed policy would give less than the one in force, of all `people`.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    version: int
    people: tuple[People, ...]
    narrowed: tuple[Narrowed, ...]


class TriedClass(Record, frozen=True, kw_only=True):
    """Devices of one form and place of keys whose trust would change from `was` to `now`.

    `rules` counts the rules that would not hold for them.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """

    attested: str
    kept_in: str
    was: str
    now: str
    devices: int
    customers: int
    rules: dict[str, int]


class Tried(Record, frozen=True, kw_only=True):
    """All active devices under a proposed policy of appraisal: `judged` had evidence.

    `before` and `after` count devices by trust.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """

    devices: int
    judged: int
    before: dict[str, int]
    after: dict[str, int]
    changed: tuple[TriedClass, ...]


def policy_in_force(reader: Connection) -> CompiledPolicy | None:
    """The policy in force in the store behind `reader`, with its tightenings; None before any.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    last = last_policy(reader)
    if last is None:
        return None
    base = signed_policy(reader, last[0])[0]
    steps = [one.step for one in kept_measures(reader) if one.version == last[0] and not one.until]
    return recompile(effective(base, steps) if steps else base)


def touched_by(reader: Connection, now: CompiledPolicy) -> Touches:
    """Whom `now` would give less than what is in force; before any policy that is nobody.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    was = policy_in_force(reader)
    people = people_for(reader, *(one for one in (was, now) if one is not None))
    known = [] if was is None else [
        one for one in people if one.tier in was.policy.tiers and one.tier in now.policy.tiers
    ]  # fmt: skip
    return Touches(
        version=0 if was is None else was.version,
        people=people,
        narrowed=() if was is None else narrowed(was, now, known),
    )


def people_for(reader: Reader, *policies: CompiledPolicy) -> tuple[People, ...]:
    """All people by class; by the factors that they can show too, where a policy counts those.

    A customer with devices of several classes counts in each.
    Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.2; 14.2.2
    """
    if not any(counts_as_shown(one) for one in policies):
        return tuple(people_by_trust(reader, PROVING))
    devices: Counter[tuple[str, int, tuple[str, ...]]] = Counter()
    customers: Counter[tuple[str, int, tuple[str, ...]]] = Counter()
    seen: set[tuple[str, int, tuple[str, ...]]] = set()
    whose = ""
    for customer, name in _shown(reader):
        if customer != whose:
            seen.clear()
        whose = customer
        devices[name] += 1
        customers[name] += name not in seen
        seen.add(name)
    counted = (
        People(trust=name[0], tier=name[1], devices=many, customers=customers[name],
               factors=name[2])
        for name, many in sorted(devices.items())
    )  # fmt: skip
    return (*counted, *people_without_device(reader, PROVING))


def _shown(reader: Reader) -> Iterator[tuple[str, tuple[str, int, tuple[str, ...]]]]:
    """The customer and the class of every active device, customer by customer."""
    last = ("", "")
    while rows := showers(reader, last, PAGE, PROVING):
        for one in rows:
            knows = (Factor.KNOWLEDGE.value,) if one.pin else ()
            yield one.customer, (one.trust, one.tier, (*categories_of(one.attestation), *knows))
        last = (rows[-1].customer, rows[-1].device)


def tried(reader: Reader, proposed: Attesting) -> Tried:
    """Every active device judged by `proposed` from the evidence kept with it.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    rows: Counter[tuple[str, str, str, str]] = Counter()
    people: dict[tuple[str, str, str, str], set[str]] = {}
    rules: dict[tuple[str, str, str, str], Counter[str]] = {}
    judged = 0
    for one in _devices(reader):
        before[one.trust] += 1
        if not one.attestation.startswith(_KEPT):
            after[one.trust] += 1
            continue
        judged += 1
        again = proposed.again(read_appraisals(one.attestation))
        after[again.trust] += 1
        if again.trust == one.trust:
            continue
        verdict = again.appraised[0].verdict
        name = (one.attested, verdict.claims.get("kept-in", ""), one.trust, again.trust)
        rows[name] += 1
        people.setdefault(name, set()).add(one.customer)
        found = rules.setdefault(name, Counter())
        found.update({rule.rule for each in again.appraised for rule in each.verdict.reasons})
    return Tried(
        devices=before.total(),
        judged=judged,
        before=dict(sorted(before.items())),
        after=dict(sorted(after.items())),
        changed=tuple(
            TriedClass(
                attested=name[0],
                kept_in=name[1],
                was=name[2],
                now=name[3],
                devices=many,
                customers=len(people[name]),
                rules=dict(rules[name].most_common()),
            )
            for name, many in sorted(rows.items(), key=lambda row: (-row[1], row[0]))
        ),
    )


def lost(found: Iterable[TriedClass]) -> int:
    """How many of the devices in `found` would lose full trust.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    return sum(one.devices for one in found if one.was == _FULL)


def _devices(reader: Reader) -> Iterator[KeptDevice]:
    last = ""
    while rows := kept_devices(reader, last, PAGE, PROVING):
        yield from rows
        last = rows[-1].id
