"""X25519 against Wycheproof, through sealing and opening."""

from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.vectors import hpke_by_hand as by_hand
from tests.vectors.wycheproof_cases import cases, octets

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite
from tallystick.kernel.errors import Malformed, NotAuthentic

ZERO = bytes(32)


def test_x25519_behind_hpke(test_data: Path) -> None:
    """A message under the case's shared secret opens; a zero secret neither opens nor seals."""
    seen: Counter[str] = Counter()
    for _, case in cases(test_data, "x25519_test.json"):
        public, shared = octets(case["public"]), octets(case["shared"])
        receiver = KemPrivateKey.from_octets(KemSuite.X25519, octets(case["private"]))
        secret = by_hand.dh_secret(by_hand.X25519, shared, public, receiver.public().octets())
        sealing, nonce = by_hand.schedule(by_hand.X25519, by_hand.AES_256, secret, b"")
        sealed = public + AESGCM(sealing).encrypt(nonce, b"text", b"")
        if shared == ZERO:
            with pytest.raises(NotAuthentic):
                receiver.open(sealed, info=b"")
            with pytest.raises(Malformed):
                KemPublicKey(KemSuite.X25519, public).seal(b"", info=b"")
            seen["zero"] += 1
        else:
            assert receiver.open(sealed, info=b"") == b"text", case["tcId"]
            seen["opened"] += 1
    assert seen["opened"] > 400
    assert seen["zero"] > 5
