"""Pairs of keys and certificates of partners inside the software module; never printed.

What is under RSA-OAEP is deciphered by the library, which does not tell a wrong padding from a
wrong key.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; RFC 8017, 7.1; NIST SP 800-56A, 5.7
"""

from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.infrastructure.crypto.pkcs8 import load_pkcs8, write_pkcs8
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.card_interface import CardMaterial, unpack
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import (
    CERTIFICATE,
    PAIR_SIZES,
    PAIR_USES,
    PairOperation,
)
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

RsaPublic = rsa.RSAPublicKey
CurvePublic = ec.EllipticCurvePublicKey

HASHES: Final[dict[str, type[HashAlgorithm]]] = {
    "sha-1": SHA1, "sha-256": SHA256, "sha-384": SHA384, "sha-512": SHA512,
}  # fmt: skip
"""The hashes that a caller can name; SHA-1 only inside of OAEP, where nothing collides."""

_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {
    256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1,
}  # fmt: skip
_EXPONENT: Final = 65_537
_PAIRWISE: Final = b"pairwise consistency"


def fresh_pair(mechanism: str, bits: int = 0) -> bytes:
    """A new private key for `mechanism` of so many bits, in PKCS #8; takes up to seconds.

    Raises Malformed for a length that the mechanism does not have, Broken for halves that do not
    fit together.
    Source: ISO/IEC 18032; NIST SP 800-56A, 5.6.1; ISO/IEC 19790
    """
    chosen = bits or PAIR_SIZES[mechanism][0]
    if chosen not in PAIR_SIZES[mechanism]:
        raise Malformed(f"a {mechanism} key has another length")
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if mechanism.startswith("rsa"):
        private = rsa.generate_private_key(_EXPONENT, chosen)
    else:
        private = ec.generate_private_key(_CURVES[chosen]())
    check_halves(private)
    return write_pkcs8(private).reveal()


