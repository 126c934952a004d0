"""AES-CMAC and FF1 on decimal digits against Wycheproof."""

from collections import Counter
from pathlib import Path

import pytest
from tests.vectors.wycheproof_cases import cases, octets

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.ff1 import LONGEST, Ff1
from tallystick.kernel.errors import Malformed


def test_aes_cmac(test_data: Path) -> None:
    seen: Counter[str] = Counter()
    for group, case in cases(test_data, "aes_cmac_test.json"):
        given = octets(case["key"])
        if len(given) not in {16, 24, 32}:
            with pytest.raises(Malformed):
                Aes(given)
            seen["length"] += 1
            continue
        tag = Aes(given).cmac(octets(case["msg"]))[: group["tagSize"] // 8]
        assert equal(tag, octets(case["tag"])) == (case["result"] == "valid"), case["tcId"]
        seen[case["result"]] += 1
    assert sum(seen.values()) == 311
    assert seen["valid"] > 60
    assert seen["invalid"] > 100


def test_ff1_on_digits(test_data: Path) -> None:
    """Short strings that the standard once took are refused here: their domain is too small."""
    seen: Counter[str] = Counter()
    for _, case in cases(test_data, "aes_ff1_base10_test.json"):
        clear, tweak = case["msg"], octets(case["tweak"])
        try:
            found = Ff1(Aes(octets(case["key"]))).encrypt(clear, tweak)
        except Malformed:
            bad = case["result"] != "valid"
            assert bad or len(clear) < 6 or len(clear) > LONGEST, case["tcId"]
            seen["refused" if bad else "too short"] += 1
            continue
        assert case["result"] == "valid", case["tcId"]
        assert found == case["ct"], case["tcId"]
        assert Ff1(Aes(octets(case["key"]))).decrypt(found, tweak) == clear
        seen["valid"] += 1
    assert sum(seen.values()) == 3845
    assert seen["valid"] == 3300
    assert seen["too short"] == 12
