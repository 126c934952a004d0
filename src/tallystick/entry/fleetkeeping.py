"""Counts the devices every hour, beside the writer, for the line of the day and its event.

A count is asked of the store and not of memory; a provider without devices is not counted.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from tallystick.application.devices.store import trust_counts
from tallystick.application.fleet import CountFleet, fleet_days
from tallystick.application.fleet.store import FleetDay, established, told_by_devices
from tallystick.application.proving.service import PROVING
from tallystick.entry.accounting import Accounting
from tallystick.entry.appraising import watch_appraisal
from tallystick.entry.assembly import Platform
from tallystick.entry.feeding import feed_lists
from tallystick.entry.fleet import ESTABLISHED_MS, signalled
from tallystick.entry.partnerfeeding import feed_partner_lists
from tallystick.entry.pki.partnerlists import keep_reading
from tallystick.entry.threads import to_its_end
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.time import HOUR_MS, Instant, iso_utc
from tallystick.process.policy.facts import DeviceTrust

LOOK_EVERY_S = 60.0
"""How often the time is looked at; an hour after the last count devices are counted again."""

_FULL: Final = DeviceTrust.ATTESTED_HARDWARE.value


def trust_duties(
    platform: Platform, writer: WriterLoop, accounting: Accounting
) -> tuple[Coroutine[Any, Any, None], ...]:
    """What goes on for ever about the trust in devices and partners: lists, verdicts, and counts.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.6
    """
    return (
        watch_appraisal(platform, writer, accounting),
        feed_lists(platform, writer, accounting),
        keep_fleet(platform, writer),
        keep_reading(platform.list_files),
        feed_partner_lists(platform, accounting),
    )


async def keep_fleet(platform: Platform, writer: WriterLoop) -> None:
    """Let the writer keep what is counted, for ever; a count that nothing changed keeps no event.

    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if not platform.desks.policy.version:
            continue
        now = platform.clock.now()

        def look(at: Instant = now) -> CountFleet | None:
            with platform.database.reader() as reader:
                return due_count(reader, at)

        count = await to_its_end(look)
        if count is not None:
            await writer.ask(count)


def due_count(reader: Reader, now: Instant) -> CountFleet | None:
    """What is counted at `now`; None within an hour of the last count, or if it says the same.

    The first count of a day is always due once there is a device.
    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """
    last = next(iter(fleet_days(reader, 1)), None)
    if last is not None and now - last.counted_at < HOUR_MS:
        return None
    trust = trust_counts(reader, besides=PROVING)
    if not trust and last is None:
        return None
    signals = signalled(told_by_devices(reader, PROVING), now)
    count = CountFleet(
        trust=trust,
        watched=established(reader, _FULL, now - ESTABLISHED_MS, PROVING),
        signals={one.signal: one.established for one in signals if one.established},
    )
    return None if last is not None and _same(last, count, now) else count


def _same(last: FleetDay, count: CountFleet, now: Instant) -> bool:
    trust = dict(count.trust)
    attested, software = trust.pop(_FULL, 0), trust.pop(DeviceTrust.SOFTWARE.value, 0)
    return (
        last.day,
        last.attested,
        last.software,
        last.unproven,
        last.watched,
        last.signals,
    ) == (
        iso_utc(now)[:10],
        attested,
        software,
        sum(trust.values()),
        count.watched,
        encode_canonical(dict(count.signals)),
    )
