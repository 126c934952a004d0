"""HPKE base mode with HKDF-SHA256 and AES-GCM, written from RFC 9180 to judge the implementation.

Uses the library's key agreement and ML-KEM, the standard library's hashes, and nothing of src.
"""

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P256, X25519, X_WING = 0x0010, 0x0020, 0x647A
SHA256_KDF, AES_128, AES_256 = 1, 1, 2
_KEY_LENGTH = {AES_128: 16, AES_256: 32}


def _extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()


def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(prk, block + info + bytes((counter,)), hashlib.sha256).digest()
        output, counter = output + block, counter + 1
    return output[:length]


def _labelled_extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return _extract(salt, b"HPKE-v1" + suite + label + secret)


def _labelled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return _expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def dh_secret(kem: int, shared: bytes, encapsulated: bytes, public: bytes) -> bytes:
    """RFC 9180, 4.1: the KEM's shared secret out of the Diffie-Hellman value."""
    suite = b"KEM" + kem.to_bytes(2, "big")
    prk = _labelled_extract(suite, b"", b"eae_prk", shared)
    return _labelled_expand(suite, prk, b"shared_secret", encapsulated + public, 32)


def schedule(kem: int, aead: int, secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, 5.1: the AEAD's key and base nonce in mode base."""
    ids = (kem, SHA256_KDF, aead)
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in ids)
    context = (
        b"\x00"
        + _labelled_extract(suite, b"", b"psk_id_hash", b"")
        + _labelled_extract(suite, b"", b"info_hash", info)
    )
    prk = _labelled_extract(suite, secret, b"secret", b"")
    return (
        _labelled_expand(suite, prk, b"key", context, _KEY_LENGTH[aead]),
        _labelled_expand(suite, prk, b"base_nonce", context, 12),
    )


def p256_agree(private: bytes, public: bytes) -> bytes:
    scalar = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    return scalar.exchange(ec.ECDH(), point)


def p256_public(private: bytes) -> bytes:
    scalar = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    return scalar.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def x25519_agree(private: bytes, public: bytes) -> bytes:
    return x25519.X25519PrivateKey.from_private_bytes(private).exchange(
        x25519.X25519PublicKey.from_public_bytes(public)
    )


def x25519_public(private: bytes) -> bytes:
    return x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def x_wing_secrets(seed: bytes) -> tuple[mlkem.MLKEM768PrivateKey, bytes]:
    """draft-ietf-hpke-pq: a seed of 32 bytes gives both private keys."""
    expanded = hashlib.shake_256(seed).digest(96)
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def x_wing_combine(lattice: bytes, curve: bytes, ciphertext: bytes, public: bytes) -> bytes:
    return hashlib.sha3_256(lattice + curve + ciphertext + public + b"\\.//^\\").digest()


Agreement = tuple[int, Callable[[bytes, bytes], bytes], Callable[[bytes], bytes]]
CURVES: dict[str, Agreement] = {
    "hpke-p256": (P256, p256_agree, p256_public),
    "hpke-x25519": (X25519, x25519_agree, x25519_public),
}


def seal(suite: str, public: bytes, ephemeral: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Encapsulated key and ciphertext for one of the two curves."""
    kem, agree, public_of = CURVES[suite]
    encapsulated = public_of(ephemeral)
    secret = dh_secret(kem, agree(ephemeral, public), encapsulated, public)
    key, nonce = schedule(kem, AES_256, secret, info)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, b"")


def unseal(suite: str, private: bytes, sealed: bytes, info: bytes) -> bytes:
    """The plaintext of what was sealed to one of the two curves."""
    kem, agree, public_of = CURVES[suite]
    public = public_of(private)
    encapsulated, ciphertext = sealed[: len(public)], sealed[len(public) :]
    secret = dh_secret(kem, agree(private, encapsulated), encapsulated, public)
    key, nonce = schedule(kem, AES_256, secret, info)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def hybrid_seal(public: bytes, ephemeral: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Encapsulated key and ciphertext for X25519 beside ML-KEM-768."""
    lattice, encapsulated = mlkem.MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
    ciphertext = x25519_public(ephemeral)
    curve = x25519_agree(ephemeral, public[1184:])
    secret = x_wing_combine(lattice, curve, ciphertext, public[1184:])
    key, nonce = schedule(X_WING, AES_256, secret, info)
    return encapsulated + ciphertext + AESGCM(key).encrypt(nonce, plaintext, b"")


def hybrid_unseal(seed: bytes, sealed: bytes, info: bytes) -> bytes:
    """The plaintext of what was sealed to the two keys of `seed`."""
    lattice, private = x_wing_secrets(seed)
    encapsulated, ciphertext, rest = sealed[:1088], sealed[1088:1120], sealed[1120:]
    secret = x_wing_combine(
        lattice.decapsulate(encapsulated),
        x25519_agree(private, ciphertext),
        ciphertext,
        x25519_public(private),
    )
    key, nonce = schedule(X_WING, AES_256, secret, info)
    return AESGCM(key).decrypt(nonce, rest, b"")
