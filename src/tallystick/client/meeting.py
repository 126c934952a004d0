"""What a device offers a provider that it has met: never less than what it was met with.

    met with the hybrid once -> the hybrid alone, from then on      there is no way back

Source: ISO/TS 12812-2:2017, 7.2.6; 7.2.7
"""

from collections.abc import Sequence
from typing import Final, Protocol

from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.kernel.errors import UpgradeRequired

HYBRID: Final = KemSuite.MLKEM768_X25519


class Met(Protocol):
    """Remembers, as long as a device's keys last, whether its provider was met with the hybrid.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def met_hybrid(self) -> bool:
        """Whether the provider was met with the hybrid suite.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        ...

    def store_met_hybrid(self) -> None:
        """Remember durably that it was.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        ...


def offered(suites: Sequence[KemSuite], met: Met | None) -> tuple[KemSuite, ...]:
    """Those of `suites` that may be offered, in their order.

    Raises UpgradeRequired where none is left.
    Source: ISO/TS 12812-2:2017, 7.2.6; 7.2.7
    """
    only = met is not None and met.met_hybrid()
    found = tuple(one for one in suites if one is HYBRID or not only)
    if not found:
        raise UpgradeRequired(
            "this app has none of the suites that it may offer",
            remedy="give it an ML-KEM-768: this provider was met with it",
        )
    return found


def remember(suite: KemSuite, met: Met | None) -> None:
    """Keep that an authenticated provider chose `suite`.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    if met is not None and suite is HYBRID and not met.met_hybrid():
        met.store_met_hybrid()
