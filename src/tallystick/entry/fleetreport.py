"""The devices of a provider in the form in which a report takes them.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
"""

from pathlib import Path

from tallystick.entry.fleet import LOOKED_AT, Fleet, ShutOut, Signalled, fleet_of
from tallystick.entry.reaching import policy_in_force
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.kernel.time import Instant
from tallystick.process.reports.model import (
    FleetDayStanding,
    FleetStanding,
    LessStanding,
    SignalStanding,
)
from tallystick.process.risk.pressing import SHOWN, steps_for


def fleet_standing(folder: ProviderFolder, now: Instant) -> FleetStanding | None:
    """The devices of the provider in `folder` at `now`; None before there is a store.

    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.1
    """
    if isinstance(folder.place(), Path) and not folder.database_file.exists():
        return None
    with open_snapshot(folder.stored()) as reader:
        found = fleet_of(reader, now, policy_in_force(reader), most=LOOKED_AT)
    return FleetStanding(
        devices=found.devices,
        by_trust=found.by_trust,
        watched=found.watched,
        days=tuple(
            FleetDayStanding(
                day=one.day,
                attested=one.attested,
                software=one.software,
                unproven=one.unproven,
                event=one.event,
            )
            for one in found.days
        ),
        less=tuple(map(_less, found.shut_out)),
        signals=tuple(_signal(found, one) for one in found.signals),
    )


def _less(one: ShutOut) -> LessStanding:
    return LessStanding(
        trust=one.people.called,
        tier=one.people.tier,
        devices=one.people.devices,
        customers=one.people.customers,
        kind=one.reach.kind,
        most_minor=one.reach.most_minor,
        full_minor=one.full_minor,
        by=one.reach.by,
    )


def _signal(fleet: Fleet, one: Signalled) -> SignalStanding:
    return SignalStanding(
        signal=one.signal,
        devices=one.devices,
        established=one.established,
        presses=SHOWN.get(one.signal, ()),
        steps=steps_for(one.established, fleet.watched),
    )
