"""Keys and signatures of others, wrapped keys and both KEMs against Wycheproof; the table."""

import json
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from tests.vectors import hpke_by_hand as by_hand
from tests.vectors.mechanism_answers import wrapped_object
from tests.vectors.wycheproof_cases import cases, octets

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.credential import CredentialKey, credential_of_spki
from tallystick.infrastructure.crypto.ecdsa import raw_signature
from tallystick.infrastructure.crypto.jwe import open_compact
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.secret import Secret

HERE = Path(__file__).parent
TABLE = {one["file"]: one for one in json.loads((HERE / "wycheproof.json").read_text())["files"]}


def as_said(name: str, seen: Counter[str]) -> None:
    """The counts are those of the table that the reference shows."""
    row = TABLE[name]
    assert (seen["valid"], seen["invalid"], seen["left"]) == (
        row["valid"],
        row["invalid"],
        row["left"],
    ), (name, dict(seen))


def verdict(public: CredentialKey, cose: int, case: dict[str, str]) -> str:
    try:
        public.verify(cose, octets(case["sig"]), octets(case["msg"]))
    except NotAuthentic:
        return "invalid"
    return "valid"


@pytest.mark.parametrize(
    ("name", "cose"),
    [
        ("ecdsa_secp256r1_sha256_test.json", -7),
        ("ecdsa_secp384r1_sha384_test.json", -35),
        ("rsa_pss_3072_sha256_mgf1_32_test.json", -37),
        ("mldsa_65_verify_test.json", -49),
    ],
)
def test_signatures_of_others(test_data: Path, name: str, cose: int) -> None:
    """Of ML-DSA the cases with a context are left: attestations have none."""
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, name):
        if "ctx" in case:
            seen["left"] += 1
            continue
        try:
            public = credential_of_spki(octets(group["publicKeyDer"]))
        except Malformed:
            assert case["result"] == "invalid", case["tcId"]
            seen["invalid"] += 1
            continue
        found = verdict(public, cose, case)
        wanted = "valid" if case["result"] == "valid" else "invalid"
        if case["result"] == "acceptable":
            wanted = found
        assert found == wanted, (case["tcId"], case["comment"])
        seen[found] += 1
    as_said(name, seen)


def test_der_signatures_in_the_one_spelling_that_passkeys_may_have(test_data: Path) -> None:
    """Every valid case has it; what is spelled otherwise is refused before a key is asked."""
    for group, case in cases(test_data, "ecdsa_secp256r1_sha256_test.json"):
        public = Es256VerifyKey(octets(group["publicKey"]["uncompressed"]))
        try:
            public.verify(raw_signature(octets(case["sig"])), octets(case["msg"]))
            found = "valid"
        except NotAuthentic:
            found = "invalid"
        assert found == case["result"], (case["tcId"], case["comment"])


def opens(receiver: KemPrivateKey, kem: int, secret: bytes, encapsulated: bytes) -> bool:
    sealing, nonce = by_hand.schedule(kem, by_hand.AES_256, secret, b"")
    sealed = encapsulated + AESGCM(sealing).encrypt(nonce, b"text", b"")
    try:
        return receiver.open(sealed, info=b"") == b"text"
    except NotAuthentic:
        return False


@pytest.mark.parametrize("name", ["ecdh_secp256r1_ecpoint_test.json", "ecdh_secp256r1_test.json"])
def test_p256_behind_hpke(test_data: Path, name: str) -> None:
    """A message under the case's shared secret opens; a point off the curve opens nothing."""
    seen: Counter[str] = Counter()
    for _, case in cases(test_data, name):
        public = octets(case["public"])
        if name == "ecdh_secp256r1_test.json":
            try:
                public = credential_of_spki(public).point
            except Malformed:
                public = b""
        private = int(case["private"], 16).to_bytes(32, "big")
        receiver = KemPrivateKey.from_octets(KemSuite.P256, private)
        own = receiver.public().octets()
        secret = by_hand.dh_secret(by_hand.P256, octets(case["shared"]), public, own)
        found = len(public) == 65 and opens(receiver, by_hand.P256, secret, public)
        if case["result"] == "invalid":
            assert not found, case["tcId"]
        elif case["result"] == "valid" and len(public) == 65:
            assert found, (case["tcId"], case["comment"])
        seen["valid" if found else "invalid"] += 1
    as_said(name, seen)


