"""Signatures: strict forms, sound public keys, and keys that do not print."""

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Ed25519VerifyKey,
    Es256SigningKey,
    Es256VerifyKey,
    verify_key,
)
from tallystick.kernel.errors import Malformed, NotAuthentic

KINDS = [(Es256SigningKey, Es256VerifyKey, "ES256"), (Ed25519SigningKey, Ed25519VerifyKey, "EdDSA")]
MESSAGE = b"pay 1250 to acc_1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize(("signing", "verifying", "algorithm"), KINDS)
def test_every_flipped_bit_is_refused(signing, verifying, algorithm: str) -> None:
    signer = signing.generate()
    signature = signer.sign(MESSAGE)
    assert len(signature) == 64
    assert signer.algorithm == signer.public().algorithm == algorithm
    verifier = verifying(signer.public().octets())
    verifier.verify(signature, MESSAGE)
    for place in range(8 * len(signature)):
        changed = bytearray(signature)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NotAuthentic):
            verifier.verify(bytes(changed), MESSAGE)
    for place in range(len(MESSAGE)):
        changed = bytearray(MESSAGE)
        changed[place] ^= 1
        with pytest.raises(NotAuthentic):
            verifier.verify(signature, bytes(changed))


@pytest.mark.parametrize(("signing", "verifying", "algorithm"), KINDS)
def test_pkcs8_brings_the_same_key_back(signing, verifying, algorithm: str) -> None:
    signer = signing.generate()
    again = signing.from_pkcs8(signer.to_pkcs8().reveal())
    assert again.public() == signer.public()
    assert hash(again.public()) == hash(signer.public())
    assert again.public() != signing.generate().public()
    signer.public().verify(again.sign(MESSAGE), MESSAGE)
    assert verify_key(algorithm, signer.public().octets()) == signer.public()


@pytest.mark.parametrize(("signing", "verifying", "algorithm"), KINDS)
def test_a_signing_key_neither_prints_nor_travels(signing, verifying, algorithm: str) -> None:
    signer = signing.generate()
    assert repr(signer) == f"{signing.__name__}(***)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(signer)


def test_other_kinds_of_private_keys_are_refused() -> None:
    def plain(private) -> bytes:
        return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    sealed = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    others = [
        plain(ec.generate_private_key(ec.SECP384R1())),
        plain(rsa.generate_private_key(65537, 2048)),
        plain(x25519.X25519PrivateKey.generate()),
        sealed,
        b"",
        b"\x30\x00",
    ]
    for der in [*others, plain(ed25519.Ed25519PrivateKey.generate())]:
        with pytest.raises(Malformed):
            Es256SigningKey.from_pkcs8(der)
    for der in [*others, plain(ec.generate_private_key(ec.SECP256R1()))]:
        with pytest.raises(Malformed):
            Ed25519SigningKey.from_pkcs8(der)


@pytest.mark.parametrize("r", [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
def test_edge_values_of_r_and_s_are_refused(r: int, s: int) -> None:
    verifier = Es256SigningKey.generate().public()
    with pytest.raises(NotAuthentic):
        verifier.verify(r.to_bytes(32, "big") + s.to_bytes(32, "big"), MESSAGE)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 70, 71, 72, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    for signing, _, _ in KINDS:
        with pytest.raises(NotAuthentic):
            signing.generate().public().verify(b"\x01" * length, MESSAGE)


def test_der_is_not_a_second_spelling_of_a_signature() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    signer = Es256SigningKey(private)
    der = private.sign(MESSAGE, ec.ECDSA(SHA256()))
    with pytest.raises(NotAuthentic):
        signer.public().verify(der, MESSAGE)


def test_our_two_integers_in_der_are_the_librarys() -> None:
    """Small numbers and numbers with a leading one bit: the two cases that padding gets wrong."""
    private = ec.generate_private_key(ec.SECP256R1())
    verifier, seen = Es256SigningKey(private).public(), set()
    for number in range(600):
        message = number.to_bytes(2, "big")
        signature = Es256SigningKey(private).sign(message)
        verifier.verify(signature, message)
        r = int.from_bytes(signature[:32], "big")
        s = int.from_bytes(signature[32:], "big")
        private.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        seen.add((signature[0] == 0, signature[0] > 127))
    assert {(False, False), (False, True)} <= seen


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
        b"\x00",
        b"\x02" + b"\x01" * 32,
        b"\x04" + b"\x01" * 64,
        b"\x04" + b"\x01" * 63,
    ],
)
def test_what_is_no_point_on_p256_is_no_key(octets: bytes) -> None:
    with pytest.raises(Malformed):
        Es256VerifyKey(octets)


def test_a_compressed_or_hybrid_point_is_no_second_spelling() -> None:
    octets = Es256SigningKey.generate().public().octets()
    for other in (bytes((2 + (octets[-1] & 1),)) + octets[1:33], b"\x06" + octets[1:]):
        with pytest.raises(Malformed):
            Es256VerifyKey(other)


PRIME = 2**255 - 19


ORDER_8 = [
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
]
"""The y of the points of order 8, as libsodium lists them (little endian there)."""


@pytest.mark.parametrize("number", [0, 1, *ORDER_8, PRIME - 1, PRIME, PRIME + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_points_of_low_order_and_second_spellings_are_no_keys(number: int, sign: int) -> None:
    with pytest.raises(Malformed):
        Ed25519VerifyKey((number | sign << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 33, 65])
def test_an_ed25519_key_has_32_bytes(length: int) -> None:
    with pytest.raises(Malformed):
        Ed25519VerifyKey(b"\x05" * length)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "es256", ""])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    with pytest.raises(Malformed):
        verify_key(algorithm, Es256SigningKey.generate().public().octets())
