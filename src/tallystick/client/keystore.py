"""Where a device keeps its two keys and what it must remember between sessions.

Two P-256 keys: the possession key signs handshakes without asking, the consent key signs orders and
only after the user was verified. On a phone both live in hardware; `SoftwareKeystore` is for tours,
tests and machines without any, and says so.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.5; 8.1.2; 8.1.5
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keyfile import KeyFile
from tallystick.client.live import Tries
from tallystick.client.meeting import Met
from tallystick.client.softmemory import Kept, kept_in
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.kernel.secret import Secret

SOFTWARE_PROTECTION = "software, no hardware protection"
"""How a software keystore describes itself, to people and to the provider."""

Entropy = Callable[[int], bytes]
"""Gives so many unpredictable octets."""


class UserVerification(Protocol):
    """Asks the person in front of the device to prove that it is they, for what is `shown`.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
    """

    def __call__(self, shown: str) -> None:
        """Return once the user was verified.

        Raises NotAuthentic for whoever is not the user, which is counted, and NotPermitted where
        the user says no, which is not.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        ...


class DeviceKeystore(Met, Protocol):
    """The keys of a device and its small memory; every `store_` is durable when it returns.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
    """

    @property
    def protection(self) -> str:
        """What protects the keys, in words.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        ...

    def possession_public(self) -> bytes:
        """The public possession key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        ...

    def consent_public(self) -> bytes:
        """The public consent key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        ...

    def possession_sign(self, message: bytes) -> bytes:
        """An ES256 signature of 64 octets that shows the device is here.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        ...

    def consent_sign(self, message: bytes, *, shown: str) -> bytes:
        """An ES256 signature of 64 octets, after the user was verified for what is `shown`.

        Raises what `UserVerification` raises, once it is counted durably.
        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        ...

    def tries(self) -> Tries:
        """How often the user's verification failed here, over restarts.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        ...

    def renewal_pairs(self) -> tuple[RenewalPair, ...]:
        """The remembered renewal pairs, newest first; empty before enrolment.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        ...

    def store_renewal_pairs(self, pairs: Sequence[RenewalPair]) -> None:
        """Remember `pairs`, newest first, in place of those before.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        ...

    def identity(self) -> EnrolledIdentity:
        """Who the device is.

        Raises NotFound before enrolment.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        ...

    def store_enrolment(self, identity: EnrolledIdentity, pair: RenewalPair) -> None:
        """Remember who the device is and its first renewal pair, in one step.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        ...

    def checkpoint(self) -> str:
        """The last checkpoint of the provider's tally that was verified; empty for none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def store_checkpoint(self, note: str) -> None:
        """Remember the signed note of a verified checkpoint.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class SoftwareKeystore:
    """Keys in this process and, if it has a file, sealed in it under a passphrase.

    Software, no hardware protection: whoever reads the process or copies the file and knows the
    passphrase has the keys. The provider notices a copy at the next use of either.
    Source: ISO/TS 12812-2:2017, 8.1.2; 7.3.5
    """

    __slots__ = ("_file", "_kept", "_verify", "_writing")

    def __init__(
        self,
        verify_user: UserVerification,
        *,
        file: KeyFile | None = None,
        content: bytes | None = None,
    ) -> None:
        """Hold two fresh keys, or what `content` has; with `file`, fresh ones are written at once.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._verify = verify_user
        self._file = file
        self._writing = threading.Lock()
        if content is not None:
            self._kept = kept_in(content)
        else:
            self._kept = Kept(Es256SigningKey.generate(), Es256SigningKey.generate())
            self._save()

    @classmethod
    def create_file(
        cls,
        path: Path,
        passphrase: Secret[str],
        *,
        entropy: Entropy,
        verify_user: UserVerification,
    ) -> "SoftwareKeystore":
        """A keystore with fresh keys in a new file.

        Raises Conflict if the file is there already.
        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        return cls(verify_user, file=KeyFile.create(path, passphrase, entropy))

    @classmethod
    def open_file(
        cls,
        path: Path,
        passphrase: Secret[str],
        *,
        entropy: Entropy,
        verify_user: UserVerification,
    ) -> "SoftwareKeystore":
        """The keystore in a file.

        Raises NotFound without a file, Malformed for another file, NotAuthentic for another
        passphrase or a changed file.
        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        file, content = KeyFile.open(path, passphrase, entropy)
        return cls(verify_user, file=file, content=content)

    def _save(self) -> None:
        if self._file is not None:
            with self._writing:
                self._file.write(self._kept.encoded())

    @property
    def protection(self) -> str:
        """That there is none in hardware.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        return SOFTWARE_PROTECTION

    def possession_public(self) -> bytes:
        """The public possession key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._kept.possession.public().octets()

    def consent_public(self) -> bytes:
        """The public consent key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._kept.consent.public().octets()

    def possession_sign(self, message: bytes) -> bytes:
        """A signature of 64 octets that shows the keystore is here.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._kept.possession.sign(message)

    def consent_sign(self, message: bytes, *, shown: str) -> bytes:
        """A signature of 64 octets, after the user was verified for what is `shown`.

        Raises what the verification raises; a failed one is on disk then, if there is a file.
        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        try:
            self._verify(shown)
        except NotAuthentic:
            self._count(right=False)
            raise
        if self._kept.tries.in_row:
            self._count(right=True)
        return self._kept.consent.sign(message)

    def _count(self, *, right: bool) -> None:
        self._kept.tries = self._kept.tries.after(right=right)
        self._save()

    def tries(self) -> Tries:
        """How often the user's verification failed; in the file, if there is one.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        return self._kept.tries

    def renewal_pairs(self) -> tuple[RenewalPair, ...]:
        """The remembered renewal pairs, newest first.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return self._kept.pairs

    def store_renewal_pairs(self, pairs: Sequence[RenewalPair]) -> None:
        """Remember `pairs` in place of those before; on disk when it returns, if there is a file.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        self._kept.pairs = tuple(pairs)
        self._save()

    def identity(self) -> EnrolledIdentity:
        """Who the device is.

        Raises NotFound before enrolment.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self._kept.identity is None:
            raise NotFound("the device is not enrolled", remedy="enrol it with an activation code")
        return self._kept.identity

    def store_enrolment(self, identity: EnrolledIdentity, pair: RenewalPair) -> None:
        """Remember who the device is and its first renewal pair, in one step.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._kept.identity = identity
        self._kept.pairs = (pair,)
        self._save()

    def checkpoint(self) -> str:
        """The last verified checkpoint; empty for none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._kept.checkpoint

    def store_checkpoint(self, note: str) -> None:
        """Remember the signed note of a verified checkpoint.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._kept.checkpoint = note
        self._save()

    def met_hybrid(self) -> bool:
        """Whether the provider was met with the hybrid suite: nothing less is offered then.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._kept.hybrid

    def store_met_hybrid(self) -> None:
        """Remember that it was.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._kept.hybrid = True
        self._save()

    def __repr__(self) -> str:
        return f"SoftwareKeystore({self.protection})"
