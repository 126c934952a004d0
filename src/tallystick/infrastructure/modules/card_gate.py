"""The gate before every operation with a key of cards: the right key, a mechanism that is let in.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO/IEC 19790
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from tallystick.infrastructure.crypto.registry import require
from tallystick.infrastructure.modules.card_interface import CardMaterial, CardOperation, CardRules
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.kernel.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class CardHost:
    """What the gate needs of the module that it stands in, and what nobody else is handed.

    `known` gives the handle as the module has it, `draw` random bytes, `prove` runs the known
    answer of a mechanism, `take` keeps packed key material under a new handle. `count` counts a
    use, `refuse` says why a key is not for an operation. `profile` keeps test keys apart.
    Source: ISO/TS 12812-2:2017, 8.2.3
    """

    known: Callable[[KeyHandle], KeyHandle]
    draw: Callable[[int], bytes]
    prove: Callable[[str], None]
    take: Callable[[Purpose, str, bytes], KeyHandle]
    count: Callable[[str], None]
    refuse: Callable[[KeyHandle, str], NoReturn]
    profile: str


class CardGate:
    """Finds the key of a handle for one operation, and admits what the operation is built on.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = ("_host", "_keys", "draw", "profile", "ready", "rules")

    def __init__(self, host: CardHost, keys: Mapping[str, CardKey], rules: CardRules) -> None:
        """Stand before `keys`; `ready` names what is admitted and proved, `draw` gives octets.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._host = host
        self._keys = keys
        self.draw = host.draw
        self.profile = host.profile
        self.ready: set[str] = set()
        self.rules = rules

    def find(self, handle: KeyHandle, operation: CardOperation) -> CardKey:
        """The key of `handle`, only if its purpose and its mode have this operation.

        The use of a key that has a limit counts. Raises NotPermitted otherwise, and for a key that
        was used as often as it may be; NotFound for one that is not loaded.
        Source: ISO/TS 12812-2:2017, 7.4.2; X9.143, 6
        """
        found = self._keys.get(handle.id)
        if found is None or operation not in found.operations:
            self._host.refuse(self._host.known(handle), operation.value)
        if found.limited:
            self._host.count(found.handle.id)
        return found

    def held(self, handle: KeyHandle) -> CardKey:
        """The key of `handle` whatever it is for; NotPermitted for one that is not of cards.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._keys.get(handle.id)
        if found is None:
            known = self._host.known(handle)
            raise NotPermitted(f"a {known.purpose.value} key does not travel in a key block")
        if not found.leaves:
            self._host.refuse(found.handle, "leaving in a key block")
        return found

    def admit(self, name: str) -> None:
        """Return only if the mechanism `name` is let in; it has proved itself then.

        Raises NotPermitted for what the rules do not admit.
        Source: ISO/TS 12812-2:2017, C; ISO/IEC 19790
        """
        if name not in self.ready:
            require(name, self.rules.admitted)
            self._host.prove(name)
            self.ready.add(name)

    def admit_pins(self) -> None:
        """Return only if PINs may be in a module that is software; raises NotPermitted otherwise.

        Source: ISO/TS 12812-2:2017, 8.2.2; PCI PIN
        """
        if not self.rules.pins_in_software:
            raise NotPermitted(
                "PINs of cards are not handled in a software module",
                remedy="use a hardware module, or let the policy of a closed loop allow it",
                because="pins-in-software",
            )

    def take(self, purpose: Purpose, mechanism: str, found: CardMaterial) -> KeyHandle:
        """A new handle for a key that came in or was derived.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._host.take(purpose, mechanism, found.pack())
