"""Known answers of what is run outside of a module, or is made of several mechanisms.

Each function raises unless the answer is right; most try besides that a change is refused.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.hierarchy import Hierarchy, write_pem
from tests.support.openssl import openssl
from tests.support.stamping import authority
from tests.unit.infrastructure.modules.module_under_test import MASTER, build

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.credential import credential_of_spki
from tallystick.infrastructure.crypto.digest import PreparedHmac, named_digest
from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.jwe import open_compact
from tallystick.infrastructure.crypto.kdf import argon2id
from tallystick.infrastructure.crypto.rsa_pss import RsaPssVerifyKey
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.modules.card_interface import EVERYTHING
from tallystick.infrastructure.modules.entropy import WatchedEntropy
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.known_answers import (
    dual_answer,
    ecdsa_answer,
    ed25519_answer,
    gcm_answer,
    hkdf_answer,
    hmac_answer,
    hpke_hybrid_answer,
    hpke_p256_answer,
    hpke_x25519_answer,
)
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.shamir import Share, combine, split
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_data import Ciphering, Mode
from tallystick.infrastructure.modules.soft_transport import Incoming
from tallystick.infrastructure.otp import code_at
from tallystick.infrastructure.tally.merkle import Frontier, append_batch, leaf_hash
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Broken, Conflict, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, SimulatedClock

_hex = bytes.fromhex
_GIVEN = json.loads((Path(__file__).parent / "data" / "mechanism_answers.json").read_text())
_ABC = {
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7",
    "sha512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}


def digest(name: str) -> None:
    assert named_digest(name, b"abc").hex() == _ABC[name]


def mode(name: str) -> None:
    """NIST SP 800-38A, F.1.1, F.2.1 and F.5.1."""
    cipher = Aes(_hex("2b7e151628aed2a6abf7158809cf4f3c"))
    clear = _hex("6bc1bee22e409f96e93d7e117393172a")
    if name == "ecb":
        assert cipher.encrypt(clear).hex() == "3ad77bb40d7a3660a89ecaf32466ef97"
    elif name == "cbc":
        found = cipher.encrypt_chain(bytes(range(16)), clear)
        assert found.hex() == "7649abac8119b246cee98e9b12e9197d"
        assert cipher.decrypt_chain(bytes(range(16)), found) == clear
    else:
        found = cipher.counter(bytes(range(0xF0, 0x100)), clear)
        assert found.hex() == "874d6191b620e3261bef6864990db6ce"


def wrapped_object(wrapped: bytes, content_key: bytes) -> str:
    """An encrypted object whose content key is wrapped as `wrapped`."""
    head = b64url(b'{"alg":"A256KW","enc":"A256GCM"}')
    sealed = AESGCM(content_key).encrypt(bytes(12), b"text", head.encode())
    parts = (wrapped, bytes(12), sealed[:-16], sealed[-16:])
    return ".".join((head, *(b64url(one) for one in parts)))


def key_wrap() -> None:
    """RFC 3394, 4.6."""
    content = _hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
    wrapped = _hex(
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
    )
    wrapping = Secret(bytes(range(32)))
    assert open_compact(wrapping, wrapped_object(wrapped, content)) == b"text"
    with pytest.raises(NotAuthentic):
        open_compact(wrapping, wrapped_object(wrapped[:-1] + b"\x00", content))


def signature(name: str) -> None:
    given = _GIVEN["signatures"][name]
    public, made = credential_of_spki(_hex(given["spki"])), _hex(given["signature"])
    message = _hex(given.get("message", b"sample".hex()))
    public.verify(given["cose"], made, message)
    with pytest.raises(NotAuthentic):
        public.verify(given["cose"], made, message + b"!")


def http_signature(name: str) -> None:
    given = _GIVEN["rsa-pss-sha512"][name]
    public, made = RsaPssVerifyKey(_hex(given["spki"])), _hex(given["signature"])
    assert public.mechanism.name == name
    public.verify(made, b"sample")
    with pytest.raises(NotAuthentic):
        public.verify(made, b"sample!")


def lattice(name: str, private: Any, cose: int) -> None:
    """A published seed gives the published key, whose published signature verifies; ours too."""
    given = _GIVEN["ml-dsa"][name]
    made = private.from_seed_bytes(_hex(given["seed"]))
    raw = made.public_key().public_bytes_raw()
    assert named_digest("sha256", raw).hex() == given["public_sha256"]
    published = _hex(given["signature"]), _hex(given["message"]), _hex(given["context"])
    made.public_key().verify(*published)
    spki = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = credential_of_spki(spki)
    public.verify(cose, made.sign(b"sample"), b"sample")
    with pytest.raises(NotAuthentic):
        public.verify(cose, made.sign(b"sample"), b"sample!")


def beside_ecdsa() -> None:
    """A fixed seed gives its public key beside a key of P-256; both count, neither alone does."""
    given = DualSigningKey(Ed25519SigningKey.generate(), bytes(range(32))).public()
    classical = Es256SigningKey.generate()
    signer = DualSigningKey(classical, bytes(range(32)))
    public, signature = signer.public(), signer.sign(b"sample")
    assert public.lattice_octets() == given.lattice_octets()
    assert public.octets()[:65] == classical.public().octets()
    public.verify(signature, b"sample")
    wrong = [classical.sign(b"sample"), signature[64:]]
    wrong += [
        signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :]
        for at in (0, 63, 64, len(signature) - 1)
    ]
    for one in wrong:
        with pytest.raises(NotAuthentic):
            public.verify(one, b"sample")
    ecdsa_answer()
    dual_answer()


def tree() -> None:
    """The eight leaves of the reference implementation of RFC 6962."""
    leaves = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f")  # fmt: skip
    grown = append_batch(Frontier(), [leaf_hash(_hex(one)) for one in leaves])
    root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert grown.frontier.root().hex() == root


def slow_hash() -> None:
    found = argon2id(b"password", salt=b"somesalt", memory_kib=65536, passes=2, lanes=1, length=32)
    assert found.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def verifier() -> None:
    slow_hash()
    hmac_answer()


_SLIP_39 = {
    4: "90f25bc998346d039203971999669e96",
    2: "fc119ebfe32da3d688dc1f26c22c7ffc",
    0: "9e6afad0e741c8c1c65b2785a942808a",
}
"""Three shares, by their x, of a group in case 17 of SLIP-0039's test vectors."""


