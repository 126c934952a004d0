"""People with several phones each, who also dial; a served provider whose clock moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.desks import events
from tests.support.recovered import PIN, Recovered, recovered
from tests.support.served import Person, by_one_operator

from tallystick.application.devices import Device
from tallystick.client.ownfactors import OwnFactors
from tallystick.client.wiping import Wiper
from tallystick.protocol.devicelife import EndDevice
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import IssueActivation, SuspendDevice


class Lived:
    """The scene of recoveries, seen from the devices."""

    def __init__(self, scene: Recovered) -> None:
        self.scene = scene

    def code(self, number: str) -> tuple[str, Any]:
        """One more activation of `number`, and its code."""
        inbox = self.scene.provider.smsc.inbox(number)
        seen = sum("activation code" in one.text for one in inbox)
        reply = self.scene.care("issue-activation", IssueActivation(number=number))
        return reply.reference, self.scene.code(number, seen)

    def person(self) -> Person:
        """Somebody new with one phone, money, and a PIN to dial with."""
        found = self.scene.person(funds=500_000)
        _, code = self.code(found.number)
        assert "PIN is set" in self.scene.phone(found.number).set_pin(code, PIN)
        return found

    def another(self, person: Person) -> Person:
        """A further phone of the same person."""
        activation, code = self.code(person.number)
        return self.scene.provider.enrol_phone(person.number, activation, code)

    def own(self, person: Person, *, fresh: bool = False) -> OwnFactors:
        """What the app of `person` asks in a new session, with the PIN given if `fresh`."""
        person.session.establish()
        found = OwnFactors(person.session)
        if fresh:
            found.give_pin(PIN)
        return found

    def device(self, person: Person) -> Device:
        identity = person.keystore.identity()
        return self.scene.provider.platform.desks.devices.get(identity.device)

    def name(self, person: Person) -> str:
        return person.keystore.identity().device

    def remove(self, person: Person, how: str, because: str = "said at the desk") -> Any:
        body = EndDevice(device=self.name(person), how=how, because=because)
        return self.scene.care("remove-device", body)

    def resume(self, person: Person) -> Any:
        """Two people of the care desk let the device act again."""
        body = SuspendDevice(device=self.name(person), suspend=False, because="looked at")
        return self.scene.both("care-desk", "resume-device", body)

    def wiper(self, person: Person) -> Wiper:
        reached = self.scene.provider.reached
        return Wiper(
            self.scene.provider.transport,
            person.keystore,
            lambda: reached.keys(ListedPurpose.SESSION_SIGNATURE),
            reached.name,
            self.scene.clock,
        )

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The public parts of the events of `kind`."""
        return [one["p"] for one in events(self.scene.provider, kind)]

    def told(self, person: Person, words: str) -> str:
        return self.scene.told(person.number, words)


@contextmanager
def lived(folder: Path, change: Callable[[str], str] = str, **changes: Any) -> Iterator[Lived]:
    """The scene, under the demonstration policy as `change` makes it."""
    with recovered(folder, policy_text=change(by_one_operator()), **changes) as scene:
        yield Lived(scene)