def check_halves(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    """Use both halves once; raises Broken if they do not fit together.

    Source: ISO/IEC 19790; FIPS 140-3
    """
    try:
        if isinstance(private, rsa.RSAPrivateKey):
            signature = private.sign(_PAIRWISE, padding.PKCS1v15(), SHA256())
            private.public_key().verify(signature, _PAIRWISE, padding.PKCS1v15(), SHA256())
        else:
            signature = private.sign(_PAIRWISE, ec.ECDSA(SHA256()))
            private.public_key().verify(signature, _PAIRWISE, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise Broken("a new key pair does not fit together", remedy="test the host") from error


def oaep(digest: str) -> padding.OAEP:
    """The padding of RSA-OAEP with one hash for both of its parts and no label.

    Source: RFC 8017, 7.1
    """
    chosen = HASHES[digest]
    return padding.OAEP(mgf=padding.MGF1(chosen()), algorithm=chosen(), label=None)


class PairKey:
    """A private half, or the certificate of a partner; `operations` is all that it may do.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = ("_private", "certificate", "exportability", "handle", "mode", "operations")

    def __init__(self, handle: KeyHandle, material: bytes) -> None:
        """Take the packed `material` of `handle`; raises Malformed for what is no such key.

        Source: RFC 5958; RFC 5280, 4.1
        """
        found = unpack(material)
        self.handle, self.mode = handle, found.mode
        self.exportability = found.exportability
        self.operations = PAIR_USES[handle.purpose.value].get(
            found.mode, frozenset[PairOperation]()
        )
        self.certificate: Certificate | None = None
        self._private: object = None
        if handle.mechanism == CERTIFICATE:
            self.certificate = read_certificate(found.octets)
            return
        self._private = load_pkcs8(found.octets, proved=True)
        if self.bits not in PAIR_SIZES[handle.mechanism]:
            raise Malformed("the key has another length than its mechanism")

    @property
    def bits(self) -> int:
        """The length of the modulus or of the curve.

        Source: RFC 8017, 3.1
        """
        return self.public().key_size

    @property
    def is_rsa(self) -> bool:
        """Whether it is of RSA.

        Source: RFC 8017
        """
        return isinstance(self.public(), rsa.RSAPublicKey)

    def public(self) -> RsaPublic | CurvePublic:
        """The public half.

        Source: RFC 5280, 4.1.2.7
        """
        if self.certificate is not None:
            return public_of(self.certificate)
        return self.private().public_key()

    def private(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        """The private half, for this package alone.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if isinstance(self._private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return self._private
        raise NotPermitted("a certificate has no private half")

    def public_octets(self) -> bytes:
        """The public half with its algorithm, in DER.

        Source: RFC 5280, 4.1.2.7
        """
        return self.public().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def open_oaep(self, sealed: bytes, digest: str) -> Secret[bytes]:
        """What was enciphered to the public half; NotAuthentic for anything else.

        Source: RFC 8017, 7.1.2
        """
        private = self.private()
        if not isinstance(private, rsa.RSAPrivateKey):
            raise NotPermitted("the operation takes a pair of RSA")
        try:
            return Secret(private.decrypt(sealed, oaep(digest)))
        except ValueError as error:
            raise NotAuthentic("what was enciphered to the key does not open") from error

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: PKCS #1 v1.5 with SHA-256, or ECDSA with SHA-384 in DER.

        Source: RFC 8017, 8.2; FIPS 186-5, 6.4
        """
        private = self.private()
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(message, padding.PKCS1v15(), SHA256())
        return private.sign(message, ec.ECDSA(SHA384(), deterministic_signing=True))

    def agree(self, other: CurvePublic) -> Secret[bytes]:
        """What both sides alone can compute; NotPermitted for a key on another curve.

        Source: NIST SP 800-56A, 5.7.1.2
        """
        private = self.private()
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != (
            other.curve.name
        ):
            raise NotPermitted("the two keys are on different curves")
        return Secret(private.exchange(ec.ECDH(), other))

    def __repr__(self) -> str:
        return f"PairKey({self.handle.purpose.value})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")


def public_of(certificate: Certificate) -> RsaPublic | CurvePublic:
    """The key that a certificate certifies; NotPermitted for another sort than RSA and curves.

    Source: RFC 5280, 4.1.2.7
    """
    found = certificate.parsed.public_key()
    if isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return found
    raise NotPermitted("certificates here have keys of RSA or of curves of NIST")


def sealed_oaep(public: RsaPublic | CurvePublic, octets: bytes, digest: str) -> bytes:
    """`octets` enciphered to `public`.

    Raises NotPermitted for a key of another sort, Malformed for what is too long.
    Source: RFC 8017, 7.1.1
    """
    if not isinstance(public, rsa.RSAPublicKey):
        raise NotPermitted("the operation takes a key of RSA")
    if len(octets) > public.key_size // 8 - 2 * HASHES[digest]().digest_size - 2:
        raise Malformed("the data are too long for the key and its padding")
    return public.encrypt(octets, oaep(digest))


def derived(function: str, digest: str, shared: bytes, more: bytes, length: int) -> bytes:
    """`length` bytes of `shared`: `x963-kdf`, or `concat-kdf` in one step, bound to `more`.

    Source: NIST SP 800-56C, 4.1; SEC 1, 3.6.1
    """
    chosen = HASHES[digest]()
    if function == "x963-kdf":
        return X963KDF(chosen, length, more).derive(shared)
    return ConcatKDFHash(chosen, length, more).derive(shared)


def packed(purpose: Purpose, octets: bytes, mode: str = "", exportability: str = "N") -> bytes:
    """A private key in PKCS #8 or a certificate in DER as the module keeps it.

    Raises NotPermitted for a mode that the purpose does not have.
    Source: ISO 20038; X9.143, 6
    """
    modes = PAIR_USES[purpose.value]
    chosen = mode or next(iter(modes))
    if chosen not in modes:
        raise NotPermitted(f"the mode {chosen} does not go with a {purpose.value} key")
    return CardMaterial(mode=chosen, exportability=exportability, ident=b"", octets=octets).pack()
