"""Custody of secure cryptographic devices: which event may follow which, and what falls due.

    received -> inspected -> installed <-> removed -> sent -> arrived -> ... -> retired -> destroyed

Every event has two custodians. What was under way or in repair is inspected before it is installed,
and a seal that is another one than was put on is no arrival but a tampering.

Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-1; ISO 13491-2
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS

MOST_DAYS: Final = 366
"""The longest time between two inspections: they are yearly at least."""


class DeviceState(StrEnum):
    """Where a device is in its life.

    Source: ISO 13491-1, 6
    """

    UNKNOWN = "unknown"
    STORED = "stored"
    IN_USE = "in-use"
    IN_TRANSIT = "in-transit"
    IN_REPAIR = "in-repair"
    SUSPECT = "suspect"
    RETIRED = "retired"
    DESTROYED = "destroyed"


class CustodyKind(StrEnum):
    """What happened to a device.

    Source: ISO 13491-2
    """

    RECEIVED = "received"
    INSPECTED = "inspected"
    SEALED = "sealed"
    INSTALLED = "installed"
    REMOVED = "removed"
    SENT = "sent"
    ARRIVED = "arrived"
    SENT_TO_REPAIR = "sent-to-repair"
    BACK_FROM_REPAIR = "back-from-repair"
    TAMPERED = "tampered"
    RETIRED = "retired"
    DESTROYED = "destroyed"


_S, _K = DeviceState, CustodyKind
_HERE = (_S.STORED, _S.IN_USE)

STEPS: Final[Mapping[CustodyKind, tuple[tuple[DeviceState, ...], DeviceState | None]]] = (
    MappingProxyType(
        {
            _K.RECEIVED: ((_S.UNKNOWN,), _S.STORED),
            _K.INSPECTED: (_HERE, None),
            _K.SEALED: (_HERE, None),
            _K.INSTALLED: ((_S.STORED,), _S.IN_USE),
            _K.REMOVED: ((_S.IN_USE,), _S.STORED),
            _K.SENT: ((_S.STORED,), _S.IN_TRANSIT),
            _K.ARRIVED: ((_S.IN_TRANSIT,), _S.STORED),
            _K.SENT_TO_REPAIR: ((_S.STORED,), _S.IN_REPAIR),
            _K.BACK_FROM_REPAIR: ((_S.IN_REPAIR,), _S.STORED),
            _K.TAMPERED: ((*_HERE, _S.IN_TRANSIT, _S.IN_REPAIR), _S.SUSPECT),
            _K.RETIRED: ((_S.STORED, _S.SUSPECT), _S.RETIRED),
            _K.DESTROYED: ((_S.RETIRED,), _S.DESTROYED),
        }
    )
)
"""For each event the states before it, and the state after; None where it stays."""

DEVICE_KINDS: Final = ("module", "software-module", "pin-pad", "key-loader", "secure-element")
"""Sorts of devices; a software module is one for its label, without the protection of a device."""

_TO_INSPECT = frozenset({_K.RECEIVED, _K.ARRIVED, _K.BACK_FROM_REPAIR})


class CustodyEntry(Record, frozen=True, kw_only=True):
    """One event in the life of a device, and how the device stands after it.

    `custodians` are two or more, separated by spaces; `seal` is the number on it now; `evidence`
    the SHA-256 of the paper; `inspected_at` and `inspect_ms` run the clock of inspections.
    Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-2
    """

    id: str
    device: str
    kind: str
    serial: str
    what: str
    state: str
    place: str
    custodians: str
    seal: str
    evidence: str
    because: str
    at: int
    inspected_at: int
    inspect_ms: int
    event: int

    def inspection_due(self) -> int:
        """When the device is to be inspected next (ms); 0 once it is out of use for good.

        Source: ISO 13491-2
        """
        ended = {_S.RETIRED.value, _S.DESTROYED.value, _S.SUSPECT.value}
        return 0 if self.state in ended else self.inspected_at + self.inspect_ms


class Told(Record, frozen=True, kw_only=True):
    """What two custodians say about a device; empty where nothing changes.

    Source: ISO 13491-2
    """

    device: str
    kind: str
    serial: str
    what: str
    place: str
    custodians: tuple[str, ...]
    seal: str
    evidence: str
    because: str
    inspect_days: int


def follow(
    last: CustodyEntry | None, told: Told, *, entry: str, at: int, event: int
) -> CustodyEntry:
    """The entry called `entry` that follows on `last` (None for a device that is new).

    Raises Malformed for what is not whole, Conflict for an event that cannot follow.
    Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491-2
    """
    _check_form(last, told)
    what = CustodyKind(told.what)
    before = DeviceState.UNKNOWN if last is None else DeviceState(last.state)
    allowed, after = STEPS[what]
    if before not in allowed:
        raise Conflict(
            f"a device that is {before} is not {what}",
            remedy=f"it may be {', '.join(_next(before)) or 'nothing more'}",
            because="custody",
        )
    if what is _K.ARRIVED and last is not None and told.seal != last.seal:
        raise Conflict(
            "the seal is another one than was put on",
            remedy="record it as tampered, and retire the device",
            because="custody",
        )
    if what is _K.INSTALLED and last is not None and last.inspected_at == 0:
        raise Conflict(
            "the device was not inspected since it came in",
            remedy="inspect it, and record that",
            because="custody",
        )
    inspected = at if what is _K.INSPECTED else 0
    if last is not None and what not in _TO_INSPECT and not inspected:
        inspected = last.inspected_at
    return CustodyEntry(
        id=entry,
        device=told.device,
        kind=told.kind or (last.kind if last else ""),
        serial=told.serial or (last.serial if last else ""),
        what=what.value,
        state=(after or before).value,
        place=told.place or (last.place if last else ""),
        custodians=" ".join(told.custodians),
        seal=told.seal or (last.seal if last else ""),
        evidence=told.evidence,
        because=told.because,
        at=at,
        inspected_at=inspected,
        inspect_ms=told.inspect_days * DAY_MS or (last.inspect_ms if last else 0),
        event=event,
    )


def newest(entries: Iterable[CustodyEntry]) -> dict[str, CustodyEntry]:
    """How each device stands, by its name.

    Source: ISO 13491-2
    """
    found: dict[str, CustodyEntry] = {}
    for one in entries:
        best = found.get(one.device)
        if best is None or one.event > best.event:
            found[one.device] = one
    return found


def _next(state: DeviceState) -> list[str]:
    return [kind.value for kind, (allowed, _) in STEPS.items() if state in allowed]


def _check_form(last: CustodyEntry | None, told: Told) -> None:
    if told.what not in set(CustodyKind):
        raise Malformed(f"an event of custody is one of {', '.join(CustodyKind)}")
    if len(set(told.custodians)) < 2:
        raise Malformed("a device has two custodians", remedy="name two different people")
    if last is None and (told.kind not in DEVICE_KINDS or not told.serial):
        raise Malformed(f"a new device has a serial and is one of {', '.join(DEVICE_KINDS)}")
    if last is not None and told.serial not in {"", last.serial}:
        raise Conflict("the serial is another one", because="custody", remedy="look at the device")
    if not 0 <= told.inspect_days <= MOST_DAYS or (last is None and not told.inspect_days):
        raise Malformed(f"a device is inspected every 1 to {MOST_DAYS} days")
    sealing = {_K.SEALED.value, _K.SENT.value, _K.ARRIVED.value}
    if told.what in sealing and not told.seal:
        raise Malformed("a device that is sealed, sent or has arrived has the number of a seal")
