"""Recoveries as the writer keeps them: every step is an event, and every old channel is told.

    open -> half-time told -> finish (a code to the number, or the change itself) -> redeemed
    cancel, at any moment before a code was redeemed; expired, when nobody finishes

The writer applies one command after the other, so a cancel and a finish never cross: a cancel that
comes after the code was sent makes that code void.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1; 7.4.5
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.application.authentication import Access, Sessions
from tallystick.application.customers import Customer, Customers, CustomerStatus
from tallystick.application.devicelife import LIFE, Act, By, DeviceLife
from tallystick.application.devicelife.service import REPLACEMENT
from tallystick.application.devices import Devices, DeviceStatus, Reason
from tallystick.application.devices.store import devices_of
from tallystick.application.notices import Notices, Template
from tallystick.application.policing import PolicyInForce
from tallystick.application.recovery.model import Numbers, Opener, RecoveryRow
from tallystick.application.recovery.rules import (
    PATHS,
    check_again,
    check_fields,
    may_open,
    moved,
    runs,
    since,
    suspended,
    times,
)
from tallystick.application.recovery.store import RECOVERY, recoveries_since
from tallystick.application.signals import Signals
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.policy import Operation
from tallystick.process.policy.facts import FOREVER, Channel
from tallystick.protocol.payments import Empty
from tallystick.protocol.recovery import RecoveryKind, RecoveryState

REMEMBERED_MS = 90 * DAY_MS
"""For how long a recovery that ended is kept in memory; the longest that limits stay lowered."""

_FROZEN = RecoveryState.FROZEN

_numbers = Decoder(Numbers, limit=128)


@dataclass(frozen=True, slots=True)
class Assembly:
    """The capabilities that recovery joins.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    access: Access
    customers: Customers
    devices: Devices
    life: DeviceLife
    notices: Notices
    policy: PolicyInForce
    sessions: Sessions
    signals: Signals


