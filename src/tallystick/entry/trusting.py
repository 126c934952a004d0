"""What the service shows of itself: the key list that it serves, and as whom it answers.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
"""

from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.kernel.time import Instant


class Trust:
    """What the service serves as its key list, and as whom it answers handshakes.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
    """

    __slots__ = ("ends", "identity", "key_list")

    def __init__(self, identity: ProviderIdentity, key_list: str, ends: Instant) -> None:
        """Serve `key_list`, which `ends` then, and answer as `identity`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.identity = identity
        self.key_list = key_list
        self.ends = ends


def identity_of(
    module: CryptoModule, handle: KeyHandle, provider: str, version: int
) -> ProviderIdentity:
    """Who answers handshakes with the key of `handle`, by the list of this `version`.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    return ProviderIdentity(
        provider=provider,
        kid=handle.id,
        sign=lambda message: module.sign(handle, message),
        key_list_version=version,
    )
