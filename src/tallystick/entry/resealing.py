"""Changes what opens the master key: a secret, custodians' shares, a passphrase, a key service.

The key itself stays, so nothing that it protects changes. The file is replaced whole; what opened
it before opens it no more, but for copies of the old file, which are the keeper's to destroy.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable, Sequence

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.master import KeyService, PassphraseCost
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.shamir import write_share
from tallystick.kernel.secret import Secret


def reseal_under_shares(
    folder: ProviderFolder,
    opener: Opener,
    *,
    threshold: int,
    shares: int,
    deliver: Callable[[Sequence[Secret[str]]], None],
) -> None:
    """Seal the master key for `shares` custodians, any `threshold` of whom open it.

    `deliver` is given the shares first: if it fails, the key opens as before.
    Raises Malformed for numbers that cannot be, and what `open_master` and `deliver` raise.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    profile = folder.settings().profile
    file, parts = folder.master(opener).seal_under_shares(
        operating_system, profile=profile, threshold=threshold, shares=shares
    )
    deliver([write_share(one) for one in parts])
    folder.save_master(file)


def reseal_under_passphrase(
    folder: ProviderFolder, opener: Opener, passphrase: Secret[str]
) -> None:
    """Seal the master key under a passphrase that takes some tenths of a second to try.

    Raises NotPermitted for one that is too short, and what `open_master` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9106
    """
    profile = folder.settings().profile
    folder.save_master(
        folder.master(opener).seal_under_passphrase(
            passphrase, operating_system, profile=profile, cost=PassphraseCost()
        )
    )


def reseal_under_secret(folder: ProviderFolder, opener: Opener, secret: Secret[bytes]) -> None:
    """Seal the master key under another secret.

    Raises NotPermitted for one that is too short, and what `open_master` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    profile = folder.settings().profile
    master = folder.master(opener)
    folder.save_master(master.seal_under_secret(secret, operating_system, profile=profile))


def reseal_under_service(folder: ProviderFolder, opener: Opener, service: KeyService) -> None:
    """Seal the master key under a key-encryption key that `service` keeps.

    Raises what the service raises, and what `open_master` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    profile = folder.settings().profile
    master = folder.master(opener)
    folder.save_master(master.seal_under_service(service, operating_system, profile=profile))