@dataclass(frozen=True, slots=True)
class Opening:
    """What is opened, and on whose proof.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    kind: RecoveryKind
    opener: Opener
    proof: str
    evidence: str = ""
    signed: str = ""
    lost: str = ""
    new_number: str = ""
    because: str = ""


class Recovery:
    """Opens, tends, finishes and cancels recoveries.

    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """

    def __init__(self, parts: Assembly, reader: Reader, now: Instant) -> None:
        """Read what runs, and what ended within `REMEMBERED_MS` of `now`.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.parts = parts
        self._reader = reader
        self._rows: dict[str, RecoveryRow] = {}
        self._of: dict[str, list[str]] = {}
        parts.customers.whys.append(self.why_suspended)
        self.reset(now)

    def reset(self, now: Instant) -> None:
        """Read everything again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.clear()
        self._of.clear()
        for row in recoveries_since(self._reader, now - REMEMBERED_MS):
            self._remember(row)

    def find(self, recovery: str) -> RecoveryRow:
        """The recovery with this id, if it runs or ended lately.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self._rows.get(recovery)
        if row is None:
            raise NotFound("no such recovery", remedy="load the list of recoveries again")
        return row

    def of(self, customer: str) -> tuple[RecoveryRow, ...]:
        """The recoveries, freezes and suspensions of `customer`, newest first.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return tuple(self._rows[one] for one in reversed(self._of.get(customer, ())))

    def open_cases(self) -> list[RecoveryRow]:
        """Every recovery that runs, and every freeze and suspension in force, oldest first.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return [one for one in self._rows.values() if runs(one) or one.state is _FROZEN]

    def why_suspended(self, customer: str) -> str:
        """Why `customer` is suspended, as the customer may read it; empty for a freeze or neither.

        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
        """
        return next((row.because for row in self.of(customer) if suspended(row)), "")

    def since(self, customer: str, now: Instant) -> int:
        """How long ago (ms) the account became one that is recovered, 0 while it is being so.

        `FOREVER` for none: the fact `recovering_for_ms`.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        if customer not in self._of:
            return FOREVER
        found = [since(row, now) for row in self.of(customer)]
        return min((one for one in found if one is not None), default=FOREVER)

    def number(self, recovery: str) -> str:
        """The number that is told of a recovery: the one that the customer had when it was opened.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        return self.numbers(self.find(recovery)).old

    def numbers(self, row: RecoveryRow) -> Numbers:
        """The old number and the new one.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        customer = self.parts.customers.get(row.customer)
        return _numbers.decode(self.parts.customers.open_sealed(customer, row.numbers))

    def open(self, turn: Turn, customer: Customer, asked: Opening) -> RecoveryRow:
        """Open a recovery of `customer`; every old channel is told with this commit.

        Raises NotPermitted for a proof that does not open it or an account of another status,
        Conflict while one runs or if the new number is somebody's, Malformed.
        Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
        """
        rule = self.parts.policy.compiled.policy.recovery
        path = may_open(asked.kind, asked.opener, customer.status)
        check_fields(asked.kind, lost=asked.lost, new_number=asked.new_number)
        check_again(self.of(customer.id), asked.opener, turn.now, rule.after_ms)
        if asked.new_number:
            self.parts.customers.check_free(asked.new_number)
        half, ready, expires = times(rule, turn.now)
        row = self.row(turn, customer, asked, path.begins)
        row = replace(row, ready_at=ready, expires_at=expires, next_at=half)
        if asked.lost:
            self._stop(turn, customer, asked.lost)
        self._keep(turn, row)
        self._tell(turn, row, Template.RECOVERY_OPENED)
        self.record(turn, row, "recovery.opened")
        return row

    def row(
        self, turn: Turn, customer: Customer, asked: Opening, state: RecoveryState
    ) -> RecoveryRow:
        """A new row, with the number of `customer` of now, that nothing falls due for.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        known = Numbers(old=self.parts.customers.profile(customer).msisdn, new=asked.new_number)
        return RecoveryRow(
            id=turn.new_id("rcv"),
            customer=customer.id,
            kind=asked.kind,
            state=state,
            opener=asked.opener,
            proof=asked.proof,
            evidence=asked.evidence,
            signed=asked.signed,
            device=asked.lost,
            numbers=self.parts.customers.seal(customer, encode_canonical(known)),
            opened_at=turn.now,
            ready_at=0,
            expires_at=0,
            half_told_at=0,
            next_at=0,
            ended_at=0,
            ended_by="",
            because=asked.because,
            activation="",
            access="",
        )

    def finish(self, turn: Turn, row: RecoveryRow, by: str) -> RecoveryRow:
        """Finish a recovery that cooled off: send a code to the number, or make the change.

        The code is shown to nobody; whoever redeems it on the customer's own phone ends the
        recovery. Raises what `moved` raises, and the policy's refusal while the SIM changed too
        lately for a code to be sent to it.
        Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
        """
        customer = self.parts.customers.get(row.customer)
        if PATHS[row.kind].code:
            sent = moved(row, RecoveryState.CODE_SENT, turn.now, by)
            signals = self.parts.signals
            signals.hold_back(customer, Operation.ACTIVATE, Channel.APP, turn.now)
            if row.activation:
                self.parts.access.void(turn, row.activation)
            activation = self.parts.access.issue(turn, customer, _issuer(row))
            sent = replace(sent, activation=activation.id, next_at=row.expires_at)
            self._keep(turn, sent)
            self.record(turn, sent, "recovery.code-sent")
            return sent
        done = moved(row, RecoveryState.COMPLETED, turn.now, by)
        if row.kind is RecoveryKind.NUMBER_CHANGE:
            self.parts.customers.change_number(turn, customer, self.numbers(row).new)
        else:
            active = replace(customer, status=CustomerStatus.ACTIVE)
            self.parts.customers.save(turn, active)
        return self._completed(turn, done)

    def redeemed(self, turn: Turn, customer: Customer, activation: str, device: str) -> None:
        """The code of `activation` was right, for `device`, a PIN or a SIM: end its recovery.

        After a lost phone every device but the new one is removed for good.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        for row in self.of(customer.id):
            if row.activation == activation and row.state is RecoveryState.CODE_SENT:
                if row.kind is RecoveryKind.LOST_PHONE:
                    self._remove_others(turn, customer, device)
                done = replace(
                    row,
                    state=RecoveryState.COMPLETED,
                    ended_at=turn.now,
                    ended_by=device or "pin",
                    next_at=0,
                )
                self._completed(turn, done)

    def cancel(self, turn: Turn, row: RecoveryRow, by: str, because: str = "") -> Outcome:
        """End a recovery before its end; a code that was sent is void from now on.

        Raises Conflict for one that ended.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        ended = moved(row, RecoveryState.CANCELLED, turn.now, by)
        if row.activation:
            self.parts.access.void(turn, row.activation)
        self._keep(turn, ended)
        self._tell(turn, ended, Template.RECOVERY_CANCELLED)
        return Outcome(Empty(), self.record(turn, ended, "recovery.cancelled", because))

    def cancel_dialled(self, turn: Turn, customer: str) -> Outcome:
        """End the recovery of whoever dials from the number that was told of it.

        No PIN is asked for: saying no only takes away. Raises Conflict where none runs.
        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
        """
        for row in self.of(customer):
            if runs(row):
                return self.cancel(turn, row, "ussd")
        raise Conflict("no recovery of this account runs", remedy="look at the list of recoveries")

    def due(self, now: Instant) -> list[str]:
        """The recoveries whose time has come.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        return [row.id for row in self._rows.values() if 0 < row.next_at <= now]

    def tend(self, turn: Turn, recovery: str) -> Outcome:
        """Tell at half-time, and expire at the end; nothing where nothing is due.

        Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
        """
        row = self.find(recovery)
        if not 0 < row.next_at <= turn.now or not runs(row):
            return Outcome(Empty())
        if turn.now < row.expires_at:
            told = replace(row, half_told_at=turn.now, next_at=row.expires_at)
            self._keep(turn, told)
            self._tell(turn, told, Template.RECOVERY_HALF)
            return Outcome(Empty(), self.record(turn, told, "recovery.half-told"))
        ended = moved(row, RecoveryState.EXPIRED, turn.now, "time")
        if row.activation:
            self.parts.access.void(turn, row.activation)
        self._keep(turn, ended)
        return Outcome(Empty(), self.record(turn, ended, "recovery.expired"))

    def keep_new(self, turn: Turn, row: RecoveryRow) -> None:
        """Keep a row that `row` made, or a later state of it.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._keep(turn, row)

    def record(self, turn: Turn, row: RecoveryRow, kind: str, because: str = "") -> int:
        """An event of `row`: what and on whose proof is public, whose account it is is not.

        Source: ISO/TS 12812-2:2017, 7.4.5; 14.2.2
        """
        customer = self.parts.customers.get(row.customer)
        told: Mapping[str, str] = {
            "customer": row.customer,
            "evidence": row.evidence,
            "proof": row.proof,
            "ended_by": row.ended_by,
        }
        public = {"kind": row.kind.value, "opener": row.opener.value, "recovery": row.id}
        if because or row.because:
            public["because"] = because or row.because
        return turn.record_about(
            kind,
            policy=self.parts.policy.version,
            mac=self.parts.customers.commit_mac(customer),
            committed={name: value for name, value in told.items() if value},
            public=public,
        )

    def _completed(self, turn: Turn, done: RecoveryRow) -> RecoveryRow:
        self._keep(turn, done)
        self._tell(turn, done, Template.RECOVERY_DONE)
        self.record(turn, done, "recovery.completed")
        return done

    def _tell(self, turn: Turn, row: RecoveryRow, template: Template) -> None:
        """Tell the old number; an app that asks finds the same in its list."""
        self.parts.notices.add(turn, row.customer, template, row.id)

    def _stop(self, turn: Turn, customer: Customer, lost: str) -> None:
        device = self.parts.devices.get(lost)
        if device.customer != customer.id:
            raise NotFound("no such device", remedy="look at the list of devices")
        if device.status is DeviceStatus.LOST:
            return
        if device.status is not DeviceStatus.ACTIVE:
            raise Conflict(f"the device is {device.status}", remedy="look at the list of devices")
        said = Reason.LOST.value
        self.parts.life.act(turn, device, Act.LOSE, By.OTHER_DEVICE, said)

    def _remove_others(self, turn: Turn, customer: Customer, kept: str) -> None:
        for one in devices_of(self._reader, customer.id):
            device = self.parts.devices.get(one.id)
            if device.id != kept and Act.REPLACE in LIFE[device.status]:
                said = Reason.REPLACED.value
                self.parts.life.act(turn, device, Act.REPLACE, By.PROVIDER, said)

    def _keep(self, turn: Turn, row: RecoveryRow) -> None:
        self._remember(row)
        turn.changes.upsert(RECOVERY, row.id, row_of(row))

    def _remember(self, row: RecoveryRow) -> None:
        if row.id not in self._rows:
            self._of.setdefault(row.customer, []).append(row.id)
        self._rows[row.id] = row


def _issuer(row: RecoveryRow) -> str:
    """Who issues the code of `row`; of a lost phone one that takes the place of all others."""
    begins = REPLACEMENT if row.kind is RecoveryKind.LOST_PHONE else "recovery:"
    return f"{begins}{row.opener}"
