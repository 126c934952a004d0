"""What customers do about their devices: in a session of one of them, or by dialling with a PIN.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6; 7.4.5
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.customers import Customer
from tallystick.application.devicelife.rules import Act, By, Proof, acts_for, step_of
from tallystick.application.devicelife.service import DeviceLife
from tallystick.application.devices import Device, DeviceStatus, Reason
from tallystick.application.devices.store import devices_of
from tallystick.application.notices.texts.reasons import reason_in, reason_of
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted
from tallystick.protocol.channels import Language
from tallystick.protocol.devicelife import DeviceView, OwnDeviceList, StopDevices
from tallystick.protocol.payments import Empty

_SAID = {
    Act.SUSPEND: Reason.SUSPENDED,
    Act.RESUME: Reason.RESUMED,
    Act.LOSE: Reason.LOST,
    Act.STEAL: Reason.STOLEN,
    Act.HAND_ON: Reason.GIVEN,
    Act.DEACTIVATE: Reason.REMOVED,
}
_REPORTED = {"lost": Reason.AGENT_LOST, "stolen": Reason.AGENT_STOLEN}
STEERED = frozenset(_SAID)
"""What a customer may ask for."""

WhoAsks = Callable[[Turn, str, int], tuple[str, Customer]]
"""Admits a request: the device of its session, and whose it is."""

Permit = Callable[[Turn, str], None]
"""Passes if the session has the factors that managing devices takes; raises StepUpRequired."""


Assists = Callable[[Turn, Customer, str, str], None]
"""Passes if an agent, on this device and in this zone, may assist somebody now; counts it."""

_ASSISTED = "agent-assisted"


@dataclass(frozen=True, slots=True)
class BlockByDialling:
    """Whoever dialled a right PIN stops every phone of theirs.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    customer: str


@dataclass(frozen=True, slots=True)
class LivesOn:
    """What a customer asks about their devices inside a session.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    session: str
    sequence: int
    act: "OwnAct"


class OwnDevices:
    """Lists and steers the devices of one customer.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    def __init__(
        self,
        life: DeviceLife,
        who: WhoAsks,
        permit: Permit,
        pin_was_right: Callable[[Turn, str], object],
        assists: Assists,
        reader: Reader,
        speaks: Callable[[str], Language],
    ) -> None:
        self._life = life
        self._who = who
        self._permit = permit
        self._pin_was_right = pin_was_right
        self._assists = assists
        self._reader = reader
        self._speaks = speaks

    def listed(self, turn: Turn, session: str, sequence: int) -> Outcome:
        """Everything that is kept of the customer's devices, with what this one may do about each.

        Source: ISO/TS 12812-2:2017, 7.3.6; 14.2.2
        """
        own, customer = self._who(turn, session, sequence)
        shown = tuple(self._view(one, own) for one in self._of(customer.id))
        return Outcome(OwnDeviceList(devices=shown))

    def steer(self, turn: Turn, session: str, sequence: int, device: str, act: Act) -> Outcome:
        """Do `act` about a device of one's own.

        Raises NotFound for another one's, StepUpRequired with what would be enough, and what the
        table refuses.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        own, customer = self._who(turn, session, sequence)
        row = self._life.devices.get(device)
        if row.customer != customer.id:
            raise NotFound("no such device", remedy="look at the list of devices")
        by = By.THIS_DEVICE if row.id == own else By.OTHER_DEVICE
        step = step_of(row.status, act, by, row.because)
        if step.who[by] is Proof.FRESH_FACTORS:
            self._permit(turn, session)
        return Outcome(Empty(), self._life.act(turn, row, act, by, _SAID[act].value))

    def block(self, turn: Turn, customer: str) -> Outcome:
        """Stop every device of whoever dialled a right PIN, as lost: two may find it again.

        Raises Conflict where none is left to stop.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._pin_was_right(turn, customer)
        index = -1
        for row in self._of(customer):
            if Act.LOSE in acts_for(row.status, By.DIALLER):
                said = Reason.DIALLED.value
                index = self._life.act(turn, row, Act.LOSE, By.DIALLER, said)
        if index < 0:
            raise Conflict(
                "no phone of yours can act",
                because="no phone of yours can act",
                remedy="dial the menu, or go to an agent or the provider",
            )
        return Outcome(Empty(), index)

    def stop_for(self, turn: Turn, session: str, sequence: int, asked: StopDevices) -> Outcome:
        """Suspend every phone of the customer whom `asked` names, who came to the asking agent.

        Never more than that: only the customer or the care desk ends a phone or lets one act again.
        Raises NotPermitted for whoever is no agent or is out of bounds, LimitExceeded above the
        day's number, NotFound, and Conflict where no phone of the customer can act.
        Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.1; 7.4.5
        """
        own, agent = self._who(turn, session, sequence)
        self._assists(turn, agent, own, asked.zone)
        customer = self._life.customers.by_alias(asked.number)
        if customer.id == agent.id:
            raise NotPermitted(
                "an agent does not assist themselves",
                because=_ASSISTED,
                remedy="go to another agent or the provider",
            )
        index = -1
        for row in self._of(customer.id):
            if row.status is DeviceStatus.ACTIVE:
                said = _REPORTED[asked.how].value
                index = self._life.act(turn, row, Act.SUSPEND, By.AGENT, said)
        if index < 0:
            raise Conflict(
                "no phone of theirs can act",
                because="no phone of theirs can act",
                remedy="send them to the provider with their papers",
            )
        turn.record_about(
            "agent.stopped-devices",
            policy=self._life.policy.version,
            mac=self._life.customers.commit_mac(customer),
            committed={"customer": customer.id},
            public={"agent": agent.id, "how": asked.how, "zone": asked.zone},
        )
        return Outcome(Empty(), index)

    def _of(self, customer: str) -> list[Device]:
        """The devices as this batch has them."""
        return [self._life.devices.get(one.id) for one in devices_of(self._reader, customer)]

    def _reason(self, device: Device) -> str:
        """Why it stands so in the customer's language; what an operator wrote, as it is."""
        if not reason_of(device.because):
            return device.because
        return reason_in(self._speaks(device.customer), device.because)

    def _view(self, device: Device, own: str) -> DeviceView:
        row = self._life.row(device)
        by = By.THIS_DEVICE if device.id == own else By.OTHER_DEVICE
        may = tuple(one.value for one in acts_for(device.status, by) if one in STEERED)
        return DeviceView(
            device=device.id,
            this=device.id == own,
            status=device.status.value,
            because=self._reason(device),
            trust=device.trust,
            attested=device.attestation_format,
            enrolled_at=device.enrolled_at,
            used_at=device.renewed_at,
            since=row.since,
            wipe=row.wipe.value,
            deleted_at=row.next_at,
            may=may,
        )


OwnAct = Callable[[OwnDevices, Turn, str, int], Outcome]
"""What a device asks for: with the turn, the session and the request's number."""
