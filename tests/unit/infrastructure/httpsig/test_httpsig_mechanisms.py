"""Which keys check messages, and which a partner may have."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.crypto.rsa_pss import RsaPssVerifyKey
from tallystick.infrastructure.httpsig import SharedKey, content_digest, partner_key
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

MESSAGE = b'"@method": POST'


def public(private: rsa.RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 3072)


def test_rsa_is_taken_with_one_hash_and_one_salt_only(private: rsa.RSAPrivateKey) -> None:
    found = partner_key("rsa-pss-sha512", public(private))
    assert found.algorithm == "rsa-pss-sha512"
    found.verify(private.sign(MESSAGE, PSS(MGF1(SHA512()), 64), SHA512()), MESSAGE)
    for padding, hashed in (
        (PSS(MGF1(SHA512()), 32), SHA512()),
        (PSS(MGF1(SHA256()), 64), SHA512()),
        (PSS(MGF1(SHA256()), 32), SHA256()),
    ):
        with pytest.raises(NotAuthentic):
            found.verify(private.sign(MESSAGE, padding, hashed), MESSAGE)


def test_an_rsa_key_has_one_encoding_and_one_exponent(private: rsa.RSAPrivateKey) -> None:
    octets = public(private)
    assert RsaPssVerifyKey(octets).octets() == octets
    with pytest.raises(Malformed):
        RsaPssVerifyKey(octets + b"\x00")
    with pytest.raises(Malformed, match="exponent"):
        RsaPssVerifyKey(public(rsa.generate_private_key(3, 2048)))
    with pytest.raises(Malformed, match="bits"):
        RsaPssVerifyKey(public(rsa.generate_private_key(65537, 1024)))
    other = Ed25519SigningKey.generate().to_pkcs8().reveal()
    with pytest.raises(Malformed):
        RsaPssVerifyKey(other)


def test_a_shared_secret_is_long_and_never_prints() -> None:
    with pytest.raises(Malformed, match="32"):
        SharedKey(Secret(bytes(31)))
    found = SharedKey(Secret(b"s" * 32))
    assert "s" * 8 not in repr(found)
    found.verify(found.sign(MESSAGE), MESSAGE)
    with pytest.raises(NotAuthentic):
        found.verify(found.sign(MESSAGE)[:-1], MESSAGE)


def test_a_body_is_hashed_by_what_is_taken_only() -> None:
    both = content_digest(b"a", "sha-512", "sha-256")
    assert both.startswith("sha-512=:")
    assert ", sha-256=:" in both
    with pytest.raises(Malformed):
        content_digest(b"a", "md5")
