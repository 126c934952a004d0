"""What the service shows of itself: the key list that it serves, and as whom it answers.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
"""

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.dual import DUALS, DualVerifyKey
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.keylist import KeyList


class Trust:
    """What the service serves as its key list, and as whom it answers handshakes.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
    """

    __slots__ = ("classical", "ends", "identity", "key_list", "root")

    def __init__(
        self,
        identity: ProviderIdentity,
        key_list: str,
        ends: Instant,
        root: VerifyKey,
        classical: str = "",
    ) -> None:
        """Serve `key_list` of `root`, which `ends` then, and answer as `identity`.

        `classical` is the list with one signature beside one with two, empty where there is none.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.identity = identity
        self.key_list = key_list
        self.ends = ends
        self.root = root
        self.classical = classical

    @property
    def twice(self) -> bool:
        """Whether the list is signed twice.

        Source: ISO/TS 12812-2:2017, 7.4.2; FIPS 204
        """
        return self.root.algorithm in DUALS


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


def believed(
    folder: ProviderFolder, root: VerifyKey, now: Instant, last_version: int
) -> tuple[KeyList, VerifyKey, str, str]:
    """The list in `folder`, the root that signed it, its text, and the one with one signature.

    The root may be `root` with a second half since. Raises NotAuthentic for another one and
    where the two lists are of different versions, and what `verify_key_list` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    found = folder.settings().root.verify_key()
    first = found.classical if isinstance(found, DualVerifyKey) else found
    if root.octets() not in {found.octets(), first.octets()}:
        raise NotAuthentic(
            "the settings name another root than the service began with", remedy="audit the folder"
        )
    text = folder.key_list_file.read_text(encoding="utf-8")
    listed = verify_key_list(text, found, now, last_version)
    classical = ""
    if found is not first and folder.classical_list_file.exists():
        classical = folder.classical_list_file.read_text(encoding="utf-8")
        if verify_key_list(classical, first, now, 0).version != listed.version:
            raise NotAuthentic(
                "the two key lists are of different versions", remedy="tallystick keys renew"
            )
    return listed, found, text, classical
