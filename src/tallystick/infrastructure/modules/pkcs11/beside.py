"""A device beside the software module: named purposes have their keys in it, the rest do not.

A handle is looked up where its key is, so a purpose that moves into the device keeps its older keys
where they were made.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.2
"""

from collections.abc import Iterable

from tallystick.infrastructure.modules.block import is_reference
from tallystick.infrastructure.modules.interface import (
    Capabilities,
    CryptoModule,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.model import replace


class BothStates:
    """The states of keys in two modules: each is told of all, since a key may be in either.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_both", "_soft")

    def __init__(self, soft: CryptoModule, device: CryptoModule) -> None:
        self._soft = soft.states
        self._both = (soft.states, device.states)

    def of(self, key_id: str) -> KeyState:
        """See `KeyStates.of`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._soft.of(key_id)

    def put(self, key_id: str, state: KeyState) -> None:
        """See `KeyStates.put`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for one in self._both:
            one.put(key_id, state)

    def used(self, key_id: str) -> int:
        """See `KeyStates.used`.

        Source: ISO 11568
        """
        return max(one.used(key_id) for one in self._both)

    def recall(self, key_id: str, used: int) -> None:
        """See `KeyStates.recall`.

        Source: ISO 11568
        """
        for one in self._both:
            one.recall(key_id, used)


class DeviceBeside:
    """One module out of two; what it says of itself is what its weaker half is.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    def __init__(self, soft: CryptoModule, device: CryptoModule, inside: Iterable[Purpose]) -> None:
        """Keys of the purposes `inside` are made in `device` from now on.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._device = device
        self._inside = frozenset(inside)
        self._held: dict[str, KeyHandle] = {}
        self.soft = soft
        self.states = BothStates(soft, device)

    def random(self, length: int) -> bytes:
        """`length` random bytes of the software module, whose source is watched.

        Source: ISO/IEC 18031
        """
        return self.soft.random(length)

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key for `purpose`, made where its keys are.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if purpose not in self._inside:
            return self.soft.generate(purpose, mechanism=mechanism)
        handle = self._device.generate(purpose, mechanism=mechanism)
        self._held[handle.id] = handle
        return handle

    def export_block(self, handle: KeyHandle) -> bytes:
        """The block of a key, or the reference to one in the device.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._at(handle).export_block(handle)

    def import_block(self, block: bytes) -> KeyHandle:
        """The key in a block, or the one that a reference names.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if not is_reference(block):
            return self.soft.import_block(block)
        handle = self._device.import_block(block)
        self._held[handle.id] = handle
        return handle

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        return self._at(handle).public_octets(handle)

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`.

        Source: ISO/IEC 14888-3
        """
        return self._at(handle).sign(handle, message)

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`.

        Source: ISO/IEC 9797-2
        """
        return self._at(handle).mac(handle, message)

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`.

        Source: ISO/IEC 9797-2
        """
        self._at(handle).verify_mac(handle, message, tag)

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad`.

        Source: ISO/IEC 19772
        """
        return self._at(handle).seal(handle, nonce, plaintext, aad)

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext.

        Source: ISO/IEC 19772
        """
        return self._at(handle).open(handle, nonce, sealed, aad)

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half.

        Source: RFC 9180, 6.1
        """
        return self._at(handle).kem_open(handle, sealed, info=info)

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """The OTP seed that was sealed to the public half.

        Source: RFC 9180, 6.1; RFC 4226, 4
        """
        return self._at(handle).kem_admit(handle, sealed, mechanism)

    def destroy(self, handle: KeyHandle) -> None:
        """Forget the key; one in the device is taken out of it.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._at(handle).destroy(handle)
        self._held.pop(handle.id, None)

    def zeroise(self) -> None:
        """Forget every key here, and leave the device.

        Source: ISO/TS 12812-2:2017, 8.2.1; ISO/IEC 19790
        """
        self.soft.zeroise()
        self._device.zeroise()

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded in either.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return (*self.soft.handles(), *self._device.handles())

    def capabilities(self) -> Capabilities:
        """What the software module is, and which purposes have their keys in the device.

        Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2
        """
        soft, device = self.soft.capabilities(), self._device.capabilities()
        inside = tuple(sorted(self._inside & set(device.purposes)))
        return replace(
            soft,
            name=f"{soft.name} and {device.name}",
            statement=f"{soft.statement}; for {', '.join(inside)}: {device.statement}",
            in_device=inside,
        )

    def self_test(self) -> tuple[str, ...]:
        """The mechanisms that passed in either.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        return tuple(dict.fromkeys((*self.soft.self_test(), *self._device.self_test())))

    def _at(self, handle: KeyHandle) -> CryptoModule:
        return self._device if handle.id in self._held else self.soft
