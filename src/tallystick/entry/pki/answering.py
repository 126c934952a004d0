"""What the running service answers about certificates and time.

What is revoked on the command line is in the register; the service looks whether it has grown when
it is asked, at most every half second: a revocation counts within a second.

Source: ISO/TS 12812-2:2017, 3.23; 7.4.2; RFC 6960; RFC 3161
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.entry.pki.places import CertificateFolder
from tallystick.infrastructure.crypto.certify import pem_of, public_of, public_of_signer
from tallystick.infrastructure.crypto.x509 import (
    Certificate,
    Roots,
    certificates_in,
    read_certificate,
)
from tallystick.infrastructure.modules.clock import clock_state, elapsed_ms
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.pki.profiles import ROOT
from tallystick.infrastructure.pki.register import Register
from tallystick.infrastructure.pki.responder import Delegate, Responder
from tallystick.infrastructure.timestamps.authority import (
    Practice,
    StampingAuthority,
)
from tallystick.infrastructure.timestamps.clocks import ClockGuard
from tallystick.kernel.errors import NotFound, Unavailable
from tallystick.kernel.time import Clock, Instant

LOOK_MS: Final = 500
_Handles = Mapping[Purpose, tuple[KeyHandle, ...]]


class CertificateDesk:
    """Answers for the certificates in one provider's folder.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(
        self,
        folder: CertificateFolder,
        module: CryptoModule,
        handles: _Handles,
        clock: Clock,
        elapsed: Callable[[], int] = elapsed_ms,
    ) -> None:
        """Take up what is there; raises NotFound where no root was made.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._folder = folder
        self._clock = clock
        self._elapsed = elapsed
        self.register: Register = folder.register()
        self._looked_at = elapsed()
        certified = self._certified(module, handles)
        delegates = {
            authority: Delegate(certificate, signer)
            for authority, name, certificate, signer in certified
            if name == "ocsp"
        }
        self._responder = Responder(self.register, delegates)
        self._stamping = self._authority(module, certified)

    def _certified(
        self, module: CryptoModule, handles: _Handles
    ) -> list[tuple[str, str, Certificate, ModuleSigner]]:
        """The keys at hand that a certificate in force is over, the oldest first."""
        signers = {
            public_of_signer(signer): signer
            for purpose in (Purpose.OCSP_RESPONDER, Purpose.TIME_STAMP)
            for signer in (ModuleSigner(module, one) for one in handles.get(purpose, ()))
        }
        found: list[tuple[str, str, Certificate, ModuleSigner]] = []
        for one in self.register.certificates():
            if one.profile in {"ocsp", "tsa"} and not one.revoked_at:
                certificate = read_certificate(one.octets)
                signer = signers.get(public_of(certificate))
                if signer is not None:
                    found.append((one.authority, one.profile, certificate, signer))
        return found

    def _authority(
        self,
        module: CryptoModule,
        certified: list[tuple[str, str, Certificate, ModuleSigner]],
    ) -> StampingAuthority | None:
        own = [(certificate, signer) for _, name, certificate, signer in certified if name == "tsa"]
        settings = self._folder.settings()
        if not own or not settings.policy:
            return None
        certificate, signer = own[-1]
        declared = settings.clock == "declared"
        guard = ClockGuard(settings.accuracy_ms, clock_state, self._elapsed, declared=declared)
        return StampingAuthority(
            (certificate, self.register.authority("services")),
            signer,
            Practice(settings.policy, settings.accuracy_ms, settings.ordered),
            guard,
            module.random,
        )

    def look(self) -> None:
        """Read what was added to the register, at most every half second.

        Source: RFC 5280, 5
        """
        elapsed = self._elapsed()
        if elapsed - self._looked_at >= LOOK_MS:
            self._looked_at = elapsed
            self.register.refresh()

    def status(self, question: bytes) -> bytes:
        """The responder's answer to `question`, both in DER.

        Source: RFC 6960, 2
        """
        self.look()
        return self._responder.answer(question, self._clock.now())

    def stamp(self, question: bytes) -> bytes:
        """The time-stamping authority's answer to `question`, both in DER.

        Raises Unavailable where there is no authority.
        Source: RFC 3161, 2
        """
        if self._stamping is None:
            raise Unavailable(
                "there is no time-stamping authority here",
                remedy="make one: tallystick pki stamping",
            )
        return self._stamping.answer(question, self._clock.now())

    @property
    def stamps(self) -> bool:
        """Whether there is a time-stamping authority.

        Source: RFC 3161
        """
        return self._stamping is not None

    def listed(self, name: str, *, delta: bool) -> bytes:
        """The newest list of the authority `name`, in DER; raises NotFound.

        Source: RFC 5280, 5
        """
        if name in self.register.authorities():
            file = self._folder.list_file(name, delta=delta)
            if file.exists():
                return file.read_bytes()
        raise NotFound("there is no such list")

    def certificate(self, name: str) -> Certificate:
        """The certificate of the authority `name`; raises NotFound.

        Source: RFC 5280, 4.2.2.1
        """
        return self.register.authority(name)

    def roots(self) -> Roots:
        """The root, pinned.

        Source: RFC 5280, 6.1.1
        """
        return certificates_in(pem_of(self.register.authority(ROOT).octets).encode())

    def now(self) -> Instant:
        """The present instant.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return self._clock.now()
