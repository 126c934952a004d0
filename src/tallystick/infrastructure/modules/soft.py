"""The module that runs in this process, for where no hardware is at hand.

It is designed to the requirements of ISO/IEC 19790 level 1 and is not validated: the boundary is
the process, and Python cannot promise that every copy of a key is overwritten. `capabilities` says
so, and the policy may refuse to run an act on it.

Source: ISO/TS 12812-2:2017, 8.2.3; 7.4.2; ISO/IEC 19790
"""

from collections.abc import Mapping
from typing import NoReturn

from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.registry import Status, require, require_for_checking
from tallystick.infrastructure.crypto.registry import mechanism as registered
from tallystick.infrastructure.modules import block as key_block
from tallystick.infrastructure.modules.card_gate import CardGate, CardHost
from tallystick.infrastructure.modules.card_interface import STRICT, CardRules
from tallystick.infrastructure.modules.entropy import Entropy, WatchedEntropy
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    CHECKING_ONLY,
    LONGEST_SEED,
    MECHANISMS,
    MEMORY_ONLY,
    OPERATIONS,
    SEED_INFO,
    SHORTEST_SEED,
    Capabilities,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.soft_blocks import SoftKeyBlocks
from tallystick.infrastructure.modules.soft_chips import SoftChips
from tallystick.infrastructure.modules.soft_data import SoftData
from tallystick.infrastructure.modules.soft_issuing import SoftIssuing
from tallystick.infrastructure.modules.soft_pairs import SoftPairs
from tallystick.infrastructure.modules.soft_pins import SoftPins
from tallystick.infrastructure.modules.soft_scripts import SoftScripts
from tallystick.infrastructure.modules.soft_states import SoftStates
from tallystick.infrastructure.modules.soft_transport import SoftTransport
from tallystick.infrastructure.modules.standing import KnownAnswer, Standing
from tallystick.infrastructure.modules.tables import KeyTables, fresh_material
from tallystick.infrastructure.modules.wallet_pins import SoftWalletPins
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import Clock

STATEMENT = "software module designed to ISO/IEC 19790 level 1, not validated"