def interpolated(given: dict[int, str]) -> None:
    """SLIP-0039 has its secret at x = 255, and a digest of it by HMAC-SHA-256 at x = 254.

    To add is to XOR, so that a polynomial at x is another one's, moved by 255 or 254, at 0.
    """

    def at(place: int) -> bytes:
        moved = [
            Share(set_id=bytes(4), threshold=3, number=x ^ place, octets=_hex(y))
            for x, y in given.items()
        ]
        return combine(moved).reveal()

    secret, digest = at(255), at(254)
    assert secret.hex() == "e0a3c2d22270a6497c10d76edc660894"
    assert PreparedHmac(digest[4:], "hmac-sha256").mac(secret)[:4] == digest[:4]


def shares() -> None:
    secret = bytes(range(32))
    interpolated(_SLIP_39)
    made = split(secret, threshold=3, shares=5, entropy=lambda length: b"\x5a" * length)
    for chosen in combinations(made, 3):
        assert combine(chosen).reveal() == secret
    with pytest.raises(Conflict):
        combine(made[:2])


def block() -> None:
    gcm_answer()
    module = build()
    wrapped = module.export_block(module.generate(Purpose.STORE))
    assert module.import_block(wrapped).purpose is Purpose.STORE
    with pytest.raises(NotAuthentic):
        module.import_block(wrapped[:-1] + bytes((wrapped[-1] ^ 1,)))


def codes() -> None:
    prepared = PreparedHmac(b"12345678901234567890", "hmac-sha1")
    assert [code_at(prepared.mac, n, 6) for n in range(3)] == ["755224", "287082", "359152"]


def drawn() -> None:
    stuck = WatchedEntropy(bytes)
    with pytest.raises(Broken):
        [stuck(32) for _ in range(64)]
    assert WatchedEntropy()(32) != WatchedEntropy()(32)


