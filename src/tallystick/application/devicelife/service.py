"""Every act on a device, in one place: the row, what follows, the notice and the event of one turn.

Others say what follows with them: sessions end where sessions are, codes are void where codes are.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5; 9.5
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tallystick.application.customers import Customer, Customers
from tallystick.application.devicelife.rules import ENDED, Act, By, Follow, Step, step_of
from tallystick.application.devicelife.store import (
    DENIED,
    LIFE_TABLE,
    LifeRow,
    Wipe,
    due_lives,
    unused_since,
)
from tallystick.application.devices import Device, Devices, DeviceStatus, Reason
from tallystick.application.devices.model import COPIED
from tallystick.application.notices import Notices, Template
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import LimitExceeded
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.policy.facts import FOREVER
from tallystick.protocol.payments import Empty

REPLACEMENT = "replacement:"
"""How the issuer of a code begins whose phone takes the place of all others."""

_AT_ONCE = 50

Followed = Callable[[Turn, Device], None]
"""Does what follows with one capability when a device is stopped or ends."""


@dataclass(frozen=True, slots=True)
class DeviceDue:
    """The time of a device has come: to be told, to rest, to leave, to be deleted.

    From this process only, no operation leads here.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: str


class DeviceLife:
    """The only one who changes where a device stands.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    def __init__(
        self,
        customers: Customers,
        devices: Devices,
        notices: Notices,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int,
    ) -> None:
        """Keep up to `capacity` rows in memory.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.customers = customers
        self.devices = devices
        self.policy = policy
        self._notices = notices
        self._reader = reader
        self._rows = RowCache(LIFE_TABLE, LifeRow, reader, capacity=capacity)
        self._followed: dict[Follow, list[Followed]] = {
            Follow.KEYS: [_deny],
            Follow.DATA: [devices.forget],
        }

    def follow(self, what: Follow, does: Followed) -> None:
        """Have `does` done in the turn of every act that `what` follows.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._followed.setdefault(what, []).append(does)

    def row(self, device: Device) -> LifeRow:
        """Where `device` stands; what was enrolled before there were such rows is as its status.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return self._rows.get(device.id) or LifeRow(
            device=device.id,
            status=device.status.value,
            act="enrol",
            done_by="",
            since=device.enrolled_at,
            next_at=0,
            told_at=0,
            wipe=Wipe.NONE,
            wipe_order="",
        )

    def check_room(self, customer: Customer, issued_by: str) -> None:
        """Pass if `customer` may have one more device, with the code of an issuer.

        Raises LimitExceeded for as many as the policy lets a customer of this tier have; a phone
        that takes the place of the others always finds room.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        most = self.policy.compiled.policy.devices.most(customer.tier)
        if customer.devices >= most and not issued_by.startswith(REPLACEMENT):
            raise LimitExceeded(
                f"an account of tier {customer.tier} has at most {most} devices",
                because=self.policy.compiled.policy.devices.because,
                remedy="remove one of them first",
            )

    def enrolled(self, turn: Turn, device: Device, issued_by: str) -> None:
        """A device was bound by a code; a customer who has another one is told.

        The first one is told of by the message that brought the code.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        row = replace(self.row(device), done_by=issued_by, since=turn.now)
        self._rows.put(device.id, row, turn.changes)
        counted = self.customers.get(device.customer)
        if counted.devices:
            self._notices.add(turn, counted.id, Template.DEVICE_ADDED, device.id)
        self.customers.save(turn, replace(counted, devices=counted.devices + 1))

    def act(self, turn: Turn, device: Device, act: Act, by: By, because: str) -> int:
        """Do `act` about `device` as the table says; gives the index of the event.

        That a device was copied stays its reason whatever else is done, until it ends.
        Raises Conflict for an act that its state does not know, NotPermitted for one that is not
        for `by` to do.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        step = step_of(device.status, act, by, device.because)
        customer = self.customers.get(device.customer)
        copied = device.because == COPIED and step.to not in ENDED
        changed = self.devices.set_status(turn, device, step.to, COPIED if copied else because)
        if step.to in ENDED and device.status not in ENDED:
            left = max(0, customer.devices - 1)
            self.customers.save(turn, replace(customer, devices=left))
        self._keep(turn, device, step, act, by)
        for one in sorted(step.follows):
            for does in self._followed.get(one, ()):
                does(turn, changed)
        self._notices.add(turn, customer.id, step.tells, device.id)
        return self._record(turn, step.event, customer, device, act, by, because)

    def wiped(self, turn: Turn, device: Device, wipe: Wipe) -> int:
        """The wipe of `device` came as far as `wipe`; gives the index of the event, -1 for none.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self.row(device)
        if row.wipe is wipe or row.wipe is Wipe.CONFIRMED:
            return -1
        self._rows.put(device.id, replace(row, wipe=wipe), turn.changes)
        if wipe is not Wipe.CONFIRMED:
            return -1
        customer = self.customers.get(device.customer)
        self._notices.add(turn, customer.id, Template.DEVICE_WIPED, device.id)
        mac = self.customers.commit_mac(customer)
        return turn.record_about(
            "device.wiped",
            policy=self.policy.version,
            mac=mac,
            committed={"customer": customer.id, "device": device.id},
            public={"wipe_order": row.wipe_order},
        )

    def due(self, now: Instant) -> list[str]:
        """Some devices whose time has come, by what is durable.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        rule = self.policy.compiled.policy.devices
        found = due_lives(self._reader, now, _AT_ONCE)
        if rule.dormant_ms < FOREVER:
            before = now - rule.dormant_ms + rule.told_ms
            found += unused_since(self._reader, before, _AT_ONCE)
        return list(dict.fromkeys(found))

    def tend(self, turn: Turn, device_id: str) -> Outcome:
        """Do what time asks for: announce dormancy, let rest, end a bond, delete; or nothing.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        device = self.devices.get(device_id)
        row, rule = self.row(device), self.policy.compiled.policy.devices
        index, rule_by = -1, By.PROVIDER
        match device.status:
            case DeviceStatus.ACTIVE:
                index = self._tend_active(turn, device, row)
            case DeviceStatus.LEAVING if 0 < row.next_at <= turn.now:
                index = self.act(turn, device, Act.DEACTIVATE, rule_by, Reason.GAVE.value)
            case DeviceStatus.REMOVED | DeviceStatus.STOLEN if 0 < row.next_at <= turn.now:
                kept = f"kept for {rule.keep_ms // 86_400_000} days"
                index = self.act(turn, device, Act.DELETE, rule_by, kept)
            case _:
                pass
        return Outcome(Empty(), index)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()

    def prefetch(self, devices: Iterable[str]) -> None:
        """Bring the rows of `devices` into memory with one statement.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.prefetch(devices)

    def _tend_active(self, turn: Turn, device: Device, row: LifeRow) -> int:
        rule = self.policy.compiled.policy.devices
        if rule.dormant_ms >= FOREVER:
            return -1
        unused = turn.now - device.renewed_at
        told = row.told_at > device.renewed_at
        if not told and unused >= rule.dormant_ms - rule.told_ms:
            next_at = turn.now + rule.told_ms
            kept = replace(row, told_at=turn.now, next_at=next_at)
            self._rows.put(device.id, kept, turn.changes)
            customer = self.customers.get(device.customer)
            self._notices.add(turn, customer.id, Template.DEVICE_RESTS_SOON, device.id)
            return self._record(
                turn, "device.rest-told", customer, device, Act.REST, By.PROVIDER, "unused"
            )
        if told and 0 < row.next_at <= turn.now:
            days = unused // 86_400_000
            return self.act(
                turn, device, Act.REST, By.PROVIDER, f"{Reason.UNUSED.value} ({days} days)"
            )
        if not told and row.next_at:
            self._rows.put(device.id, replace(row, next_at=0), turn.changes)
        return -1

    def _keep(self, turn: Turn, device: Device, step: Step, act: Act, by: By) -> None:
        before, rule = self.row(device), self.policy.compiled.policy.devices
        order, wipe = before.wipe_order, before.wipe
        if Follow.WIPE in step.follows and not order:
            order, wipe = b64url(turn.entropy(16)), Wipe.ORDERED
        next_at = 0
        if step.to is DeviceStatus.LEAVING:
            next_at = turn.now + rule.leave_ms
        elif step.to in {DeviceStatus.REMOVED, DeviceStatus.STOLEN} and rule.keep_ms < FOREVER:
            next_at = turn.now + rule.keep_ms
        row = LifeRow(
            device=device.id,
            status=step.to.value,
            act=act.value,
            done_by=by.value,
            since=turn.now,
            next_at=next_at,
            told_at=0,
            wipe=wipe,
            wipe_order=order,
        )
        self._rows.put(device.id, row, turn.changes)

    def _record(
        self,
        turn: Turn,
        kind: str,
        customer: Customer,
        device: Device,
        act: Act,
        by: By,
        because: str,
    ) -> int:
        return turn.record_about(
            kind,
            policy=self.policy.version,
            mac=self.customers.commit_mac(customer),
            committed={"customer": customer.id, "device": device.id},
            public={"because": because, "device_act": act.value, "done_by": by.value},
        )


def _deny(turn: Turn, device: Device) -> None:
    """Keep digests of both keys, which no enrolment may bring again."""
    for point in (device.possession, device.consent):
        digest = b64url(sha256(point))
        turn.changes.upsert(DENIED, digest, (digest, turn.now))