class SoftModule:
    """Keys in this process, behind handles; a key's purpose decides what can be done with it.

    A known answer precedes the first use of each mechanism; a wrong one ends all service.
    Source: ISO/TS 12812-2:2017, 8.2.3; 7.4.2
    """

    def __init__(
        self,
        roots: key_block.BlockRoots,
        clock: Clock,
        *,
        profile: str = "production",
        entropy: Entropy | None = None,
        known_answers: Mapping[str, KnownAnswer] = KNOWN_ANSWERS,
        rules: CardRules = STRICT,
    ) -> None:
        """A module that opens blocks of the purposes of `roots` made under the same `profile`.

        `rules` says what it does with cards beyond what is approved: nothing, unless told.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        self._roots = roots
        self._clock = clock
        self._profile = profile
        self._entropy = entropy if entropy is not None else WatchedEntropy()
        self.standing = Standing(known_answers, self._forget_all)
        self._keys = KeyTables()
        self._signers = self._keys.signers
        self._receivers = self._keys.receivers
        self._prepared = self._keys.prepared
        self._ciphers = self._keys.ciphers
        self._rules = rules
        self.states = SoftStates(self._keys)
        host = CardHost(
            *(self._known, self._draw, self.standing.prove, self._take),
            *(self.states.count, self.states.refuse, profile),
        )
        gate = CardGate(host, self._keys.cards, rules)
        self.key_blocks = SoftKeyBlocks(gate)
        self.pins = SoftPins(gate)
        self.chips = SoftChips(gate)
        self.wallet_pins = SoftWalletPins(host, self._keys.doors, self.mac)
        self.data = SoftData(gate)
        self.issuing = SoftIssuing(gate)
        self.scripts = SoftScripts(gate)
        self.pairs = SoftPairs(host, gate, self._keys.pairs)
        self.transport = SoftTransport(gate, self.pairs, self.destroy)

    def random(self, length: int) -> bytes:
        """`length` random bytes.

        Source: ISO/IEC 18031
        """
        self.standing.check()
        return self._draw(length)

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key for `purpose`, proved by a pairwise test where it has two halves.

        Raises NotPermitted for a mechanism that the purpose or the registry excludes.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
        """
        self.standing.check()
        chosen = mechanism or self._roots.preferred(purpose) or MECHANISMS[purpose][0]
        if purpose in ADMITTED_ONLY:
            raise NotPermitted(f"a {purpose.value} comes in; none is made here")
        self._admit(purpose, chosen)
        require(chosen, self._rules.admitted, now=self._clock.now())
        handle = self._name(purpose, chosen)
        self._keep(handle, fresh_material(purpose, chosen, self._draw))
        self._check_pair(handle)
        return handle

    def export_block(self, handle: KeyHandle) -> bytes:
        """The key of `handle`, wrapped with its purpose; NotPermitted for keys of memory only.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        known = self._known(handle)
        if not known.exportable:
            raise NotPermitted(f"a {known.purpose.value} key never leaves the module")
        block = key_block.wrapped_now(self._roots, self._keys.blocks[known.id], self._draw)
        self._keys.blocks[known.id] = block
        return block

    def import_block(self, block: bytes) -> KeyHandle:
        """The key in `block`; the same handle again if it is loaded already.

        Raises NotAuthentic for a changed block, NotPermitted for one of another purpose than this
        module serves, of another profile, or with a mechanism that its purpose excludes.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        self.standing.check()
        header, material = key_block.unwrap_now(self._roots, block)
        self.states.admit(header.id)
        if header.profile != self._profile:
            raise NotPermitted(
                f"a key made for {header.profile} does not serve {self._profile}",
                remedy="generate a key under this profile",
            )
        self._admit(header.purpose, header.mechanism)
        handle = key_block.handle_of(header)
        loaded = self._keys.handles.get(handle.id)
        if loaded is None:
            self._keys.install(handle, material)
            self._keys.blocks[handle.id] = block
            self.states.settle(handle.id)
        elif loaded != handle:
            raise Conflict("another key with this id is loaded")
        return handle

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key; NotPermitted for secret keys.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        known = self._known(handle)
        if known.id in self._signers:
            return self._signers[known.id].public().octets()
        if known.id in self._receivers:
            return self._receivers[known.id].public().octets()
        raise NotPermitted(f"a {known.purpose.value} key has no public half")

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`: 64 bytes.

        Source: ISO/IEC 14888-3; RFC 8032
        """
        signer = self._signers.get(handle.id)
        if signer is None:
            self._refuse(handle, Operation.SIGN)
        return signer.sign(message)

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`: 32 bytes, 16 under a key of a SIM.

        Under an OTP seed as many as the hash of its mechanism has.

        Source: ISO/IEC 9797-2; ISO/IEC 9797-1
        """
        prepared = self._prepared.get(handle.id) or self._keys.prepare(handle.id)
        if prepared is None:
            self._refuse(handle, Operation.MAC)
        return prepared(message)

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: ISO/IEC 9797-2
        """
        past = self.states.checker(handle.id)
        if not equal(self.mac(handle, message) if past is None else past(message), tag):
            raise NotAuthentic("the code does not verify")

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad`; `nonce` (12 bytes) is used once.

        Source: ISO/IEC 19772
        """
        cipher = self._ciphers.get(handle.id)
        if cipher is None:
            self._refuse(handle, Operation.SEAL)
        self.states.count(handle.id)
        return cipher.seal(nonce, plaintext, aad)

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; raises NotAuthentic if anything was changed.

        Source: ISO/IEC 19772
        """
        cipher = self._ciphers.get(handle.id) or self.states.opener(handle.id)
        if cipher is None:
            self._refuse(handle, Operation.SEAL)
        return cipher.open(nonce, sealed, aad)

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half; raises NotAuthentic otherwise.

        Source: RFC 9180, 6.1
        """
        receiver = self._receivers.get(handle.id)
        if receiver is None:
            self._refuse(handle, Operation.KEM_OPEN)
        return receiver.open(sealed, info=info)

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """The OTP seed that was sealed to the public half, as a key for `mechanism`; it stays here.

        Raises NotAuthentic for what does not open, Malformed for a seed of another length.
        Source: RFC 9180, 6.1; RFC 4226, 4
        """
        if self._known(handle).purpose is not Purpose.OTP_TRANSPORT:
            raise NotPermitted(f"a {handle.purpose.value} key brings in no seeds")
        self._admit(Purpose.OTP_SEED, mechanism)
        seed = self.kem_open(handle, sealed, info=SEED_INFO + mechanism.encode())
        if not SHORTEST_SEED <= len(seed) <= LONGEST_SEED:
            raise Malformed(f"a seed has {SHORTEST_SEED} to {LONGEST_SEED} bytes")
        taken = self._name(Purpose.OTP_SEED, mechanism)
        self._keep(taken, seed)
        return taken

    def destroy(self, handle: KeyHandle) -> None:
        """Forget the key; blocks outside are their keeper's to delete.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._keys.forget(self._known(handle))

    def zeroise(self) -> None:
        """Forget every key and every root, and refuse all service from now on.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        self.standing.zeroised()

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(self._keys.handles.values())

    def held(self, key_id: str) -> KeyHandle | None:
        """The handle of the key with this id as the module has it; None if it is not loaded.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._keys.handles.get(key_id)

    def capabilities(self) -> Capabilities:
        """What the module is and is not.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        return Capabilities(
            name="soft",
            statement=STATEMENT,
            hardware_boundary=False,
            validated_as="",
            profile=self._profile,
            mechanisms=tuple(name for name in OPERATIONS if self._admits(name)),
            purposes=(*self._roots.purposes(), *sorted(MEMORY_ONLY)),
            atomic_pin_translation=True,
            pins_in_software=self._rules.pins_in_software,
        )

    def self_test(self) -> tuple[str, ...]:
        """Run every known answer now; the mechanisms that passed.

        Raises Broken if one failed; the module then forgets its keys and serves no more.
        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        return self.standing.prove_all()

    def __repr__(self) -> str:
        return f"SoftModule({self._profile}, {len(self._keys.handles)} keys)"

    def _refuse(self, handle: KeyHandle, operation: Operation) -> NoReturn:
        self.states.refuse(self._known(handle), operation.value)

    def _known(self, handle: KeyHandle) -> KeyHandle:
        self.standing.check()
        known = self._keys.handles.get(handle.id)
        if known is None:
            raise NotFound("the module has no such key", remedy="import its block first")
        return known

    def _name(self, purpose: Purpose, mechanism: str) -> KeyHandle:
        return KeyHandle(
            id=random_id("key", self._draw(16)),
            purpose=purpose,
            mechanism=mechanism,
            exportable=purpose not in MEMORY_ONLY,
            created_at=self._clock.now(),
        )

    def _keep(self, handle: KeyHandle, material: bytes) -> None:
        sealed = None
        if handle.exportable:
            header = key_block.header_of(handle, self._profile)
            sealed = key_block.wrap(self._roots, header, material, self._draw(12))
        self._keys.install(handle, material)
        if sealed is not None:
            self._keys.blocks[handle.id] = sealed

    def _take(self, purpose: Purpose, mechanism: str, material: bytes) -> KeyHandle:
        """A handle for a card key that came in a key block or was derived inside.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.standing.check()
        self._admit(purpose, mechanism)
        handle = self._name(purpose, mechanism)
        self._keep(handle, material)
        return handle

    def _admits(self, name: str) -> bool:
        if registered(name).status is Status.APPROVED or name in self._rules.admitted:
            return True
        return any(name in MECHANISMS[purpose] for purpose in CHECKING_ONLY)

    def _draw(self, length: int) -> bytes:
        try:
            return self._entropy(length)
        except Broken as error:
            self.standing.stop(error)
            raise

    def _admit(self, purpose: Purpose, mechanism: str) -> None:
        if mechanism not in MECHANISMS[purpose]:
            raise NotPermitted(
                f"a {purpose.value} key does not use {mechanism[:40]!r}",
                remedy=f"use one of {', '.join(MECHANISMS[purpose])}",
            )
        if purpose in CHECKING_ONLY:
            require_for_checking(mechanism)
        else:
            require(mechanism, self._rules.admitted)
        if mechanism not in self.standing.proved:
            self.standing.prove(mechanism)

    def _check_pair(self, handle: KeyHandle) -> None:
        try:
            self._keys.check_pair(handle)
        except Broken as error:
            self.standing.stop(error)
            raise

    def _forget_all(self) -> None:
        """Leave no key that an operation could find.

        Source: ISO/IEC 19790
        """
        self._keys.clear()
        self._roots = key_block.BlockRoots({})
