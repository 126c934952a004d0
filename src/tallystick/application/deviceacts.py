"""What operators do about devices: stop, let act again, and end for good.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
"""

from dataclasses import dataclass

from tallystick.application.devicelife.rules import Act, By
from tallystick.application.devicelife.service import DeviceLife
from tallystick.application.operators import Acted, InEmergency, Performer, check_two_people
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.kernel.codec import Decoder
from tallystick.protocol.devicelife import EndDevice
from tallystick.protocol.operators import SuspendDevice

_suspend = Decoder(SuspendDevice)
_end = Decoder(EndDevice)

_SAYS = {
    Act.LOSE: "the device is stopped until it is found",
    Act.STEAL: "the device is over for good, and its keys are denied",
    Act.HAND_ON: "the bond is over; what is kept of it waits its time",
    Act.DEACTIVATE: "the device is over for good, and its keys are denied",
}


@dataclass(frozen=True, slots=True)
class DeviceActs:
    """Executes the acts of people about devices.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
    """

    life: DeviceLife
    in_emergency: InEmergency

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "suspend-device": self._suspend_device,
            "resume-device": self._resume_device,
            "remove-device": self._remove_device,
        }

    def _suspend_device(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _suspend.decode(body)
        index = self._does(turn, asked.device, Act.SUSPEND, asked.because)
        return Acted("the device is suspended and its sessions are over", index)

    def _resume_device(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _suspend.decode(body)
        alone = read_signature(jws[-1]).act
        if not self.in_emergency(alone.operator, alone.name, turn.now):
            check_two_people("let a device act again", jws, because="it lets somebody in")
        index = self._does(turn, asked.device, Act.RESUME, asked.because)
        return Acted("the device may act again", index)

    def _remove_device(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _end.decode(body)
        act = Act(asked.how)
        index = self._does(turn, asked.device, act, asked.because)
        return Acted(_SAYS[act], index, asked.device)

    def _does(self, turn: Turn, device: str, act: Act, because: str) -> int:
        row = self.life.devices.get(device)
        return self.life.act(turn, row, act, By.CARE_DESK, because)
