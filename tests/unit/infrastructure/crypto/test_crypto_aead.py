"""Sealed data opens as it was sealed or not at all."""

import copy
import pickle

import pytest

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.kernel.errors import Malformed, NotAuthentic

KEY, NONCE, AAD = bytes(range(32)), bytes(12), b"where it belongs"


def test_every_flipped_bit_is_refused() -> None:
    cipher = AeadKey(KEY)
    sealed = cipher.seal(NONCE, b"an amount and a payee", AAD)
    assert cipher.open(NONCE, sealed, AAD) == b"an amount and a payee"
    for place in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NotAuthentic):
            cipher.open(NONCE, bytes(changed), AAD)


def test_another_context_nonce_or_key_is_refused_with_one_face() -> None:
    sealed = AeadKey(KEY).seal(NONCE, b"text", AAD)
    faces = set()
    for cipher, nonce, octets, aad in [
        (AeadKey(KEY), NONCE, sealed, AAD + b"."),
        (AeadKey(KEY), b"\x01" * 12, sealed, AAD),
        (AeadKey(KEY), b"", sealed, AAD),
        (AeadKey(KEY), bytes(16), sealed, AAD),
        (AeadKey(KEY), NONCE, sealed[:15], AAD),
        (AeadKey(KEY), NONCE, b"", AAD),
        (AeadKey(bytes(32)), NONCE, sealed, AAD),
    ]:
        with pytest.raises(NotAuthentic) as caught:
            cipher.open(nonce, octets, aad)
        faces.add(str(caught.value))
    assert len(faces) == 1


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_other_key_lengths_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        AeadKey(bytes(length))


@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_other_nonce_lengths_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        AeadKey(KEY).seal(bytes(length), b"", b"")


def test_a_key_neither_prints_nor_travels() -> None:
    cipher = AeadKey(KEY)
    assert repr(cipher) == str(cipher) == f"{cipher}" == "AeadKey(***)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(cipher)
