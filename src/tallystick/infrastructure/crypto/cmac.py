"""AES-CMAC, the message authentication code of SIMs and cards.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 9797-1; RFC 4493
"""

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from tallystick.kernel.errors import Malformed

CMAC_KEY_LENGTH = 16


class PreparedCmac:
    """AES-CMAC under one key of 16 bytes that never prints.

    Source: ISO/IEC 9797-1; RFC 4493
    """

    __slots__ = ("_algorithm",)

    def __init__(self, secret: bytes) -> None:
        """Take `secret`; raises Malformed for another length than 16 bytes.

        Source: RFC 4493, 2.3
        """
        if len(secret) != CMAC_KEY_LENGTH:
            raise Malformed("an AES-128 key has 16 bytes")
        self._algorithm = AES(secret)

    def mac(self, octets: bytes) -> bytes:
        """AES-CMAC of `octets`: 16 bytes.

        Source: RFC 4493, 2.4
        """
        running = CMAC(self._algorithm)
        running.update(octets)
        return running.finalize()

    def __repr__(self) -> str:
        return "PreparedCmac(***)"
