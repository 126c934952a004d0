"""The PIN of the consent key: asked for each signature, costly to guess, cleared after use.

The key that opens the consent key is made of the PIN (Argon2id) and of the device's secret; there
is no answer "verified" that could be forged, because without the PIN there is no key.

Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.5; RFC 9106, 4
"""

from itertools import pairwise
from typing import Final, Protocol

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.kdf import argon2id_into, hkdf_into
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.secret import SecretBuffer

SHORTEST: Final = 6
LONGEST: Final = 64
_INFO: Final = b"tallystick vault consent v1"
_MOST: Final = {"memory_kib": 1024 * 1024, "passes": 16, "lanes": 16}


class AsksPin(Protocol):
    """Shows the person something and lets them type their PIN.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """

    def __call__(self, shown: str, /) -> SecretBuffer:
        """What was typed, for the keystore to clear.

        Raises NotPermitted where the person says no.
        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        ...


class Cost(Record, frozen=True, kw_only=True):
    """What one guess costs: KiB of memory, passes over it, lanes.

    Source: RFC 9106, 4
    """

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1

    def check(self) -> None:
        """Raise Malformed for a cost that a changed file would have this device pay.

        Source: RFC 9106, 3.1
        """
        if any(not 1 <= getattr(self, name) <= most for name, most in _MOST.items()):
            raise Malformed("not a keystore file of this version")


def check_pin(pin: SecretBuffer) -> None:
    """Raise Malformed for a PIN that is tried first: short, one sign only, or signs in a row.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    octets = pin.reveal()
    steps = {after - before for before, after in pairwise(octets)}
    if not SHORTEST <= len(octets) <= LONGEST or (len(steps) == 1 and steps <= {-1, 0, 1}):
        raise Malformed(
            "the PIN is too short or among the first that anybody tries",
            remedy=f"choose {SHORTEST} signs or more, not all the same and not in a row",
        )


def consent_seal(pin: SecretBuffer, device: SecretBuffer, salt: str, cost: Cost) -> AeadKey:
    """The key over the consent key; every intermediate buffer is cleared.

    Source: RFC 9106, 3; RFC 5869, 2
    """
    octets = b64url_decode(salt)
    joined = bytearray(32 + len(device))
    with SecretBuffer(bytearray(32)) as stretched, SecretBuffer(joined) as both:
        argon2id_into(
            stretched.reveal(),
            pin.reveal(),
            salt=octets,
            memory_kib=cost.memory_kib,
            passes=cost.passes,
            lanes=cost.lanes,
        )
        both.reveal()[:32] = stretched.reveal()
        both.reveal()[32:] = device.reveal()
        with SecretBuffer(bytearray(32)) as made:
            hkdf_into(made.reveal(), both.reveal(), salt=octets, info=_INFO)
            return AeadKey(made.reveal())