def test_ml_kem_768_beside_x25519(test_data: Path) -> None:
    """The case's key and ciphertext stand in the hybrid suite, beside an agreement of X25519."""
    seen: Counter[str] = Counter()
    name = "mlkem_768_test.json"
    curve, other = X25519PrivateKey.from_private_bytes(b"\x09" * 32), b"\x0a" * 32
    point = by_hand.x25519_public(other)
    own = curve.public_key().public_bytes_raw()
    agreed = by_hand.x25519_agree(other, own)
    for _, case in cases(test_data, name):
        try:
            lattice = MLKEM768PrivateKey.from_seed_bytes(octets(case["seed"]))
        except ValueError:
            assert case["result"] == "invalid", case["tcId"]
            seen["invalid"] += 1
            continue
        public = lattice.public_key().public_bytes_raw()
        receiver = KemPrivateKey(
            KemSuite.MLKEM768_X25519,
            MLKEM768X25519PrivateKey(lattice, curve),
            Secret(bytes(32)),
            public + own,
        )
        shared = octets(case["K"]) if case.get("K") else bytes(32)
        secret = by_hand.x_wing_combine(shared, agreed, point, own)
        found = opens(receiver, by_hand.X_WING, secret, octets(case["c"]) + point)
        assert found == (case["result"] == "valid"), (case["tcId"], case.get("comment"))
        seen["valid" if found else "invalid"] += 1
    as_said(name, seen)


def test_wrapped_keys(test_data: Path) -> None:
    """Keys of 32 bytes under keys of 32 bytes: all that an encrypted object may have here."""
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "aes_wrap_test.json"):
        wrapping, content = octets(case["key"]), octets(case["msg"])
        jwe = wrapped_object(octets(case["ct"]), content.ljust(32, b"\x00")[:32])
        fits = group["keySize"] == 256 and len(content) == 32
        if case["result"] == "valid" and fits:
            assert open_compact(Secret(wrapping), jwe) == b"text"
            seen["valid"] += 1
        else:
            with pytest.raises((NotAuthentic, Malformed)):
                open_compact(Secret(wrapping), jwe)
            seen["invalid"] += 1
    as_said("aes_wrap_test.json", seen)


def test_encrypted_objects(test_data: Path) -> None:
    """Only A256KW with A256GCM is known; every other pair is refused, valid or not."""
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "json_web_encryption_test.json"):
        secret = group["private"].get("k", "")
        wrapping = Secret(b64url_decode(secret) if secret else bytes(32))
        head = case["jwe"].partition(".")[0]
        ours = head == b64url(b'{"alg":"A256KW","enc":"A256GCM"}') and case["result"] == "valid"
        try:
            found = open_compact(wrapping, case["jwe"]) == octets(case["pt"])
        except (NotAuthentic, Malformed):
            found = False
        assert found or not ours, case["tcId"]
        assert not found or case["result"] == "valid", case["tcId"]
        seen["valid" if found else "invalid"] += 1
    as_said("json_web_encryption_test.json", seen)


def test_keys_of_other_lengths_are_no_keys_for_gcm(test_data: Path) -> None:
    for group, case in cases(test_data, "aes_gcm_test.json"):
        if group["keySize"] != 256:
            with pytest.raises(Malformed):
                AeadKey(octets(case["key"]))


def test_the_table_has_every_file_and_every_case_of_it(test_data: Path) -> None:
    there = {one.name for one in (test_data / "wycheproof").glob("*.json")}
    assert set(TABLE) == there
    tests = "".join(one.read_text() for one in HERE.parent.rglob("test_*.py"))
    for name, row in TABLE.items():
        number = json.loads((test_data / "wycheproof" / name).read_text())["numberOfTests"]
        assert row["valid"] + row["invalid"] + row["left"] == number == row["cases"], name
        assert bool(row["left"]) == bool(row["why"]), name
        if row["left"] < number:
            assert name in tests, name
