"""Block ciphers, the MACs of ISO 9797-1, derivation with CMAC and FF1: values and refusals."""

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

from tallystick.infrastructure.crypto.blocks import Aes, Des, Tdea, exclusive_or, with_odd_parity
from tallystick.infrastructure.crypto.ff1 import LONGEST, Ff1
from tallystick.infrastructure.crypto.iso9797 import (
    RetailMac,
    cbc_mac,
    kbkdf_cmac,
    pad,
    pad_bit,
    pad_length,
    pad_zeros,
)
from tallystick.kernel.errors import Malformed

SAMPLE = bytes.fromhex("0123456789abcdeffedcba9876543210")


@pytest.mark.parametrize("length", [0, 8, 15, 17, 33])
def test_a_key_has_the_length_of_its_cipher(length: int) -> None:
    with pytest.raises(Malformed):
        Aes(bytes(range(length)))
    with pytest.raises(Malformed):
        Tdea(bytes(range(length)))
    if length != 8:
        with pytest.raises(Malformed):
            Des(bytes(length))
    with pytest.raises(Malformed):
        RetailMac(bytes(length))


@pytest.mark.parametrize("text", ["00" * 16, "01" * 8 + "00" * 8, "aa" * 8 + "ab" * 16])
def test_a_tdea_key_that_is_one_des_key_is_refused(text: str) -> None:
    """Also where its halves differ in parity bits only."""
    with pytest.raises(Malformed, match="DES"):
        Tdea(bytes.fromhex(text))


def test_only_whole_blocks_go_through_and_a_refusal_leaves_no_trace() -> None:
    for cipher, width in ((Aes(SAMPLE), 16), (Tdea(SAMPLE), 8)):
        clear = bytes(range(2 * width))
        wanted = cipher.encrypt(clear)
        for act in (
            lambda c=cipher: c.encrypt(b"x"),
            lambda c=cipher: c.decrypt(b"x"),
            lambda c=cipher, w=width: c.encrypt_chain(bytes(w), b"x"),
            lambda c=cipher: c.encrypt_chain(b"x", b""),
            lambda c=cipher: c.decrypt_chain(b"x", b""),
            lambda c=cipher: c.counter(b"x", b""),
        ):
            with pytest.raises(Malformed):
                act()
        assert cipher.encrypt(clear) == wanted
        assert cipher.decrypt(wanted) == clear
        chained = cipher.encrypt_chain(bytes(width), clear)
        assert cipher.decrypt_chain(bytes(width), chained) == clear
        assert chained[:width] == wanted[:width]
        assert chained[width:] == cipher.encrypt(exclusive_or(chained[:width], clear[width:]))
    assert Aes(SAMPLE).counter(bytes(16), b"abc") == exclusive_or(
        Aes(SAMPLE).encrypt(bytes(16))[:3], b"abc"
    )


def test_paddings() -> None:
    assert pad_zeros(b"", 8) == bytes(8)
    assert pad_zeros(b"a" * 8, 8) == b"a" * 8
    assert pad_zeros(b"a", 4) == b"a\0\0\0"
    assert pad_bit(b"", 4) == b"\x80\0\0\0"
    assert pad_bit(b"aaa", 4) == b"aaa\x80"
    assert pad_bit(b"aaaa", 4) == b"aaaa\x80\0\0\0"
    assert pad_length(b"ab", 8) == b"\0" * 7 + b"\x10ab" + bytes(6)
    for method in (0, 4):
        with pytest.raises(Malformed):
            pad(b"", 8, method)


def test_macs_as_others_compute_them() -> None:
    assert cbc_mac(Tdea(SAMPLE), b"hello world", padding=2).hex() == "eb1cf05d14ceed88"
    single = Des(SAMPLE[:8]).encrypt(b"12345678")
    tail = Des(SAMPLE[:8]).encrypt(Des(SAMPLE[8:]).decrypt(single))
    assert RetailMac(SAMPLE).mac(b"12345678", padding=1) == tail
    assert "***" in repr(RetailMac(SAMPLE))
    with pytest.raises(TypeError):
        RetailMac(SAMPLE).__reduce__()


@pytest.mark.parametrize("length", [1, 16, 17, 32, 48, 100])
def test_derivation_with_cmac_is_that_of_the_library(length: int) -> None:
    wanted = KBKDFCMAC(
        AES, Mode.CounterMode, length, 4, 4, CounterLocation.BeforeFixed, b"label", b"context", None
    ).derive(SAMPLE)
    found = kbkdf_cmac(Aes(SAMPLE), label=b"label", context=b"context", length=length)
    assert found == wanted


@pytest.mark.parametrize("length", [0, 1025])
def test_a_derived_key_has_a_length(length: int) -> None:
    with pytest.raises(Malformed):
        kbkdf_cmac(Aes(SAMPLE), label=b"", context=b"", length=length)


def test_parity_is_odd() -> None:
    assert with_odd_parity(bytes((0, 1, 2, 3, 254, 255))) == bytes((1, 1, 2, 2, 254, 254))


def test_ff1_has_a_least_domain_and_a_greatest_length() -> None:
    cipher = Ff1(Aes(SAMPLE))
    for digits in ("", "12345", "1" * (LONGEST + 1), "12345a", "12345\u0661"):
        with pytest.raises(Malformed):
            cipher.encrypt(digits, b"")
        with pytest.raises(Malformed):
            cipher.decrypt(digits, b"")
    with pytest.raises(Malformed, match="tweak"):
        cipher.encrypt("123456", bytes(65))
