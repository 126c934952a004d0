"""What runs inside the simulated TEE: the keys, the screen, the counter, the factory's word.

Source: ISO/TS 12812-2:2017, 8.1.3; 8.1.5
"""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

from simulators.keymint import SimulatedFactory, attest_pair
from simulators.tee.wire import (
    SHOWN,
    TYPED,
    Answer,
    Asked,
    Shown,
    Typed,
    receive,
    refusal,
    send,
)
from tallystick.client.vault.anchor import FolderAnchor
from tallystick.client.vault.entering import Cost
from tallystick.client.vault.keystore import Vault
from tallystick.client.vault.sealing import KeptPair
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import MfsError, NotPermitted, Unavailable
from tallystick.kernel.secret import Secret, SecretBuffer

CHOOSE = "Choose a PIN for this phone (simulated TEE)"
"""What the screen shows once, before there are keys."""

MACHINE = b"simulated fuses"
LIGHT = Cost(memory_kib=1024, passes=1)
"""Inside a TEE tries are counted, and guessing is slow because of that; so one may be cheap."""


class TrustedScreen:
    """The screen: one person at a time in front of it; texts one after the other.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    def __init__(self) -> None:
        self._person: socket.socket | None = None
        self._here = threading.Condition()

    def sit_down(self, link: socket.socket) -> None:
        """Take `link` for the person from now on.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        with self._here:
            self._person = link
            self._here.notify_all()

    def __call__(self, shown: str) -> SecretBuffer:
        """Show the text; gives the PIN. Raises NotPermitted for a no, or where nobody looks.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        with self._here:
            if not self._here.wait_for(lambda: self._person is not None, timeout=10):
                raise NotPermitted("nobody is in front of the phone", remedy="unlock it")
            link = self._person
            assert link is not None  # noqa: S101 - waited for above
            try:
                send(link, Shown(text=shown))
                typed = TYPED.decode(receive(link))
            except Unavailable as error:
                self._person = None
                raise NotPermitted("the person has gone away", remedy="nothing was done") from error
        if not typed.willing:
            raise NotPermitted("the person did not confirm", remedy="nothing was signed")
        return SecretBuffer(typed.pin.encode())


class TrustedApplication:
    """Answers what an app asks; there is no question whose answer is a key.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    def __init__(self, folder: Path, screen: TrustedScreen, made_at: int) -> None:
        """The keys in `folder`, the flash of the simulated phone; new ones once a PIN is chosen.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        self._screen = screen
        self._factory = SimulatedFactory(made_at)
        self._busy = threading.Lock()
        self._place = folder / "flash" / "keys"
        if (folder / "fuses").exists():
            self._anchor = FolderAnchor(folder / "fuses", MACHINE)
        else:
            self._anchor = FolderAnchor.create(folder / "fuses", MACHINE, operating_system)
        self._vault: Vault | None = None
        self._does: dict[str, Callable[[Vault, Asked], Answer]] = {
            "possession-public": lambda vault, _: _octets(vault.possession_public()),
            "consent-public": lambda vault, _: _octets(vault.consent_public()),
            "possession-sign": self._possession_sign,
            "consent-sign": self._consent_sign,
            "tries": lambda vault, _: Answer(tries=vault.tries()),
            "pairs": self._pairs,
            "store-pairs": self._store_pairs,
            "identity": lambda vault, _: Answer(identity=vault.identity()),
            "store-enrolment": self._store_enrolment,
            "checkpoint": lambda vault, _: Answer(text=vault.checkpoint()),
            "store-checkpoint": self._store_checkpoint,
            "met-hybrid": lambda vault, _: Answer(text="yes" if vault.met_hybrid() else ""),
            "store-met-hybrid": self._store_met_hybrid,
            "bind": self._bind,
            "counter": lambda _, __: Answer(number=self._anchor.counter()),
            "attest": self._attest,
            "appraisal": lambda _, __: Answer(text=self._factory.policy_text()),
        }

    def answer(self, asked: Asked) -> Answer:
        """The answer, or the refusal, to one question.

        Source: ISO/TS 12812-2:2017, 8.1.3
        """
        try:
            act = self._does.get(asked.does)
            if act is None:
                raise NotPermitted("the simulated TEE does no such thing")
            return act(self._opened(), asked)
        except MfsError as error:
            return refusal(error)

    def _opened(self) -> Vault:
        with self._busy:
            if self._vault is None:
                if self._place.exists() or self._anchor.counter():
                    self._vault = Vault.open(
                        self._place, self._anchor, self._screen, entropy=operating_system
                    )
                else:
                    self._vault = Vault.create(
                        self._place,
                        self._anchor,
                        self._screen,
                        self._screen(CHOOSE),
                        entropy=operating_system,
                        cost=LIGHT,
                    )
            return self._vault

    def _possession_sign(self, vault: Vault, asked: Asked) -> Answer:
        return _octets(vault.possession_sign(b64url_decode(asked.octets)))

    def _consent_sign(self, vault: Vault, asked: Asked) -> Answer:
        return _octets(vault.consent_sign(b64url_decode(asked.octets), shown=asked.shown))

    def _pairs(self, vault: Vault, _: Asked) -> Answer:
        pairs = (
            KeptPair(counter=one.counter, secret=b64url(one.secret.reveal()))
            for one in vault.renewal_pairs()
        )
        return Answer(pairs=tuple(pairs))

    def _store_pairs(self, vault: Vault, asked: Asked) -> Answer:
        vault.store_renewal_pairs(tuple(map(_pair, asked.pairs)))
        return Answer()

    def _store_enrolment(self, vault: Vault, asked: Asked) -> Answer:
        if asked.identity is None or len(asked.pairs) != 1:
            raise NotPermitted("an enrolment has an identity and one pair")
        vault.store_enrolment(asked.identity, _pair(asked.pairs[0]))
        return Answer()

    def _store_checkpoint(self, vault: Vault, asked: Asked) -> Answer:
        vault.store_checkpoint(asked.text)
        return Answer()

    def _store_met_hybrid(self, vault: Vault, _: Asked) -> Answer:
        vault.store_met_hybrid()
        return Answer()

    def _bind(self, vault: Vault, asked: Asked) -> Answer:
        if asked.pin is None:
            raise NotPermitted("a provider is needed")
        vault.bind(asked.pin)
        return Answer()

    def _attest(self, vault: Vault, asked: Asked) -> Answer:
        keys = (vault.possession_public(), vault.consent_public())
        challenge = b64url_decode(asked.octets)
        attested = attest_pair(self._factory, challenge, *keys, self._factory.phone())
        return Answer(text=attested.format, octets=attested.statement)


def _octets(octets: bytes) -> Answer:
    return Answer(octets=b64url(octets))


def _pair(kept: KeptPair) -> RenewalPair:
    return RenewalPair(counter=kept.counter, secret=Secret(b64url_decode(kept.secret)))


def at_the_screen(link: socket.socket, person: Callable[[str], str | None]) -> None:
    """Be the person: `person` reads each text and gives a PIN, or None for a no.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """
    while True:
        try:
            shown = SHOWN.decode(receive(link))
            pin = person(shown.text)
            send(link, Typed(pin=pin or "", willing=pin is not None))
        except Unavailable:
            return
