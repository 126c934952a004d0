"""Data under secret keys and under pairs, and from one to the other without being clear outside.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 10116; RFC 8017, 7.1
"""

from tallystick.infrastructure.modules.interface import KeyHandle
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_data import Ciphering
from tallystick.kernel.model import Record


class Asymmetric(Record, frozen=True, kw_only=True):
    """A half of a pair, and the hash of RSA-OAEP.

    Source: RFC 8017, 7.1
    """

    handle: KeyHandle
    digest: str


Way = Ciphering | Asymmetric
"""How data are enciphered."""


def encipher(module: SoftModule, way: Way, data: bytes) -> bytes:
    """`data` enciphered; raises Malformed for a length that the way does not have.

    Source: ISO/IEC 10116; RFC 8017, 7.1.1
    """
    if isinstance(way, Asymmetric):
        return module.pairs.encipher(way.handle, data, way.digest)
    return module.data.encrypt(way, data)


def decipher(module: SoftModule, way: Way, data: bytes) -> bytes:
    """The inverse of `encipher`; NotAuthentic for what does not open under a pair.

    Source: ISO/IEC 10116; RFC 8017, 7.1.2
    """
    if isinstance(way, Asymmetric):
        return module.pairs.decipher(way.handle, data, way.digest)
    return module.data.decrypt(way, data)


def re_encipher(module: SoftModule, source: Way, target: Way, data: bytes) -> bytes:
    """`data` as it is under `source`, as it is under `target`; never in clear outside.

    Source: ISO/IEC 10116; RFC 8017, 7.1
    """
    return encipher(module, target, decipher(module, source, data))
