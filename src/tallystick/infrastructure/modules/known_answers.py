"""Known answers: each mechanism proves itself against published values before its first use.

A test returns if the answer is right and raises otherwise; that one flipped bit is refused belongs
to the answer.

Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790; NIST SP 800-140
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.digest import PreparedHmac, hmac_sha256, sha256
from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Ed25519VerifyKey,
    Es256SigningKey,
    Es256VerifyKey,
    VerifyKey,
)
from tallystick.infrastructure.modules import interface
from tallystick.infrastructure.modules.answering import expect, refuses
from tallystick.infrastructure.modules.card_answers import CARD_ANSWERS
from tallystick.infrastructure.modules.pair_answers import PAIR_ANSWERS
from tallystick.infrastructure.modules.standing import KnownAnswer


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)


_JEFE = b"what do ya want for nothing?"


def hmac_answer() -> None:
    """SHA-256 of `abc` and HMAC-SHA256 of RFC 4231's second case.

    Source: FIPS 180-4; RFC 4231, 4.3
    """
    expect(
        sha256(b"abc"),
        _hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    )
    for mac in (hmac_sha256(b"Jefe", _JEFE), PreparedHmac(b"Jefe").mac(_JEFE)):
        expect(mac, _hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))


def hmac_sha1_answer() -> None:
    """HMAC-SHA1 of RFC 2202's second case.

    Source: RFC 2202, 3
    """
    found = PreparedHmac(b"Jefe", interface.HMAC_SHA1).mac(_JEFE)
    expect(found, _hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"))


def hmac_sha512_answer() -> None:
    """HMAC-SHA512 of RFC 4231's second case.

    Source: RFC 4231, 4.3
    """
    found = PreparedHmac(b"Jefe", interface.HMAC_SHA512).mac(_JEFE)
    expect(
        found,
        _hex(
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
    )


def hkdf_answer() -> None:
    """HKDF-SHA256 of RFC 5869's first case.

    Source: RFC 5869, A.1
    """
    expect(
        hkdf_sha256(
            b"\x0b" * 22,
            salt=_hex("000102030405060708090a0b0c"),
            info=_hex("f0f1f2f3f4f5f6f7f8f9"),
            length=42,
        ),
        _hex(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
    )


def gcm_answer() -> None:
    """AES-256-GCM of test case 16, both ways, and the refusal of a changed tag.

    Source: NIST SP 800-38D; The Galois/Counter Mode of Operation, B
    """
    cipher = AeadKey(_hex("feffe9928665731c6d6a8f9467308308" * 2))
    nonce, aad = _hex("cafebabefacedbaddecaf888"), _hex("feedfacedeadbeef" * 2 + "abaddad2")
    plaintext = _hex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = _hex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    expect(cipher.seal(nonce, plaintext, aad), sealed)
    expect(cipher.open(nonce, sealed, aad), plaintext)
    refuses(lambda: cipher.open(nonce, sealed[:-1] + bytes((sealed[-1] ^ 1,)), aad))


def ccm_answer() -> None:
    """AES-256-CCM of Wycheproof's case 183, both ways, and the refusal of a changed tag.

    Source: NIST SP 800-38C
    """
    cipher = AeadKey(
        _hex("cb5575f5c7c45c91cf320b139fb594237560d0a3e6f865a67d4f633f2c08f016"),
        mechanism=interface.AES_256_CCM,
    )
    nonce, aad = _hex("1a6518f02ede1da6809266d9"), _hex("89cce9fb47441d07e0245a66fe8b778b")
    plaintext = _hex("623b7850c321e2cf0c6fbcc8dfd1aff2")
    sealed = _hex("722ac6a226f49c90ab22527a5138b4012e4ee997c752783e743b366bb6b350a5")
    expect(cipher.seal(nonce, plaintext, aad), sealed)
    expect(cipher.open(nonce, sealed, aad), plaintext)
    refuses(lambda: cipher.open(nonce, sealed[:-1] + bytes((sealed[-1] ^ 1,)), aad))


def hkdf_ccm_answer() -> None:
    """Both parts of a subject's key that seals by AES-256-CCM.

    Source: RFC 5869, A.1; NIST SP 800-38C
    """
    hkdf_answer()
    ccm_answer()


def ed25519_answer() -> None:
    """Ed25519 of RFC 8032's second test and the refusal of another message.

    Source: RFC 8032, 7.1
    """
    verifier = Ed25519VerifyKey(
        _hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    )
    _signature_answer(
        verifier,
        _hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        b"\x72",
    )


def dual_answer() -> None:
    """A fixed seed gives its public key of ML-DSA-65; both signatures verify, neither alone does.

    Source: FIPS 204; RFC 8032, 7.1
    """
    classical = Ed25519SigningKey.generate()
    signer = DualSigningKey(classical, bytes(range(32)))
    public, signature = signer.public(), signer.sign(_JEFE)
    expect(sha256(public.lattice_octets()), _hex(_LATTICE_PUBLIC_DIGEST))
    public.verify(signature, _JEFE)
    for at in (0, len(signature) - 1):
        changed = signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :]
        refuses(partial(public.verify, changed, _JEFE))
    refuses(lambda: public.verify(classical.sign(_JEFE), _JEFE))
    ed25519_answer()


_LATTICE_PUBLIC_DIGEST = "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"


def ecdsa_answer() -> None:
    """ECDSA of RFC 6979's P-256 key over `sample`, a refusal, and a fresh signature verified.

    Source: RFC 6979, A.2.5; FIPS 186-5, 6.4
    """
    verifier = Es256VerifyKey(
        _hex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
        )
    )
    _signature_answer(
        verifier,
        _hex(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        ),
        b"sample",
    )
    signer = Es256SigningKey.generate()
    signer.public().verify(signer.sign(b"sample"), b"sample")


def _signature_answer(verifier: VerifyKey, signature: bytes, message: bytes) -> None:
    verifier.verify(signature, message)
    refuses(lambda: verifier.verify(signature, message + b"\x00"))


_HPKE_INFO = b"Ode on a Grecian Urn"
_HPKE_PLAINTEXT = b"Beauty is truth, truth beauty"


def _hpke_answer(suite: KemSuite, private: str, encapsulated: str, secret: str, nonce: str) -> None:
    """Open what the published key and nonce seal with no associated data; then a round trip.

    Source: RFC 9180, 6.1
    """
    receiver = KemPrivateKey.from_octets(suite, _hex(private))
    sealed = _hex(encapsulated) + AeadKey(_hex(secret)).seal(_hex(nonce), _HPKE_PLAINTEXT, b"")
    expect(receiver.open(sealed, info=_HPKE_INFO), _HPKE_PLAINTEXT)
    _hpke_round_trip(receiver)


def _hpke_round_trip(receiver: KemPrivateKey) -> None:
    sealed = receiver.public().seal(_HPKE_PLAINTEXT, info=_HPKE_INFO)
    expect(receiver.open(sealed, info=_HPKE_INFO), _HPKE_PLAINTEXT)
    refuses(lambda: receiver.open(sealed, info=b"another context"))


def hpke_p256_answer() -> None:
    """The key schedule of the published P-256, HKDF-SHA256, AES-256-GCM vector, base mode.

    Source: RFC 9180, A; cfrg/draft-irtf-cfrg-hpke, test-vectors.json
    """
    _hpke_answer(
        KemSuite.P256,
        "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
        "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e"
        "0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0",
        "ee16802a936d5f544771131900ee6973d0551de9e852ece2ef34bf0d5f9e1d1d",
        "9bc50980832a7b4b58c40161",
    )


def hpke_x25519_answer() -> None:
    """The key schedule of the published X25519, HKDF-SHA256, AES-256-GCM vector, base mode.

    Source: RFC 9180, A; cfrg/draft-irtf-cfrg-hpke, test-vectors.json
    """
    _hpke_answer(
        KemSuite.X25519,
        "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
        "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
        "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f",
        "151d9929e2449747889bc923",
    )


def hpke_hybrid_answer() -> None:
    """The hybrid suite: a fixed seed gives its public key, and a round trip with a refusal.

    Source: draft-ietf-hpke-pq, 4.2; FIPS 203
    """
    receiver = KemPrivateKey.from_octets(KemSuite.MLKEM768_X25519, bytes(range(32)))
    expect(sha256(receiver.public().octets()), _hex(_HYBRID_PUBLIC_DIGEST))
    _hpke_round_trip(receiver)


_HYBRID_PUBLIC_DIGEST = "c9a3565ffde4f72b51661be391ee13e46378d7f06dd5c8bf5af9d2cfb5b8336b"

KNOWN_ANSWERS: Mapping[str, KnownAnswer] = MappingProxyType(
    {
        interface.HMAC_SHA256: hmac_answer,
        interface.HMAC_SHA1: hmac_sha1_answer,
        interface.HMAC_SHA512: hmac_sha512_answer,
        interface.HKDF_SHA256: hkdf_answer,
        interface.HKDF_CCM: hkdf_ccm_answer,
        interface.AES_256_GCM: gcm_answer,
        interface.AES_256_CCM: ccm_answer,
        interface.ED25519: ed25519_answer,
        interface.DUAL_SIGNATURE: dual_answer,
        interface.ECDSA_P256: ecdsa_answer,
        interface.HPKE_P256: hpke_p256_answer,
        interface.HPKE_X25519: hpke_x25519_answer,
        interface.HPKE_HYBRID: hpke_hybrid_answer,
        **CARD_ANSWERS,
        **PAIR_ANSWERS,
    }
)
"""The test of every mechanism that a module runs, by the registry's name."""
