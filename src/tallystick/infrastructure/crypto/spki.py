"""Public keys as other programs read them: SubjectPublicKeyInfo in PEM.

Source: RFC 5280, 4.1.2.7; RFC 7468, 13
"""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.infrastructure.crypto.dual import DualVerifyKey
from tallystick.infrastructure.crypto.signature import ES256, VerifyKey


def public_pem(public: VerifyKey) -> str:
    """`public` in PEM, a line feed at the end; of a key with two halves both, one after the other.

    Source: RFC 7468, 13; RFC 5480; RFC 8410
    """
    if isinstance(public, DualVerifyKey):
        second = MLDSA65PublicKey.from_public_bytes(public.lattice_octets())
        return public_pem(public.classical) + _pem(second)
    octets = public.octets()
    loaded = (
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets)
        if public.algorithm == ES256
        else Ed25519PublicKey.from_public_bytes(octets)
    )
    return _pem(loaded)


def _pem(loaded: EllipticCurvePublicKey | Ed25519PublicKey | MLDSA65PublicKey) -> str:
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
