"""AES-256-GCM, HKDF-SHA256 and HMAC-SHA256 against Wycheproof."""

from collections import Counter
from pathlib import Path

import pytest
from tests.vectors.wycheproof_cases import cases, octets

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.digest import equal, hmac_sha256
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.kernel.errors import Malformed, NotAuthentic


def test_aes_256_gcm(test_data: Path) -> None:
    """All cases of 256-bit keys; those with another nonce or tag length are refused."""
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "aes_gcm_test.json"):
        if group["keySize"] != 256:
            continue
        cipher = AeadKey(octets(case["key"]))
        nonce, aad = octets(case["iv"]), octets(case["aad"])
        sealed = octets(case["ct"]) + octets(case["tag"])
        if case["result"] == "valid" and group["ivSize"] == 96 and group["tagSize"] == 128:
            assert cipher.open(nonce, sealed, aad) == octets(case["msg"])
            assert cipher.seal(nonce, octets(case["msg"]), aad) == sealed
            seen["valid"] += 1
        else:
            with pytest.raises(NotAuthentic):
                cipher.open(nonce, sealed, aad)
            seen["refused"] += 1
    assert seen["valid"] == 39
    assert seen["refused"] == 66


def test_hkdf_sha256(test_data: Path) -> None:
    seen: Counter[str] = Counter()
    for _, case in cases(test_data, "hkdf_sha256_test.json"):
        derive = {
            "salt": octets(case["salt"]),
            "info": octets(case["info"]),
            "length": case["size"],
        }
        if case["result"] == "valid":
            assert hkdf_sha256(octets(case["ikm"]), **derive) == octets(case["okm"])
        else:
            with pytest.raises(Malformed):
                hkdf_sha256(octets(case["ikm"]), **derive)
        seen[case["result"]] += 1
    assert seen["valid"] > 70
    assert seen["invalid"] > 0


def test_hmac_sha256(test_data: Path) -> None:
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "hmac_sha256_test.json"):
        tag = hmac_sha256(octets(case["key"]), octets(case["msg"]))[: group["tagSize"] // 8]
        assert equal(tag, octets(case["tag"])) == (case["result"] == "valid"), case["tcId"]
        seen[case["result"]] += 1
    assert seen["valid"] > 50
    assert seen["invalid"] > 50
