"""The known answers notice a library that computes wrongly or accepts too much."""

import pytest
from tests.vectors import hpke_by_hand as by_hand

from tallystick.infrastructure.crypto.blocks import BlockCipher
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules import card_answers, known_answers
from tallystick.infrastructure.modules.card_answers import CARD_ANSWERS
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.kernel.errors import MfsError


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_the_answers_are_right_here(name: str) -> None:
    KNOWN_ANSWERS[name]()


def changed(function):
    """`function` with the last bit of its result flipped."""

    def wrong(*args, **kwargs) -> bytes:
        found = function(*args, **kwargs)
        return found[:-1] + bytes((found[-1] ^ 1,))

    return wrong


@pytest.mark.parametrize(
    ("owner", "attribute", "name"),
    [
        (known_answers, "hmac_sha256", "hmac-sha256"),
        (known_answers, "sha256", "hmac-sha256"),
        (known_answers, "hkdf_sha256", "hkdf-sha256"),
        (known_answers.AeadKey, "seal", "aes-256-gcm"),
        (known_answers.AeadKey, "open", "aes-256-gcm"),
        (known_answers.Es256SigningKey, "sign", "ecdsa-p256-sha256"),
        (known_answers.KemPrivateKey, "open", "hpke-p256"),
        (known_answers.KemPrivateKey, "open", "hpke-x25519"),
        (known_answers.KemPrivateKey, "open", "hpke-mlkem768-x25519"),
        (known_answers, "sha256", "hpke-mlkem768-x25519"),
    ],
)
def test_a_wrong_result_is_noticed(owner, attribute: str, name: str, monkeypatch) -> None:
    monkeypatch.setattr(owner, attribute, changed(getattr(owner, attribute)))
    with pytest.raises(MfsError):
        KNOWN_ANSWERS[name]()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (known_answers.Es256VerifyKey, "ecdsa-p256-sha256"),
        (known_answers.Ed25519VerifyKey, "ed25519"),
    ],
)
def test_a_verifier_that_accepts_everything_is_noticed(owner, name: str, monkeypatch) -> None:
    monkeypatch.setattr(owner, "verify", lambda *_: None)
    with pytest.raises(MfsError, match="accepted"):
        KNOWN_ANSWERS[name]()


def test_the_hybrids_public_key_is_also_computed_by_hand() -> None:
    lattice, private = by_hand.x_wing_secrets(bytes(range(32)))
    public = lattice.public_key().public_bytes_raw() + by_hand.x25519_public(private)
    assert sha256(public).hex() == known_answers._HYBRID_PUBLIC_DIGEST


def inverted(function):
    """`function` with every bit of its result flipped: some answers use its first digits only."""

    def wrong(*args, **kwargs) -> bytes:
        return bytes(one ^ 0xFF for one in function(*args, **kwargs))

    return wrong


@pytest.mark.parametrize("name", CARD_ANSWERS)
def test_a_cipher_that_computes_wrongly_is_noticed_by_every_answer_on_it(name, monkeypatch) -> None:
    """Each answer of cards fails under a cipher, a MAC or a block that is wrong."""
    for owner, attribute in (
        (BlockCipher, "encrypt"),
        (BlockCipher, "encrypt_chain"),
        (BlockCipher, "cmac"),
        (card_answers, "encode"),
    ):
        monkeypatch.setattr(owner, attribute, inverted(getattr(owner, attribute)))
    with pytest.raises(MfsError):
        CARD_ANSWERS[name]()
