"""ES256 and Ed25519 against Wycheproof: every valid signature passes, every other is refused."""

from collections import Counter
from pathlib import Path

import pytest
from tests.vectors.wycheproof_cases import cases, octets

from tallystick.infrastructure.crypto.signature import Ed25519VerifyKey, Es256VerifyKey
from tallystick.kernel.errors import Malformed, NotAuthentic


def outcome(verifier, case) -> str:
    try:
        verifier.verify(octets(case["sig"]), octets(case["msg"]))
    except NotAuthentic:
        return "invalid"
    return "valid"


def test_ecdsa_p256_with_r_and_s_side_by_side(test_data: Path) -> None:
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "ecdsa_secp256r1_sha256_p1363_test.json"):
        verifier = Es256VerifyKey(octets(group["publicKey"]["uncompressed"]))
        assert outcome(verifier, case) == case["result"], (case["tcId"], case["comment"])
        seen[case["result"]] += 1
    assert seen["valid"] > 100
    assert seen["invalid"] > 50


def test_ed25519(test_data: Path) -> None:
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "ed25519_test.json"):
        verifier = Ed25519VerifyKey(octets(group["publicKey"]["pk"]))
        assert outcome(verifier, case) == case["result"], (case["tcId"], case["comment"])
        seen[case["result"]] += 1
    assert seen["valid"] > 50
    assert seen["invalid"] > 30


def test_points_off_the_curve_are_no_keys(test_data: Path) -> None:
    """The ECDH file's invalid points, in the one form that our keys have."""
    refused = accepted = 0
    for _, case in cases(test_data, "ecdh_secp256r1_ecpoint_test.json"):
        point = octets(case["public"])
        if case["result"] == "valid" and len(point) == 65:
            Es256VerifyKey(point)
            accepted += 1
        elif case["result"] == "invalid":
            with pytest.raises(Malformed):
                Es256VerifyKey(point)
            refused += 1
    assert refused > 10
    assert accepted > 100
