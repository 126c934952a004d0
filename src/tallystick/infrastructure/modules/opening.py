"""What opens a master key file: a secret, a passphrase, custodians' shares, or a key service.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from dataclasses import dataclass

from tallystick.infrastructure.modules.master import (
    KeyService,
    MasterKey,
    unseal_with_passphrase,
    unseal_with_secret,
    unseal_with_service,
    unseal_with_shares,
)
from tallystick.infrastructure.modules.shamir import Share
from tallystick.kernel.secret import Secret


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase that somebody types.

    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9106
    """

    text: Secret[str]


@dataclass(frozen=True, slots=True)
class Custodians:
    """The shares of custodians who came together.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Keeper:
    """A service that keeps the key-encryption key.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    service: KeyService


Opener = Secret[bytes] | Passphrase | Custodians | Keeper
"""What was brought to open a master key."""


def open_master(file: bytes, opener: Opener, *, profile: str) -> MasterKey:
    """The master key in `file`, opened with what was brought.

    Raises NotPermitted if the file is opened in another way or serves another profile, NotAuthentic
    if it does not open, Conflict for too few shares, and what a service raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    if isinstance(opener, Passphrase):
        return unseal_with_passphrase(file, opener.text, profile=profile)
    if isinstance(opener, Custodians):
        return unseal_with_shares(file, opener.shares, profile=profile)
    if isinstance(opener, Keeper):
        return unseal_with_service(file, opener.service, profile=profile)
    return unseal_with_secret(file, opener, profile=profile)
