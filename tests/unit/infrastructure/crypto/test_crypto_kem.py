"""What is sealed to a public key opens only with its private half, in its context, unchanged."""

import copy
import pickle

import pytest

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite
from tallystick.kernel.errors import Malformed, NotAuthentic

SUITES = list(KemSuite)
OVERHEAD = {KemSuite.P256: 65, KemSuite.X25519: 32, KemSuite.MLKEM768_X25519: 1120}


@pytest.mark.parametrize("suite", SUITES)
def test_a_message_opens_for_its_receiver_in_its_context(suite: KemSuite) -> None:
    receiver = KemPrivateKey.generate(suite)
    sealed = KemPublicKey(suite, receiver.public().octets()).seal(b"text", info=b"session 1")
    assert len(sealed) == OVERHEAD[suite] + 4 + 16
    assert receiver.open(sealed, info=b"session 1") == b"text"
    with pytest.raises(NotAuthentic):
        receiver.open(sealed, info=b"session 2")
    with pytest.raises(NotAuthentic):
        KemPrivateKey.generate(suite).open(sealed, info=b"session 1")
    again = KemPrivateKey.from_octets(suite, receiver.to_octets().reveal())
    assert again.public().octets() == receiver.public().octets()
    assert again.open(sealed, info=b"session 1") == b"text"


@pytest.mark.parametrize("suite", SUITES)
def test_every_changed_or_missing_byte_is_refused_with_one_face(suite: KemSuite) -> None:
    receiver = KemPrivateKey.generate(suite)
    sealed = receiver.public().seal(b"text", info=b"")
    faces = set()
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        for octets in (bytes(changed), sealed[:place]):
            with pytest.raises(NotAuthentic) as caught:
                receiver.open(octets, info=b"")
            faces.add(str(caught.value))
    assert len(faces) == 1


NOT_PUBLIC = [
    (suite, length)
    for suite in SUITES
    for length in (0, 31, 32, 64, 65, 1184, 1216, 1217)
    if (suite, length) != (KemSuite.X25519, 32)  # every 32 bytes are an X25519 key
]


@pytest.mark.parametrize(("suite", "length"), NOT_PUBLIC)
def test_what_is_no_public_key_is_refused(suite: KemSuite, length: int) -> None:
    """All bytes 0xff: off the curve, above the lattice's modulus, or of the wrong length."""
    with pytest.raises(Malformed):
        KemPublicKey(suite, b"\xff" * length)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("length", [0, 31, 33, 64, 96])
def test_what_is_no_private_key_is_refused(suite: KemSuite, length: int) -> None:
    with pytest.raises(Malformed):
        KemPrivateKey.from_octets(suite, b"\x01" * length)


@pytest.mark.parametrize("octets", [bytes(32), b"\xff" * 32])
def test_a_p256_scalar_is_in_its_range(octets: bytes) -> None:
    with pytest.raises(Malformed):
        KemPrivateKey.from_octets(KemSuite.P256, octets)


@pytest.mark.parametrize("suite", [KemSuite.X25519, KemSuite.MLKEM768_X25519])
def test_nothing_is_sealed_to_a_point_of_low_order(suite: KemSuite) -> None:
    sound = KemPrivateKey.generate(suite).public().octets()
    weak = KemPublicKey(suite, sound[:-32] + bytes(32))
    with pytest.raises(Malformed):
        weak.seal(b"text", info=b"")


@pytest.mark.parametrize("suite", SUITES)
def test_a_private_key_neither_prints_nor_travels(suite: KemSuite) -> None:
    receiver = KemPrivateKey.generate(suite)
    assert repr(receiver) == "KemPrivateKey(***)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(receiver)