def stamp(folder: Path) -> None:
    """A stamp of ours, judged by openssl ts; another document under it is refused elsewhere."""
    made = Hierarchy(folder)
    data, asked, answered = (folder / name for name in ("data", "asked.tsq", "answered.tsr"))
    data.write_bytes(b"sample")
    openssl("ts", "-query", "-data", data, "-sha256", "-cert", "-out", asked)
    answered.write_bytes(authority(made).answer(asked.read_bytes(), made.now))
    root = write_pem(folder / "root.pem", made.root.certificate)
    others = folder / "others.pem"
    services = made.authorities["services"].certificate.octets
    others.write_text(pem_of(list(made.register.certificates())[-1].octets) + pem_of(services))
    trust = ("-CAfile", root, "-untrusted", others)
    said = openssl("ts", "-verify", "-data", data, "-in", answered, *trust)
    assert "Verification: OK" in said
    above = write_pem(folder / "services.pem", made.authorities["services"].certificate)
    assert "OK" in openssl("verify", "-attime", str(made.now // 1000), "-CAfile", root, above)


def key_transport() -> None:
    """A key that openssl enciphered to the certificate of a pair comes in, a changed one not."""
    inside = SoftModule(
        MasterKey(MASTER).roots(Purpose), SimulatedClock(), profile="test", rules=EVERYTHING
    )
    authority = inside.generate(Purpose.DOOR_AUTHORITY, mechanism="rsa-pkcs1-v1.5")
    sent = bytes(range(16))
    incoming = Incoming(
        purpose=Purpose.DATA_ENCRYPTION, mechanism="aes-128", mode="B", exportability="E"
    )
    with TemporaryDirectory() as root:
        folder, now = Path(root), Instant(1_900_000_000_000)
        certificate, plain, sealed = (folder / name for name in ("pair.pem", "plain", "sealed"))
        certificate.write_bytes(inside.transport.make(3072, "pair", now, authority).certificate)
        plain.write_bytes(sent)
        how = ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256")
        options = [part for one in how for part in ("-pkeyopt", one)]
        openssl("pkeyutl", "-encrypt", "-certin", "-inkey", certificate, "-in", plain,
                "-out", sealed, *options)  # fmt: skip
        octets = sealed.read_bytes()
    handle = inside.transport.admit("pair", octets, "sha-256", incoming, now)
    enciphered = inside.data.encrypt(Ciphering(handle=handle, mode=Mode.ECB), bytes(16))
    assert enciphered == Cipher(AES(sent), ECB()).encryptor().update(bytes(16))
    changed = octets[:-1] + bytes((octets[-1] ^ 1,))
    with pytest.raises(NotAuthentic):
        inside.transport.admit("pair", changed, "sha-256", incoming, now)


ANSWERS: Mapping[str, Callable[[], None]] = {
    "sha-256": partial(digest, "sha256"),
    "rsa-oaep-3072": key_transport,
    "sha-384": partial(digest, "sha384"),
    "sha-512": partial(digest, "sha512"),
    "shake256": hpke_hybrid_answer,
    **{name: partial(mode, name) for name in ("ecb", "cbc", "ctr")},
    "aes-256-kw": key_wrap,
    **{name: partial(signature, name) for name in _GIVEN["signatures"]},
    **{name: partial(http_signature, name) for name in _GIVEN["rsa-pss-sha512"]},
    "ml-dsa-44": partial(lattice, "ml-dsa-44", mldsa.MLDSA44PrivateKey, -48),
    "ml-dsa-87": partial(lattice, "ml-dsa-87", mldsa.MLDSA87PrivateKey, -50),
    "ecdsa-p256-ml-dsa-65": beside_ecdsa,
    "timestamp-linked": tree,
    "merkle-sha256": tree,
    "non-repudiation-signature": ecdsa_answer,
    "entity-auth-signature": ecdsa_answer,
    "entity-auth-mac": hmac_answer,
    "ecdh-p256": hpke_p256_answer,
    "x25519": hpke_x25519_answer,
    "ml-kem-768": hpke_hybrid_answer,
    "point-to-point": hkdf_answer,
    "argon2id": slow_hash,
    "pin-verifier": verifier,
    "shamir-gf256": shares,
    "module-block": block,
    "one-time-code": codes,
    "random-bits": drawn,
    "curve-p256": ecdsa_answer,
    "curve-p384": partial(signature, "ecdsa-p384-sha384"),
    "curve-p521": partial(signature, "ecdsa-p521-sha512"),
    "curve-25519": ed25519_answer,
}
"""By the registry's name; `timestamp` and `certificate` are judged by openssl, in `stamp`."""
