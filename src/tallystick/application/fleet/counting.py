"""The numbers of a day, kept by the writer: a row for the trend, an event for whoever doubts it.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.3
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.application.desks import Desks
from tallystick.application.fleet.store import DAY
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.time import iso_utc
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.payments import Empty
from tallystick.protocol.receipt import Scalar


@dataclass(frozen=True, slots=True)
class CountFleet:
    """Devices as they were counted beside the writer: by trust; `watched` and their `signals`.

    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6
    """

    trust: Mapping[str, int]
    watched: int
    signals: Mapping[str, int]


def _counted(desks: Desks, turn: Turn, one: CountFleet) -> Outcome:
    day = iso_utc(turn.now)[:10]
    attested = one.trust.get(DeviceTrust.ATTESTED_HARDWARE.value, 0)
    software = one.trust.get(DeviceTrust.SOFTWARE.value, 0)
    unproven = sum(one.trust.values()) - attested - software
    public: dict[str, Scalar] = {
        "day": day,
        "attested": attested,
        "software": software,
        "unproven": unproven,
        "watched": one.watched,
    }
    public |= {f"signal-{name}": many for name, many in sorted(one.signals.items())}
    index = turn.record("fleet.counted", policy=desks.policy.version, public=public)
    row = (day, turn.now, attested, software, unproven, one.watched,
           encode_canonical(dict(one.signals)), index)  # fmt: skip
    turn.changes.upsert(DAY, day, row)
    return Outcome(Empty(), index)


FLEET_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {CountFleet: _counted}
"""Who executes each command."""
