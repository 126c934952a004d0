"""Key derivation against published values and its limits."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tallystick.infrastructure.crypto import kdf
from tallystick.infrastructure.crypto.digest import equal, hmac_sha256, sha256
from tallystick.infrastructure.crypto.kdf import argon2id, hkdf_sha256
from tallystick.kernel.errors import Malformed, Unavailable


def test_hkdf_gives_what_rfc_5869_publishes() -> None:
    """Appendix A.2 (long inputs, two blocks and more) and A.3 (no salt, no info)."""
    assert hkdf_sha256(
        bytes(range(0x50)), salt=bytes(range(0x60, 0xB0)), info=bytes(range(0xB0, 0x100)), length=82
    ) == bytes.fromhex(
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )
    assert hkdf_sha256(b"\x0b" * 22, salt=b"", info=b"", length=42) == bytes.fromhex(
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


@pytest.mark.parametrize("length", [0, -1, 255 * 32 + 1])
def test_hkdf_refuses_lengths_out_of_range(length: int) -> None:
    with pytest.raises(Malformed):
        hkdf_sha256(b"secret", salt=b"", info=b"", length=length)


def test_the_library_gives_what_rfc_9106_publishes() -> None:
    """Section 5.3; it has a secret and data, which our form leaves out."""
    library = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\x04" * 12,
        secret=b"\x03" * 8,
    )
    assert library.derive(b"\x01" * 32) == bytes.fromhex(
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


def test_argon2id_gives_what_its_authors_publish() -> None:
    """Values of phc-winner-argon2, test.c (Argon2id, version 19)."""
    salt = b"somesalt"
    assert argon2id(
        b"password", salt=salt, memory_kib=65536, passes=2, lanes=1, length=32
    ) == bytes.fromhex("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7")
    assert argon2id(
        b"password", salt=salt, memory_kib=256, passes=2, lanes=1, length=32
    ) == bytes.fromhex("9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe")
    assert argon2id(
        b"password", salt=salt, memory_kib=256, passes=2, lanes=2, length=32
    ) == bytes.fromhex("6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037")


@pytest.mark.parametrize(
    "change", [{"salt": b"short"}, {"passes": 0}, {"lanes": 0}, {"memory_kib": 1}, {"length": 1}]
)
def test_argon2id_refuses_parameters_it_does_not_take(change) -> None:
    sound = {"salt": b"somesalt", "memory_kib": 8, "passes": 1, "lanes": 1, "length": 32}
    argon2id(b"password", **sound)
    with pytest.raises(Malformed, match="parameters"):
        argon2id(b"password", **(sound | change))


@pytest.mark.parametrize("fault", [MemoryError(), UnsupportedAlgorithm("no")])
def test_a_host_that_cannot_run_argon2id_is_named(fault: Exception, monkeypatch) -> None:
    def refuse(**_: object) -> None:
        raise fault

    monkeypatch.setattr(kdf, "Argon2id", refuse)
    with pytest.raises(Unavailable, match="memory"):
        argon2id(b"password", salt=b"somesalt", memory_kib=8, passes=1, lanes=1, length=32)


def test_digests_give_what_the_standards_publish() -> None:
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hmac_sha256(b"\x0b" * 20, b"Hi There").hex() == (
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    assert equal(b"same", b"same")
    assert not equal(b"same", b"sama")
    assert not equal(b"same", b"sam")
