"""A signing key of ours in the shape that the library's builders of certificates take.

The private half may be behind a module's handle: the builder hands over what is to be signed and
gets a signature back. Everything that would need the private half itself is refused.

Source: ISO/TS 12812-2:2017, 8.2.1; RFC 5480
"""

from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from tallystick.infrastructure.crypto.ecdsa import ES256, der_signature
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.kernel.errors import NotPermitted

_P256 = ec.SECP256R1()


class DelegatedKey(ec.EllipticCurvePrivateKey):
    """Signs with ECDSA on P-256 and SHA-256, by way of a `SigningKey`, and does nothing else.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    def __init__(self, signer: SigningKey) -> None:
        """Bind `signer`; raises NotPermitted for one that is not of ES256.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if signer.algorithm != ES256:
            raise NotPermitted("certificates are signed with ECDSA on P-256")
        self._signer = signer
        self._public = ec.EllipticCurvePublicKey.from_encoded_point(_P256, signer.public().octets())

    def sign(
        self,
        data: "bytes | bytearray | memoryview[int]",
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """The signature over `data` (DER); raises NotPermitted for another hash than SHA-256.

        Source: RFC 5480; RFC 3279, 2.2.3
        """
        hashed = signature_algorithm.algorithm
        if isinstance(hashed, Prehashed) or not isinstance(hashed, SHA256):
            raise NotPermitted("certificates are signed over SHA-256")
        return der_signature(self._signer.sign(bytes(data)))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half.

        Source: RFC 5480
        """
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256.

        Source: RFC 5480
        """
        return _P256

    @property
    def key_size(self) -> int:
        """256 bits.

        Source: RFC 5480
        """
        return _P256.key_size

    def exchange(self, algorithm: object, peer_public_key: object) -> NoReturn:
        """Never done: the key signs; raises NotPermitted.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        raise NotPermitted("a signing key agrees on no secret")

    def private_numbers(self) -> NoReturn:
        """Never given; raises NotPermitted.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        raise NotPermitted("the private half stays where it is")

    def private_bytes(
        self,
        encoding: object,
        format: object,  # noqa: A002
        encryption_algorithm: object,
    ) -> NoReturn:
        """Never given; raises NotPermitted.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        raise NotPermitted("the private half stays where it is")

    def __copy__(self) -> "DelegatedKey":
        return self

    def __deepcopy__(self, memo: object) -> "DelegatedKey":
        return self
