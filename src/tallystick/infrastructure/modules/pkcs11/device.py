"""The cryptographic module whose keys are in a device: made there, used there, gone with it.

What leaves it are references: the name of a key and, of a pair, its public half, under the same
protection as key blocks. What a token cannot do is refused, and `capabilities` says so beforehand:
plain PKCS #11 cannot translate a PIN block without giving it out in clear, so no PIN comes here.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.2; ISO/IEC 19790; PKCS #11 v3.0
"""

from typing import Any, Final, NoReturn

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, TAG_LENGTH
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.crypto.hpke_agreed import POINT, open_agreed
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.modules import block as key_block
from tallystick.infrastructure.modules.entropy import Entropy, operating_system
from tallystick.infrastructure.modules.interface import (
    ECDSA_P256,
    MECHANISMS,
    MEMORY_ONLY,
    OPERATIONS,
    Capabilities,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.pkcs11 import acts, objects
from tallystick.infrastructure.modules.pkcs11.acts import prove
from tallystick.infrastructure.modules.pkcs11.sessions import Session, Sessions, TokenPlace
from tallystick.infrastructure.modules.pkcs11.starting import driver
from tallystick.infrastructure.modules.pkcs11.vendors import Vendor
from tallystick.infrastructure.modules.states import KeyUse, KnownStates
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import Clock

STATEMENT: Final = "keys in a device behind PKCS #11; PINs are not translated in it"
NO_PINS: Final = "plain PKCS #11 cannot translate or verify a PIN without giving it out in clear"
_CARDS: Final = frozenset(
    purpose
    for purpose, names in MECHANISMS.items()
    if not any(OPERATIONS[name] for name in names) and purpose is not Purpose.CARD_MAC
)
_MOST_RANDOM: Final = 1 << 16
MAKING_S: Final = 10.0
"""How long a token may take to make a key."""


class DeviceModule:
    """Keys in a token behind handles; attributes and purposes both bind a key to its one use.

    Source: ISO/TS 12812-2:2017, 8.2.2; 7.4.2
    """

    def __init__(
        self,
        place: TokenPlace,
        vendor: Vendor,
        roots: key_block.BlockRoots,
        clock: Clock,
        *,
        profile: str = "production",
        entropy: Entropy = operating_system,
        validated_as: str = "",
    ) -> None:
        """A module on the token at `place`, for references of the purposes of `roots`.

        Raises Unavailable where the token does not answer, NotPermitted for a PIN that it refuses.
        Source: ISO/TS 12812-2:2017, 8.2.2
        """
        self._roots = roots
        self._vendor = vendor
        self._clock = clock
        self._profile = profile
        self._entropy = entropy
        self._validated_as = validated_as
        self._handles: dict[str, KeyHandle] = {}
        self._publics: dict[str, bytes] = {}
        self._blocks: dict[str, bytes] = {}
        self.states = KnownStates()
        self._sessions = Sessions(place)
        try:
            listed = self._sessions.mechanisms()
        except MfsError:
            self._sessions.close()
            raise
        self._needs = {
            name: needs
            for name, needs in vendor.needs().items()
            if {needs.make, needs.use} <= listed
        }

    def random(self, length: int) -> bytes:
        """`length` random bytes of the token's own source, at most 65,536.

        Source: ISO/IEC 18031
        """
        if not 0 <= length <= _MOST_RANDOM:
            raise Malformed(f"between 0 and {_MOST_RANDOM} random bytes can be drawn at once")
        if not length:
            return b""
        found: bytes = self._sessions.ask(lambda at: bytes(at.open.generate_random(8 * length)))
        return found

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key made in the token for `purpose`, proved by using it once.

        Without a `mechanism` the first that the token offers is taken. Raises NotPermitted for what
        purpose or token exclude.
        Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.2
        """
        if purpose in _CARDS:
            raise NotPermitted(f"a {purpose.value} key is not for this module", because=NO_PINS)
        admitted = MECHANISMS[purpose]
        chosen = mechanism or next((one for one in admitted if one in self._needs), admitted[0])
        if chosen not in admitted or purpose in MEMORY_ONLY:
            raise NotPermitted(f"a {purpose.value} key does not use {chosen[:40]!r} in a token")
        objects.refuse_unsupported(chosen, set(self._needs))
        handle = KeyHandle(
            id=random_id("key", self._entropy(16)),
            purpose=purpose,
            mechanism=chosen,
            exportable=True,
            created_at=self._clock.now(),
        )
        header = key_block.header_of(handle, self._profile)
        self._roots.wrapping(header)
        public = self._make(handle)
        self._remember(handle, public)
        prove(self, handle)
        name = sha256(public) if public else b""
        self._blocks[handle.id] = key_block.wrap_reference(
            self._roots, header, name, self._entropy(NONCE_LENGTH)
        )
        return handle

    def export_block(self, handle: KeyHandle) -> bytes:
        """The reference to the key; the key itself does not leave.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._blocks[self._known(handle).id]

    def import_block(self, block: bytes) -> KeyHandle:
        """The key that a reference names, if the token has it and its attributes are as made.

        Raises NotAuthentic for a changed reference or another public half, NotPermitted for a key
        block or another profile, NotFound where the token has no such key, Broken for weak ones.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if not key_block.is_reference(block):
            raise NotPermitted(
                "a device takes no key from outside", remedy="make a key in it: keys renew"
            )
        header, name = key_block.unwrap_reference(self._roots, block)
        if header.profile != self._profile:
            raise NotPermitted(f"a key made for {header.profile} does not serve {self._profile}")
        handle = key_block.handle_of(header)
        self.states.admit(handle.id)
        objects.refuse_unsupported(handle.mechanism, set(self._needs))
        loaded = self._handles.get(handle.id)
        if loaded is not None:
            if loaded != handle:
                raise Conflict("another key with this id is loaded")
            return handle
        public = self._sessions.ask(lambda at: self._looked_up(at, handle), unknown=True)
        if name != (sha256(public) if public else b""):
            raise NotAuthentic("the key in the token is not the one that was made")
        self._remember(handle, public)
        self._blocks[handle.id] = block
        return handle

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key; NotPermitted for secret keys.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        known = self._known(handle)
        if not self._publics[known.id]:
            raise NotPermitted(f"a {known.purpose.value} key has no public half")
        return self._publics[known.id]

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`: 64 bytes.

        Source: ISO/IEC 14888-3; RFC 8032
        """
        known = self._for(handle, Operation.SIGN, KeyUse.PROTECT)
        octets = sha256(message) if known.mechanism == ECDSA_P256 else message
        return self.use(known, octets)

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`: as many bytes as the hash has.

        Source: ISO/IEC 9797-2
        """
        return self.use(self._for(handle, Operation.MAC, KeyUse.PROTECT), message)

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: ISO/IEC 9797-2
        """
        known = self._for(handle, Operation.MAC, KeyUse.CHECK)
        if not equal(self.use(known, message), tag):
            raise NotAuthentic("the code does not verify")

    def cmac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The AES-CMAC of `message` under a `card-mac` key: 16 bytes.

        Source: ISO/IEC 9797-1, algorithm 5; NIST SP 800-38B
        """
        known = self._known(handle)
        if known.purpose is not Purpose.CARD_MAC:
            raise NotPermitted(f"a {known.purpose.value} key is not for mac")
        self.states.check(known.id, KeyUse.PROTECT, known.purpose.value)
        return self.use(known, message)

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad`; `nonce` (12 bytes) is used once.

        Source: ISO/IEC 19772
        """
        if len(nonce) != NONCE_LENGTH:
            raise Malformed("a nonce has 12 bytes")
        known = self._for(handle, Operation.SEAL, KeyUse.PROTECT)
        self.states.count(known.id)
        name = known.id.encode()
        return self._sessions.ask(lambda at: acts.seal(at, name, nonce, plaintext, aad))

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; raises NotAuthentic if anything was changed.

        Source: ISO/IEC 19772
        """
        known = self._for(handle, Operation.SEAL, KeyUse.OPEN)
        if len(nonce) != NONCE_LENGTH or len(sealed) < TAG_LENGTH:
            raise NotAuthentic("the sealed data does not verify")

        name = known.id.encode()
        return self._sessions.ask(lambda at: acts.open_sealed(at, name, nonce, sealed, aad))

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half; raises NotAuthentic otherwise.

        The token computes the agreement, which serves this one message; the rest is done here.
        Source: RFC 9180, 6.1
        """
        known = self._for(handle, Operation.KEM_OPEN, KeyUse.OPEN)
        public, point = self._publics[known.id], sealed[:POINT]
        try:
            KemPublicKey(KemSuite.P256, point)
        except Malformed as error:
            raise NotAuthentic("the sealed message does not open") from error
        agreed = self._sessions.ask(lambda at: acts.agree(self._key(at, known), point))
        return open_agreed(agreed, public, sealed, info)

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """Refused: a seed that comes sealed would be in clear outside of the token.

        Source: RFC 9180, 6.1; ISO/TS 12812-2:2017, 7.4.2
        """
        self._known(handle)
        raise NotPermitted("a device takes no key from outside", remedy="use the software module")

    def destroy(self, handle: KeyHandle) -> None:
        """Take the key out of the token for good; references outside are their keeper's to delete.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        known = self._known(handle)
        name = known.id.encode()
        self._sessions.ask(lambda at: objects.destroy(at, known.mechanism, name))
        for table in (self._handles, self._publics, self._blocks):
            table.pop(known.id, None)

    def zeroise(self) -> None:
        """Close the sessions, forget handles and roots, and refuse all service from now on.

        The keys stay in the token, which protects them.
        Source: ISO/TS 12812-2:2017, 8.2.2; ISO/IEC 19790
        """
        self._sessions.close()
        for table in (self._handles, self._publics, self._blocks):
            table.clear()
        self._roots = key_block.BlockRoots({})

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(self._handles.values())

    def capabilities(self) -> Capabilities:
        """What the module is and is not: above all, that PINs are not translated in it.

        Source: ISO/TS 12812-2:2017, 8.2.2
        """
        offered = set(self._needs)
        purposes = tuple(
            one
            for one in self._roots.purposes()
            if one not in _CARDS and offered & set(MECHANISMS[one])
        )
        simulated = "" if self._vendor.hardware else "; this token is software, for tests"
        return Capabilities(
            name="pkcs11",
            statement=STATEMENT + simulated,
            hardware_boundary=self._vendor.hardware,
            validated_as=self._validated_as if self._vendor.hardware else "",
            profile=self._profile,
            mechanisms=tuple(sorted(offered)),
            purposes=purposes,
            atomic_pin_translation=False,
            in_device=purposes,
        )

    def self_test(self) -> tuple[str, ...]:
        """Make a key of each mechanism for the length of this call, and use it both ways.

        Source: ISO/TS 12812-2:2017, 8.2.2; ISO/IEC 19790
        """
        for mechanism in self._needs:
            purpose = next(one for one, names in MECHANISMS.items() if mechanism in names)
            if mechanism in MECHANISMS[Purpose.CARD_MAC]:
                purpose = Purpose.CARD_MAC
            name = random_id("key", self._entropy(16))
            handle = KeyHandle(
                id=name, purpose=purpose, mechanism=mechanism, exportable=False, created_at=0
            )
            self._remember(handle, self._make(handle))
            try:
                prove(self, handle)
            finally:
                self.destroy(handle)
        return tuple(self._needs)

    def __repr__(self) -> str:
        return f"DeviceModule({self._profile}, {len(self._handles)} keys)"

    def _make(self, handle: KeyHandle) -> bytes:
        needs, label = self._needs[handle.mechanism], objects.own_label(handle.purpose, handle.id)
        return self._sessions.ask(
            lambda at: objects.make(
                at, handle.mechanism, needs, key_id=handle.id.encode(), label=label
            ),
            least_s=MAKING_S,
        )

    def _looked_up(self, at: Session, handle: KeyHandle) -> bytes:
        objects.check(self._key(at, handle), handle.mechanism)
        return objects.public_half(at, handle.mechanism, handle.id.encode())

    def _key(self, at: Session, handle: KeyHandle) -> Any:
        return objects.find(at, objects.class_of(handle.mechanism), handle.id.encode())

    def use(self, known: KeyHandle, octets: bytes) -> bytes:
        """What the token makes of `octets` with a key that signs or makes codes.

        Source: PKCS #11 v3.0, 5.11
        """
        use = driver().Mechanism[self._needs[known.mechanism].use]
        return self._sessions.ask(
            lambda at: bytes(self._key(at, known).sign(octets, mechanism=use))
        )

    def _remember(self, handle: KeyHandle, public: bytes) -> None:
        self._handles[handle.id] = handle
        self._publics[handle.id] = public

    def _known(self, handle: KeyHandle) -> KeyHandle:
        self._sessions.check_open()
        known = self._handles.get(handle.id)
        if known is None:
            raise NotFound("the module has no such key", remedy="import its reference first")
        return known

    def _for(self, handle: KeyHandle, operation: Operation, use: KeyUse) -> KeyHandle:
        known = self._known(handle)
        if operation not in OPERATIONS[known.mechanism]:
            self._refuse(known, operation)
        self.states.check(known.id, use, known.purpose.value)
        return known

    def _refuse(self, known: KeyHandle, operation: Operation) -> NoReturn:
        raise NotPermitted(f"a {known.purpose.value} key is not for {operation.value}")
