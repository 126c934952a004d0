"""A signing key behind a module's handle, in the shape that signing code expects.

Source: ISO/TS 12812-2:2017, 8.2.1; 3.20
"""

from tallystick.infrastructure.crypto.dual import DUAL
from tallystick.infrastructure.crypto.signature import EDDSA, ES256, VerifyKey, verify_key
from tallystick.infrastructure.modules.interface import (
    DUAL_SIGNATURE,
    ECDSA_P256,
    ED25519,
    CryptoModule,
    KeyHandle,
)
from tallystick.kernel.errors import NotPermitted

_ALGORITHMS = {ECDSA_P256: ES256, ED25519: EDDSA, DUAL_SIGNATURE: DUAL}


class ModuleSigner:
    """Signs with the key of `handle`, which stays inside `module`.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    __slots__ = ("_algorithm", "_handle", "_module", "_public")

    def __init__(self, module: CryptoModule, handle: KeyHandle) -> None:
        """Bind `handle`; raises NotPermitted for a key that does not sign.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        algorithm = _ALGORITHMS.get(handle.mechanism)
        if algorithm is None:
            raise NotPermitted(f"a {handle.purpose.value} key is not for signing")
        self._algorithm = algorithm
        self._module = module
        self._handle = handle
        self._public = verify_key(algorithm, module.public_octets(handle))

    @property
    def algorithm(self) -> str:
        """`ES256` or `EdDSA`.

        Source: RFC 7518, 3.1; RFC 8037, 3.1
        """
        return self._algorithm

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: 64 bytes.

        Source: ISO/IEC 14888-3; RFC 8032
        """
        return self._module.sign(self._handle, message)

    def public(self) -> VerifyKey:
        """The public half.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        return self._public
