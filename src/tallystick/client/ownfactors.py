"""What an app does about its person's own factors, sessions, devices and payees.

A refusal that more would overcome is StepUpRequired; its `suffices` names what, its `remedy` and
`because` are for the person to read.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from typing import TypeVar

from tallystick.client.session import ClientSession
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import StepUpRequired
from tallystick.kernel.model import Wire
from tallystick.kernel.secret import Secret
from tallystick.protocol.authentication import (
    AddPayee,
    Challenge,
    ChangePin,
    EndOthers,
    FactorsGiven,
    GiveCode,
    GivePin,
    LiveSession,
    LiveSessions,
    RemoveDevice,
    ReportKey,
)
from tallystick.protocol.devicelife import DeviceView, OwnDeviceList, SteerDevice
from tallystick.protocol.payments import Empty

T = TypeVar("T")

_devices = Decoder(OwnDeviceList)
_empty = Decoder(Empty)
_factors = Decoder(FactorsGiven)
_challenges = Decoder(Challenge)
_listed = Decoder(LiveSessions)
BIOMETRICS_CHANGED = "biometrics-changed"
LOCK_REMOVED = "lock-removed"


class OwnFactors:
    """Asks over one session; every method raises what the provider refuses with.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    def challenge(self) -> str:
        """A question to type into an authenticator that answers.

        Source: RFC 6287, 7.1
        """
        return self._ask("factor.challenge", "/v1/factors/challenge", Empty(), _challenges).question

    def give_code(self, code: Secret[str], following: Secret[str] | None = None) -> FactorsGiven:
        """Give a one-time code; with the one `following` it the authenticator is synchronised.

        Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.4
        """
        after = "" if following is None else following.reveal()
        asked = GiveCode(code=code.reveal(), following=after)
        return self._ask("factor.code", "/v1/factors/code", asked, _factors)

    def give_pin(self, pin: Secret[str]) -> FactorsGiven:
        """Give the PIN.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._ask("factor.pin", "/v1/factors/pin", GivePin(pin=pin.reveal()), _factors)

    def change_pin(self, pin: Secret[str]) -> None:
        """Choose a new PIN; takes a factor that was just given.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._ask("pin.change", "/v1/pin", ChangePin(pin=pin.reveal()), _empty)

    def add_payee(self, payee: str) -> None:
        """Confirm a payee; takes a factor that was just given.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._ask("payee.add", "/v1/payees", AddPayee(payee=payee), _empty)

    def remove_device(self, device: str) -> None:
        """Remove a device of one's own; takes a factor that was just given.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._ask("device.remove", "/v1/devices/remove", RemoveDevice(device=device), _empty)

    def devices(self) -> tuple[DeviceView, ...]:
        """One's devices, all that is kept of them, and what may be done about each from here.

        Source: ISO/TS 12812-2:2017, 7.3.6; 14.2.2
        """
        return self._ask("device.list", "/v1/devices/list", Empty(), _devices).devices

    def steer(self, device: str, act: str) -> None:
        """Suspend, resume, lose, steal, hand-on or deactivate a device of one's own.

        What cannot be taken back, and resuming, takes a factor that was just given.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        asked = SteerDevice(device=device, act=act)
        self._ask("device.steer", "/v1/devices/steer", asked, _empty)

    def report_void_key(self, because: str) -> None:
        """Say that the consent key is void, since what unlocks it was changed; enrol again then.

        Source: ISO 19092; ISO/TS 12812-2:2017, 7.3.2
        """
        self._ask("device.key-void", "/v1/devices/key-void", ReportKey(because=because), _empty)

    def sessions(self) -> tuple[LiveSession, ...]:
        """One's live sessions over all channels.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return self._ask("session.list", "/v1/session/list", Empty(), _listed).sessions

    def end_others(self, session: str = "") -> None:
        """End one other session, or all others.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        asked = EndOthers(session=session)
        self._ask("session.end-others", "/v1/session/end-others", asked, _empty)

    def _ask(self, operation: str, path: str, asked: Wire, decoder: Decoder[T]) -> T:
        return self._session.ask(operation, path, asked, decoder, resend=False)


def asked_for(error: StepUpRequired) -> dict[str, tuple[str, ...]]:
    """What `error` says would be enough, by sort: grade, categories, factor, fresh (seconds).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    found: dict[str, tuple[str, ...]] = {}
    for one in error.suffices:
        sort, _, value = one.partition(":")
        found[sort] = (*found.get(sort, ()), value)
    return found
