"""The app's side of the simulated TEE: a keystore that asks over a socket and never has a key.

Source: ISO/TS 12812-2:2017, 8.1.3; 7.3.5
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from simulators.tee.inside import at_the_screen
from simulators.tee.wire import ANSWER, APP, SCREEN, Answer, Asked, raise_refusal, receive, send
from tallystick.client.identity import EnrolledIdentity
from tallystick.client.live import Tries
from tallystick.client.vault.sealing import KeptPair, ProviderPin
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import NotFound, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import Attestation

PROTECTION = "simulated TEE, a process and no hardware"
"""How the keystore describes itself, to people and to the provider."""


class SimulatedTee:
    """The process, and the person in front of its screen.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    def __init__(
        self, folder: Path, person: Callable[[str], str | None], made_at: int = 1_767_225_600_000
    ) -> None:
        """Start it on `folder`; `person` reads each text and gives a PIN, or None for a no.

        Raises Unavailable if it does not start.
        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.tee", str(folder), str(made_at)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        if self.process.stdout.readline() != b"ready\n":
            self.stop()
            raise Unavailable("the simulated TEE did not start")
        self._screen = _linked(folder / SCREEN)
        self._person = threading.Thread(
            target=at_the_screen, args=(self._screen, person), daemon=True
        )
        self._person.start()

    def keystore(self) -> "TeeKeystore":
        """A keystore of an app on this phone.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        return TeeKeystore(self.folder)

    def stop(self) -> None:
        """End the process.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        if hasattr(self, "_screen"):
            self._screen.close()
        self.process.kill()
        self.process.communicate()


class TeeKeystore:
    """A `DeviceKeystore` whose keys are in another process; simulated, no hardware.

    Source: ISO/TS 12812-2:2017, 8.1.3; 7.3.5
    """

    def __init__(self, folder: Path) -> None:
        """Reach the simulated TEE in `folder`; raises Unavailable if it is not there.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        self._link = _linked(folder / APP)
        self._one = threading.Lock()

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
        return b64url_decode(self._ask(Asked(does="possession-public")).octets)

    def consent_public(self) -> bytes:
        """The public consent key: 65 octets.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return b64url_decode(self._ask(Asked(does="consent-public")).octets)

    def possession_sign(self, message: bytes) -> bytes:
        """An ES256 signature of 64 octets that shows the device is here.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        asked = Asked(does="possession-sign", octets=b64url(message))
        return b64url_decode(self._ask(asked).octets)

    def consent_sign(self, message: bytes, *, shown: str) -> bytes:
        """An ES256 signature of 64 octets, after the PIN was typed on the TEE's own screen.

        Raises NotAuthentic for a wrong PIN, NotPermitted for a no or after too many.
        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        asked = Asked(does="consent-sign", octets=b64url(message), shown=shown)
        return b64url_decode(self._ask(asked).octets)

    def tries(self) -> Tries:
        """How often a wrong PIN was typed.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        return self._ask(Asked(does="tries")).tries

    def renewal_pairs(self) -> tuple[RenewalPair, ...]:
        """The remembered renewal pairs, newest first.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return tuple(
            RenewalPair(counter=one.counter, secret=Secret(b64url_decode(one.secret)))
            for one in self._ask(Asked(does="pairs")).pairs
        )

    def store_renewal_pairs(self, pairs: Sequence[RenewalPair]) -> None:
        """Remember `pairs`, newest first, in place of those before.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        self._ask(Asked(does="store-pairs", pairs=tuple(map(_kept, pairs))))

    def identity(self) -> EnrolledIdentity:
        """Who the device is; raises NotFound before enrolment.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        found = self._ask(Asked(does="identity")).identity
        if found is None:
            raise NotFound("the device is not enrolled", remedy="enrol it with an activation code")
        return found

    def store_enrolment(self, identity: EnrolledIdentity, pair: RenewalPair) -> None:
        """Remember who the device is and its first renewal pair, in one step.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._ask(Asked(does="store-enrolment", identity=identity, pairs=(_kept(pair),)))

    def checkpoint(self) -> str:
        """The last verified checkpoint; empty for none.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._ask(Asked(does="checkpoint")).text

    def store_checkpoint(self, note: str) -> None:
        """Remember the signed note of a verified checkpoint.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._ask(Asked(does="store-checkpoint", text=note))

    def met_hybrid(self) -> bool:
        """Whether the provider was met with the hybrid suite: nothing less is offered then.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._ask(Asked(does="met-hybrid")).text == "yes"

    def store_met_hybrid(self) -> None:
        """Remember that it was.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._ask(Asked(does="store-met-hybrid"))

    def bind(self, pin: ProviderPin) -> None:
        """Take `pin` for the provider of this keystore, once and for all.

        Raises NotAuthentic if it is another than the one before.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._ask(Asked(does="bind", pin=pin))

    def counter(self) -> int:
        """How often the TEE wrote: a number that only grows.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        return self._ask(Asked(does="counter")).number

    def attest(self, challenge: bytes) -> Attestation:
        """Both keys, attested by the simulated factory.

        Source: ISO/TS 12812-2:2017, 7.4.1; RFC 9334, 8.1
        """
        answer = self._ask(Asked(does="attest", octets=b64url(challenge)))
        return Attestation(format=answer.text, statement=answer.octets)

    def appraisal(self) -> str:
        """The text of a policy of appraisal that believes this simulated factory, labelled so.

        Source: RFC 9334, 8.3
        """
        return self._ask(Asked(does="appraisal")).text

    def close(self) -> None:
        """Leave the TEE.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        self._link.close()

    def _ask(self, asked: Asked) -> Answer:
        with self._one:
            send(self._link, asked)
            answer = ANSWER.decode(receive(self._link))
        raise_refusal(answer)
        return answer

    def __repr__(self) -> str:
        return f"TeeKeystore({self.protection})"


def _kept(pair: RenewalPair) -> KeptPair:
    return KeptPair(counter=pair.counter, secret=b64url(pair.secret.reveal()))


def _linked(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(30)
    try:
        link.connect(str(path))
    except OSError as error:
        link.close()
        raise Unavailable("there is no simulated TEE", remedy="start it") from error
    return link
