"""A simulated Android phone: a keystore as a TEE would offer it, in this process's memory.

What a TEE forbids, the simulation allows on purpose: `clone()` copies the whole state, keys
included, so that a tour can show what the provider notices about a copy.

Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.1; 8.1.3
"""

from collections.abc import Callable, Sequence
from threading import Lock

from simulators.keymint import Phone, SimulatedFactory, attest_pair
from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import UserVerification
from tallystick.client.live import Tries
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.errors import NotAuthentic, NotFound, NotPermitted
from tallystick.protocol.enrolment import Attestation

PROTECTION = "simulated TEE keystore"
"""How the keystore describes itself, to people and to the provider."""

Decide = Callable[[str], bool]
"""Whether the person says yes to what is shown."""


class SimulatedPerson:
    """The person in front of a simulated phone: looks at what is shown, and says yes or no.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """

    def __init__(self, decide: Decide = lambda _: True) -> None:
        """Say yes unless told otherwise; remember everything shown. A `stranger` is not let in.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        self.decide = decide
        self.stranger = False
        self.saw: list[str] = []

    def __call__(self, shown: str) -> None:
        """Look at `shown`. Raises NotPermitted for a no, NotAuthentic for a stranger.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        self.saw.append(shown)
        if self.stranger:
            raise NotAuthentic("this is not the person", remedy="nothing was signed")
        if not self.decide(shown):
            raise NotPermitted("the person did not confirm", remedy="nothing was signed")


class SimulatedTeeKeystore:
    """Two keys and the device's memory behind the interface of a keystore; simulated, no hardware.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.3
    """

    def __init__(self, verify_user: UserVerification | None = None) -> None:
        """Generate both keys; a person who always says yes unless another one is given.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._verify: UserVerification = verify_user or SimulatedPerson()
        self._possession = Es256SigningKey.generate()
        self._consent = Es256SigningKey.generate()
        self._pairs: tuple[RenewalPair, ...] = ()
        self._identity: EnrolledIdentity | None = None
        self._checkpoint = ""
        self._hybrid = False
        self._void = ""
        self._tries = Tries()
        self._lock = Lock()

    def clone(self, verify_user: UserVerification | None = None) -> "SimulatedTeeKeystore":
        """A copy of everything, as malware with root or a stolen backup would take it.

        From now on the two remember on their own. `verify_user` is the thief's.
        Source: ISO/TS 12812-2:2017, 7.3.5; D
        """
        copy = SimulatedTeeKeystore(verify_user or self._verify)
        with self._lock:
            copy._possession = self._possession
            copy._consent = self._consent
            copy._pairs = self._pairs
            copy._identity = self._identity
            copy._checkpoint = self._checkpoint
            copy._hybrid = self._hybrid
            copy._tries = self._tries
        return copy

    @property
    def protection(self) -> str:
        """That it is simulated.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        return PROTECTION

    def possession_public(self) -> bytes:
        """The public possession key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._possession.public().octets()

    def consent_public(self) -> bytes:
        """The public consent key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._consent.public().octets()

    def possession_sign(self, message: bytes) -> bytes:
        """An ES256 signature of 64 octets that shows the device is here.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._possession.sign(message)

    def consent_sign(self, message: bytes, *, shown: str) -> bytes:
        """An ES256 signature of 64 octets, after the person said yes to what is `shown`.

        Raises NotPermitted if the person did not or the key is void, NotAuthentic for somebody
        else, whom the keystore counts.
        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        if self._void:
            raise NotPermitted(
                "the consent key is void", because=self._void, remedy="enrol the phone again"
            )
        try:
            self._verify(shown)
        except NotAuthentic:
            with self._lock:
                self._tries = self._tries.after(right=False)
            raise
        with self._lock:
            self._tries = self._tries.after(right=True)
        return self._consent.sign(message)

    def tries(self) -> Tries:
        """How often somebody else was at the phone.

        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
        """
        return self._tries

    def change_biometrics(self) -> None:
        """Enrol another finger or face: the phone voids the key that the old ones unlocked.

        Source: ISO 19092; ISO/TS 12812-2:2017, 7.3.2
        """
        self._void = "biometrics-changed"

    def attest(
        self, challenge: bytes, factory: SimulatedFactory, phone: Phone | None = None
    ) -> Attestation:
        """Both keys attested by `factory`, as a phone's keystore would; simulated, and says so.

        `phone` is what the keystore writes of itself: a patched one, locked and verified.
        Source: ISO/TS 12812-2:2017, 7.4.1; RFC 9334, 8.1
        """
        keys = (self.possession_public(), self.consent_public())
        return attest_pair(factory, challenge, *keys, phone or factory.phone())

    def renewal_pairs(self) -> tuple[RenewalPair, ...]:
        """The remembered renewal pairs, newest first; empty before enrolment.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return self._pairs

    def store_renewal_pairs(self, pairs: Sequence[RenewalPair]) -> None:
        """Remember `pairs`, newest first, in place of those before.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        with self._lock:
            self._pairs = tuple(pairs)

    def identity(self) -> EnrolledIdentity:
        """Who the device is.

        Raises NotFound before enrolment.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self._identity is None:
            raise NotFound("the device is not enrolled", remedy="enrol it with an activation code")
        return self._identity

    def store_enrolment(self, identity: EnrolledIdentity, pair: RenewalPair) -> None:
        """Remember who the device is and its first renewal pair, in one step.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        with self._lock:
            self._identity = identity
            self._pairs = (pair,)

    def checkpoint(self) -> str:
        """The last checkpoint of the provider's tally that was verified; empty for none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._checkpoint

    def store_checkpoint(self, note: str) -> None:
        """Remember the signed note of a verified checkpoint.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._lock:
            self._checkpoint = note

    def met_hybrid(self) -> bool:
        """Whether the provider was met with the hybrid suite: nothing less is offered then.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._hybrid

    def store_met_hybrid(self) -> None:
        """Remember that it was.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        with self._lock:
            self._hybrid = True

    def __repr__(self) -> str:
        return f"SimulatedTeeKeystore({self.protection})"
