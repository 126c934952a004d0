"""A device shows again what it is, when the provider asks for it.

    StepUpRequired with `evidence:SECONDS` -> challenge -> the platform answers -> proof -> again

Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 8.1.2
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import ClientSession, Peer
from tallystick.infrastructure.envelope.schedule import proof_challenge
from tallystick.kernel.codec import Decoder, b64url_decode
from tallystick.kernel.errors import StepUpRequired
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Clock
from tallystick.protocol.deviceproofs import (
    CHALLENGES_PATH,
    EVIDENCE,
    PROOFS_PATH,
    SIGNALS_PATH,
    DeviceProof,
    DeviceSignals,
    ProofChallenge,
    ProofTaken,
)
from tallystick.protocol.payments import Empty

Prove = Callable[[bytes], DeviceProof]
"""The platform's answer to 32 octets: an assertion, or the chain of a key made for them."""

T = TypeVar("T")
_challenges = Decoder(ProofChallenge)
_taken = Decoder(ProofTaken)
_nothing = Decoder(Empty)


class FreshEvidence:
    """Asks what to answer and answers it, over one session.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
    """

    def __init__(self, session: ClientSession, device: Callable[[], str], prove: Prove) -> None:
        """Answer for `device` (its id) with what `prove` gives.

        Source: RFC 9334, 10
        """
        self._session = session
        self._device = device
        self._prove = prove

    def renew(self) -> ProofTaken:
        """Show again what the device is; gives how far it is trusted now.

        Raises what the provider refuses with: NotPermitted for a device that was copied.
        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        asked = self._session.ask("device.challenge", CHALLENGES_PATH, Empty(), _challenges)
        told = proof_challenge(b64url_decode(asked.challenge), self._device())
        return self._session.ask("device.prove", PROOFS_PATH, self._prove(told), _taken)


class ProvingSession(ClientSession):
    """A session that gives a fresh proof of its device where one is asked for, and asks once more.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.7; 7.3.5
    """

    def __init__(self, peer: Peer, keystore: DeviceKeystore, clock: Clock, prove: Prove) -> None:
        """As any session of `keystore`; `prove` answers for its device.

        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.7
        """
        super().__init__(peer, keystore, clock)
        self._evidence = FreshEvidence(self, lambda: keystore.identity().device, prove)

    def ask(
        self, operation: str, path: str, asked: Wire, decoder: Decoder[T], *, resend: bool = True
    ) -> T:
        """The reply to `asked`; after a fresh proof where the provider wants to see one first.

        Raises what `ClientSession.ask` raises; the second time also where a proof is asked for.
        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        try:
            return super().ask(operation, path, asked, decoder, resend=resend)
        except StepUpRequired as wanted:
            if not asks_for_evidence(wanted):
                raise
            self._evidence.renew()
        return super().ask(operation, path, asked, decoder, resend=resend)


def report(session: ClientSession, signals: Iterable[str]) -> None:
    """Say what the app notices of its own phone, by name of the signal.

    Raises Malformed from the provider for a name that it does not know.
    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """
    told = DeviceSignals(signals=tuple(sorted(set(signals))))
    session.ask("device.report", SIGNALS_PATH, told, _nothing)


def asks_for_evidence(error: StepUpRequired) -> bool:
    """Whether a fresh proof of the device is what `error` asks for.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.2
    """
    return any(one.startswith(EVIDENCE) for one in error.suffices)
