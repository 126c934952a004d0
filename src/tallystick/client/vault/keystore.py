"""A keystore in software whose consent key only its person's PIN opens, on its own device only.

    vault = Vault.create(path, anchor, ask, pin, entropy=...)     once
    vault = Vault.open(path, anchor, ask, entropy=...)            then
    vault.lock()                                                  when the app goes to sleep

Each PIN is counted, durably, before it is tried; after `MOST_TRIES` wrong ones in a row the keys
are erased. Software, no hardware protection: see docs/explanation/client-keys.md.

Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.5; 7.3.5
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import Entropy
from tallystick.client.live import Tries
from tallystick.client.vault.anchor import DeviceAnchor
from tallystick.client.vault.entering import AsksPin, Cost, check_pin, consent_seal
from tallystick.client.vault.places import private_folder
from tallystick.client.vault.sealing import FORMAT, Header, KeptPair, Memory, ProviderPin, VaultFile
from tallystick.infrastructure.crypto.aead import NONCE_LENGTH
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret, SecretBuffer

MOST_TRIES: Final = 5
"""So many wrong PINs in a row erase the keys."""

PROTECTION: Final = "software, bound to device and PIN"
"""How a vault describes itself, to people and to the provider."""

_CONSENT: Final = b"tallystick vault consent key"


class Vault:
    """A `DeviceKeystore` in a file; safe to share between threads.

    Source: ISO/TS 12812-2:2017, 8.1.2; 7.3.5
    """

    __slots__ = ("_ask", "_busy", "_entropy", "_file", "_memory", "_possession", "_public")

    def __init__(self, file: VaultFile, memory: Memory, ask: AsksPin, entropy: Entropy) -> None:
        """Hold what `file` has; use `create` or `open`.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        self._file, self._memory, self._ask, self._entropy = file, memory, ask, entropy
        self._busy = threading.RLock()
        with file.possession() as octets:
            self._possession: Es256SigningKey | None = Es256SigningKey.from_pkcs8(octets.reveal())
        self._public = self._possession.public().octets()

    @classmethod
    def create(
        cls,
        path: Path,
        anchor: DeviceAnchor,
        ask: AsksPin,
        pin: SecretBuffer,
        *,
        entropy: Entropy,
        cost: Cost | None = None,
    ) -> "Vault":
        """Two fresh keys in a new file; `pin` is cleared.

        Raises Conflict if there is one, Malformed for a PIN that is guessed first, NotPermitted for
        a place that others can get at.
        Source: ISO/TS 12812-2:2017, 7.4.1; 8.1.2
        """
        with pin:
            check_pin(pin)
            header = Header(
                format=FORMAT,
                id=b64url(entropy(16)),
                salt=b64url(entropy(16)),
                cost=cost or Cost(),
            )
            private_folder(path.parent)
            file = VaultFile(path, header, anchor, entropy)
            possession, consent = Es256SigningKey.generate(), Es256SigningKey.generate()
            with SecretBuffer(consent.to_pkcs8().reveal()) as secret:
                sealed = _sealed(file, pin, secret, entropy)
        memory = Memory(
            generation=anchor.counter() + 1,
            consent=sealed,
            consent_public=b64url(consent.public().octets()),
        )
        with SecretBuffer(possession.to_pkcs8().reveal()) as secret:
            file.write(memory, secret)
        return cls(file, memory, ask, entropy)

    @classmethod
    def open(cls, path: Path, anchor: DeviceAnchor, ask: AsksPin, *, entropy: Entropy) -> "Vault":
        """The vault in the file at `path`.

        Raises what `VaultFile.open` raises: NotPermitted for a file that was put back, NotAuthentic
        on another device.
        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        file, memory = VaultFile.open(path, anchor, entropy)
        return cls(file, memory, ask, entropy)

    @property
    def protection(self) -> str:
        """That there is none in hardware.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        return PROTECTION

    def lock(self) -> None:
        """Forget every key; each use fails with NotPermitted until the file is opened again.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.2.3
        """
        with self._busy:
            self._possession = None
            self._memory = replace(self._memory, pairs=(), consent="")
            self._file.close()

    def possession_public(self) -> bytes:
        """The public possession key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._public

    def consent_public(self) -> bytes:
        """The public consent key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return b64url_decode(self._memory.consent_public)

    def possession_sign(self, message: bytes) -> bytes:
        """A signature of 64 octets that shows the device is here.

        Raises NotPermitted while it is locked.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._check_open().sign(message)

    def consent_sign(self, message: bytes, *, shown: str) -> bytes:
        """A signature of 64 octets with the key that the PIN for what is `shown` opens.

        Raises NotAuthentic for a wrong PIN, NotPermitted where the person says no, the keystore is
        locked, or this was the last try: then the keys are erased.
        Source: ISO/TS 12812-2:2017, 8.1.5; 8.1.2
        """
        with self._ask(shown) as pin, self._busy, self._opened(pin) as secret:
            return Es256SigningKey.from_pkcs8(secret.reveal()).sign(message)

    def change_pin(self, shown: str, new: SecretBuffer) -> None:
        """Seal the consent key under `new`, which is cleared, once the old PIN opened it.

        Raises what `consent_sign` raises, and Malformed for a PIN that is guessed first.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.2
        """
        with new:
            check_pin(new)
            with self._ask(shown) as pin, self._busy, self._opened(pin) as secret:
                self._save(consent=_sealed(self._file, new, secret, self._entropy))

    def _opened(self, pin: SecretBuffer) -> SecretBuffer:
        """The consent key in a buffer; the try is on disk before the PIN is tried."""
        self._check_open()
        before = self._memory.tries
        if before.in_row >= MOST_TRIES:
            self._erase()
        self._save(tries=before.after(right=False))
        try:
            secret = _unsealed(self._file, pin, self._memory.consent)
        except NotAuthentic:
            if self._memory.tries.in_row >= MOST_TRIES:
                self._erase()
            raise
        self._save(tries=before.after(right=True))
        return secret

    def _check_open(self) -> Es256SigningKey:
        if self._possession is None:
            raise NotPermitted("the keystore is locked", remedy="open it again")
        return self._possession

    def _erase(self) -> NoReturn:
        self._file.destroy()
        self.lock()
        raise NotPermitted(
            "the keys were erased after too many wrong PINs",
            because="tries",
            remedy="enrol the device again",
        )

    def _save(self, **changes: Any) -> None:
        with self._busy:
            generation = self._memory.generation + 1
            memory = replace(self._memory, generation=generation, **changes)
            self._file.write(memory)
            self._memory = memory

    def bind(self, pin: ProviderPin) -> None:
        """Take `pin` for the provider of this keystore, once and for all.

        Raises NotAuthentic if it is another than the one before.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.2
        """
        if self._memory.pin is None:
            self._save(pin=pin)
        elif self._memory.pin != pin:
            raise NotAuthentic(
                "this keystore belongs to another provider, or to another root of it",
                remedy="install the app from the store of the phone, and enrol again",
            )

    def tries(self) -> Tries:
        """How often a wrong PIN was typed, over restarts.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        with self._busy:
            return self._memory.tries

    def renewal_pairs(self) -> tuple[RenewalPair, ...]:
        """The remembered renewal pairs, newest first.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return tuple(
            RenewalPair(counter=one.counter, secret=Secret(b64url_decode(one.secret)))
            for one in self._memory.pairs
        )

    def store_renewal_pairs(self, pairs: Sequence[RenewalPair]) -> None:
        """Remember `pairs` in place of those before; on disk when it returns.

        Raises Conflict if a copy of this keystore wrote in between.
        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        self._save(pairs=tuple(map(_kept, pairs)))

    def identity(self) -> EnrolledIdentity:
        """Who the device is.

        Raises NotFound before enrolment.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self._memory.identity is None:
            raise NotFound("the device is not enrolled", remedy="enrol it with an activation code")
        return self._memory.identity

    def store_enrolment(self, identity: EnrolledIdentity, pair: RenewalPair) -> None:
        """Remember who the device is and its first renewal pair, in one step.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._save(identity=identity, pairs=(_kept(pair),))

    def checkpoint(self) -> str:
        """The last verified checkpoint; empty for none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._memory.checkpoint

    def store_checkpoint(self, note: str) -> None:
        """Remember the signed note of a verified checkpoint.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._save(checkpoint=note)

    def met_hybrid(self) -> bool:
        """Whether the provider was met with the hybrid suite: nothing less is offered then.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._memory.hybrid

    def store_met_hybrid(self) -> None:
        """Remember that it was.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._save(hybrid=True)

    def __repr__(self) -> str:
        return f"Vault({self.protection})"


def _kept(pair: RenewalPair) -> KeptPair:
    return KeptPair(counter=pair.counter, secret=b64url(pair.secret.reveal()))


def _sealed(file: VaultFile, pin: SecretBuffer, secret: SecretBuffer, entropy: Entropy) -> str:
    with file.anchor.secret() as device:
        seal = consent_seal(pin, device, file.header.salt, file.header.cost)
    nonce = entropy(NONCE_LENGTH)
    return b64url(nonce + seal.seal(nonce, bytes(secret.reveal()), _CONSENT))


def _unsealed(file: VaultFile, pin: SecretBuffer, sealed: str) -> SecretBuffer:
    with file.anchor.secret() as device:
        seal = consent_seal(pin, device, file.header.salt, file.header.cost)
    octets = b64url_decode(sealed)
    return seal.open_cleared(octets[:NONCE_LENGTH], octets[NONCE_LENGTH:], _CONSENT)
