"""Private keys in and out of PKCS #8, the form in which a module wraps them.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5958
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret


def load_pkcs8(der: bytes | bytearray, *, proved: bool = False) -> object:
    """The private key in an unencrypted PKCS #8 structure; the caller checks which kind it is.

    An RSA key that was `proved` when it was made, and comes out of a block that shows it unchanged,
    is not proved again, which takes as long as many operations. Raises Malformed for anything else.
    Source: RFC 5958, 2
    """
    try:
        return load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=proved)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Malformed("the private key is not unencrypted PKCS #8") from error


def write_pkcs8(
    private: EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey,
) -> Secret[bytes]:
    """`private` as unencrypted PKCS #8 in DER.

    Source: RFC 5958, 2
    """
    return Secret(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
