"""A module lent to a rehearsal: it answers as ever and is left as it was.

Keys that come in during a rehearsal leave with it; no other key can be destroyed or change its
state through it. Uses are counted: what a key did, it did.

Source: ISO/TS 12812-2:2017, 8.2.1; 7.4.2
"""

from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import (
    Capabilities,
    CryptoModule,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.states import KeyStates
from tallystick.kernel.errors import NotPermitted


class LentModule:
    """Another module, of which a rehearsal takes nothing away and in which it leaves nothing.

    Source: ISO/TS 12812-2:2017, 8.2.1; 7.4.2
    """

    def __init__(self, module: CryptoModule) -> None:
        """Lend `module`, on the one thread that uses it.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        self._module = module
        self._brought: dict[str, KeyHandle] = {}
        self._kept: dict[str, KeyHandle] = {}
        self._there: set[str] | None = None

    def end(self) -> None:
        """Let every key go that came in since the last end.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._there = None
        while self._brought:
            self._module.destroy(self._brought.popitem()[1])

    def keep(self) -> None:
        """Let what came in stay for all rehearsals that follow, until `close`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._there = None
        self._kept |= self._brought
        self._brought.clear()

    def close(self) -> None:
        """Let every key go that ever came in.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._brought |= self._kept
        self._kept.clear()
        self.end()

    def _bring(self, handle: KeyHandle) -> KeyHandle:
        self._brought[handle.id] = handle
        return handle

    @property
    def states(self) -> KeyStates:
        """In which state each key is.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        return self._module.states

    def random(self, length: int) -> bytes:
        """`length` random bytes.

        Source: ISO/IEC 18031
        """
        return self._module.random(length)

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key, until the end.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._bring(self._module.generate(purpose, mechanism=mechanism))

    def export_block(self, handle: KeyHandle) -> bytes:
        """The key, wrapped.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        return self._module.export_block(handle)

    def import_block(self, block: bytes) -> KeyHandle:
        """The key in a block; if it was not loaded before, until the end.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        if self._there is None:
            self._there = {one.id for one in self._module.handles()}
        was_there = peek(block).id in self._there
        handle = self._module.import_block(block)
        return handle if was_there else self._bring(handle)

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        return self._module.public_octets(handle)

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`.

        Source: ISO/IEC 14888-3
        """
        return self._module.sign(handle, message)

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`.

        Source: ISO/IEC 9797-2; ISO/IEC 9797-1
        """
        return self._module.mac(handle, message)

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: ISO/IEC 9797-2
        """
        self._module.verify_mac(handle, message, tag)

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad` under a nonce used once.

        Source: ISO/IEC 19772
        """
        return self._module.seal(handle, nonce, plaintext, aad)

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; raises NotAuthentic if anything was changed.

        Source: ISO/IEC 19772
        """
        return self._module.open(handle, nonce, sealed, aad)

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half; raises NotAuthentic otherwise.

        Source: RFC 9180, 6.1
        """
        return self._module.kem_open(handle, sealed, info=info)

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """The OTP seed that was sealed to the public half, until the end.

        Source: RFC 9180, 6.1; RFC 4226, 4
        """
        return self._bring(self._module.kem_admit(handle, sealed, mechanism))

    def destroy(self, handle: KeyHandle) -> None:
        """Forget the key if it came in during this rehearsal; any other one stays.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if self._brought.pop(handle.id, None) is not None:
            self._module.destroy(handle)

    def zeroise(self) -> None:
        """Raise NotPermitted: what is lent is not the borrower's to end.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        raise NotPermitted("a rehearsal ends no module")

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._module.handles()

    def capabilities(self) -> Capabilities:
        """What the module is and is not.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        return self._module.capabilities()

    def self_test(self) -> tuple[str, ...]:
        """Run every known answer; the mechanisms that passed. Raises Broken if one did not.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        return self._module.self_test()
