"""From a verified app to its provider: the pinned one, through a keystore that knows no other.

    manifest = verify_app(jws, signers, folder)
    provider = pinned_provider(manifest, vault, url, clock=..., entropy=...)

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.7; 7.4.4
"""

from pathlib import Path
from typing import Protocol

from tallystick.client.keystore import Entropy
from tallystick.client.provider import Provider
from tallystick.client.release.manifest import AppManifest, Build
from tallystick.client.release.running import RunningSigns
from tallystick.client.vault.sealing import ProviderPin
from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.time import Clock


class Binds(Protocol):
    """A keystore that belongs to one provider.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def bind(self, pin: ProviderPin) -> None:
        """Take `pin`, once and for all.

        Raises NotAuthentic if there was another.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        ...


def pinned_provider(
    manifest: AppManifest,
    keystore: Binds,
    url: str,
    *,
    signs: RunningSigns,
    clock: Clock,
    entropy: Entropy,
    ca_file: Path | None = None,
) -> Provider:
    """The provider of a verified app, believed by the root in its manifest and no other.

    Raises NotPermitted for a release that runs under `signs` of a debugger or hooks, NotAuthentic
    where `keystore` belongs to another provider or root, Malformed for a bad root or address.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.7
    """
    seen = signs.seen()
    if manifest.build is Build.RELEASE and seen:
        raise NotPermitted(
            "the app does not run alone on this phone",
            because=", ".join(seen),
            remedy="end what looks into it, and start the app again",
        )
    pin = manifest.pin
    root = verify_key(pin.algorithm, b64url_decode(pin.root))
    keystore.bind(pin)
    return Provider(
        url,
        name=pin.name,
        origin=pin.origin,
        root=root,
        clock=clock,
        entropy=entropy,
        ca_file=ca_file,
    )
