"""A time-stamping authority of ours for tests, under the hierarchy of `tests.support.hierarchy`."""

from tests.support.hierarchy import Hierarchy

from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in
from tallystick.infrastructure.modules.clock import ClockState
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.pki.profiles import profile
from tallystick.infrastructure.timestamps.authority import Practice, StampingAuthority
from tallystick.infrastructure.timestamps.clocks import ClockGuard
from tallystick.kernel.time import Instant

__all__ = ["POLICY", "Kernel", "authority", "roots_of"]

POLICY = "1.3.6.1.4.1.99999.1.1"


class Kernel:
    """A kernel whose clock is kept, until a test says otherwise."""

    def __init__(self) -> None:
        self.state: ClockState | None = ClockState(synchronised=True, most_off_ms=5)
        self.elapsed = 1_000_000

    def say(self) -> ClockState | None:
        return self.state

    def tick(self) -> int:
        return self.elapsed


def authority(
    made: Hierarchy,
    kernel: Kernel | None = None,
    *,
    practice: Practice | None = None,
    declared: bool = False,
    now: Instant | None = None,
) -> StampingAuthority:
    signer = made.signer(Purpose.TIME_STAMP)
    services = made.authorities["services"]
    own = services.certify(profile("tsa"), ("stamps",), signer, now or made.now)
    asked = kernel or Kernel()
    promised = practice or Practice(POLICY)
    guard = ClockGuard(promised.accuracy_ms, asked.say, asked.tick, declared=declared)
    return StampingAuthority(
        (own, services.certificate), signer, promised, guard, made.module.random
    )


def roots_of(made: Hierarchy) -> tuple[Certificate, ...]:
    return certificates_in(pem_of(made.root.certificate.octets).encode())
