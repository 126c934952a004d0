"""A key for a partner's link out of components: each from another custodian, none seen by another.

    begin -> enter (custodian, component, its check value) ... -> finish (check value of the key)

No component is kept: each is folded into what was entered before, and an end without all of them
leaves nothing. The order does not matter, and one component tells nothing about the key.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; ANSI X9.24-1, 7.3
"""

from tallystick.infrastructure.crypto.blocks import Aes, exclusive_or
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CARD_USES, CardMaterial
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

LEAST_CUSTODIANS = 2


class Components:
    """The entry of one key wrapping key; it never prints.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_custodians", "_folded", "_gate", "_mechanism", "_wanted")

    def __init__(self, gate: CardGate, mechanism: str, custodians: int) -> None:
        """Expect a component of each of so many `custodians`, two or more, for an AES key.

        Raises NotPermitted for another mechanism, Malformed for fewer custodians.
        Source: ISO 11568
        """
        if not mechanism.startswith("aes") or mechanism not in CARD_LENGTHS:
            raise NotPermitted("a key made of components is an AES key", remedy="use aes-256")
        if custodians < LEAST_CUSTODIANS:
            raise Malformed("a key has two components or more", remedy="name another custodian")
        gate.admit("keyblock-d")
        self._gate = gate
        self._mechanism = mechanism
        self._wanted = custodians
        self._custodians: list[str] = []
        self._folded = bytes(CARD_LENGTHS[mechanism])

    def enter(self, custodian: str, component: Secret[bytes], check_value: bytes) -> None:
        """Take the `component` of a custodian, if its check value (3 bytes) is the one on paper.

        Raises Conflict for a custodian who was here or is one too many, Malformed for another
        length or an empty component, NotAuthentic for another check value; it can be entered again.
        Source: ISO 11568; ANSI X9.24-1, 7.3
        """
        if custodian in self._custodians:
            raise Conflict("one custodian enters one component", because="split knowledge")
        if len(self._custodians) == self._wanted:
            raise Conflict("all components are there", remedy="finish, or begin anew")
        octets = component.reveal()
        if len(octets) != len(self._folded) or octets == bytes(len(octets)):
            raise Malformed(f"a component has {len(self._folded)} bytes that are not all zero")
        if not equal(Aes(octets).check_value(), check_value):
            raise NotAuthentic("the check value is another one", remedy="enter the component again")
        self._folded = exclusive_or(self._folded, octets)
        self._custodians.append(custodian)

    def finish(self, check_value: bytes) -> KeyHandle:
        """The key as a handle that wraps keys of one link; nothing is left here afterwards.

        Raises Conflict while a component is missing, NotAuthentic if the check value of the whole
        key is another one: the entry is over then, and begins anew.
        Source: ISO 11568; X9.143
        """
        missing = self._wanted - len(self._custodians)
        if missing:
            raise Conflict(f"{missing} components are missing", because="split knowledge")
        octets = self._folded
        self.abort()
        if not equal(Aes(octets).check_value(), check_value):
            raise NotAuthentic("the key has another check value", remedy="begin anew")
        use = CARD_USES[Purpose.KEY_WRAP]
        found = CardMaterial(
            mode=use.mode, exportability=use.exportability, ident=b"", octets=octets
        )
        return self._gate.take(Purpose.KEY_WRAP, self._mechanism, found)

    def abort(self) -> None:
        """Forget what was entered.

        Source: ISO 11568
        """
        self._folded = bytes(len(self._folded))
        self._custodians.clear()

    def __repr__(self) -> str:
        return f"Components({len(self._custodians)} of {self._wanted})"
