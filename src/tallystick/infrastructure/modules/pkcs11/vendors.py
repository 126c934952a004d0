"""Which mechanisms a vendor's module is asked for, as data: one row for each way of differing.

A row is a behaviour, and a vendor's token is given the row that fits it; what the token does not
list is not used, whatever the row says.

Source: PKCS #11 v3.0, 2; ISO/TS 12812-2:2017, 8.2.2; C
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_256,
    AES_256_GCM,
    ECDSA_P256,
    ED25519,
    HMAC_SHA1,
    HMAC_SHA256,
    HMAC_SHA512,
    HPKE_P256,
)
from tallystick.kernel.errors import Malformed


@dataclass(frozen=True, slots=True)
class Needs:
    """The mechanisms that one of ours needs of a token: to make a key, and to use it.

    Source: PKCS #11 v3.0, 2
    """

    make: str
    use: str


_STANDARD: Final[dict[str, Needs]] = {
    ECDSA_P256: Needs("EC_KEY_PAIR_GEN", "ECDSA"),
    ED25519: Needs("EC_EDWARDS_KEY_PAIR_GEN", "EDDSA"),
    HMAC_SHA1: Needs("GENERIC_SECRET_KEY_GEN", "SHA_1_HMAC"),
    HMAC_SHA256: Needs("GENERIC_SECRET_KEY_GEN", "SHA256_HMAC"),
    HMAC_SHA512: Needs("GENERIC_SECRET_KEY_GEN", "SHA512_HMAC"),
    AES_256_GCM: Needs("AES_KEY_GEN", "AES_GCM"),
    AES_256: Needs("AES_KEY_GEN", "AES_CMAC"),
    AES_128: Needs("AES_KEY_GEN", "AES_CMAC"),
    HPKE_P256: Needs("EC_KEY_PAIR_GEN", "ECDH1_DERIVE"),
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """One row: `changed` replaces needs, `without` takes mechanisms away.

    `hardware` says whether a boundary in hardware may be claimed at all: a simulator has none.
    `own_nonce` says that AES-GCM takes no nonce from outside, so that sealing is not offered.
    Source: ISO/TS 12812-2:2017, 8.2.2
    """

    name: str
    hardware: bool
    note: str
    own_nonce: bool = False
    without: frozenset[str] = frozenset()
    changed: MappingProxyType[str, Needs] = field(
        default_factory=lambda: MappingProxyType(dict[str, Needs]())
    )

    def needs(self) -> dict[str, Needs]:
        """What each mechanism of ours needs here; those that are not offered are left out.

        Source: PKCS #11 v3.0, 2
        """
        left = {*self.without, *((AES_256_GCM,) if self.own_nonce else ())}
        whole = {**_STANDARD, **self.changed}
        return {name: needs for name, needs in whole.items() if name not in left}


VENDORS: Final[dict[str, Vendor]] = {
    row.name: row
    for row in (
        Vendor("generic", hardware=True, note="the standard's own names"),
        Vendor("softhsm", hardware=False, note="a token in software, for tests and rehearsals"),
        Vendor(
            "strict-fips",
            hardware=True,
            own_nonce=True,
            without=frozenset({HMAC_SHA1, ED25519}),
            note="a token in a FIPS mode that draws nonces itself and has no Ed25519 or SHA-1",
        ),
        Vendor(
            "generic-hmac-by-name",
            hardware=True,
            changed=MappingProxyType(
                {
                    HMAC_SHA256: Needs("SHA256_HMAC_KEY_GEN", "SHA256_HMAC"),
                    HMAC_SHA512: Needs("SHA512_HMAC_KEY_GEN", "SHA512_HMAC"),
                }
            ),
            note="a token that makes HMAC keys of a kind for each hash",
        ),
    )
}
"""The rows by name."""


def vendor(name: str) -> Vendor:
    """The row called `name`; raises Malformed for another.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """
    found = VENDORS.get(name)
    if found is None:
        raise Malformed(
            f"there is no row for a vendor {name[:30]!r}",
            remedy=f"say one of {', '.join(VENDORS)}",
        )
    return found
