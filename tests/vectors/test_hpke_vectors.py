"""HPKE: published vectors judge the hand-written judge, and it judges the implementation.

The vectors are those of RFC 9180, appendix A (AES-128-GCM), and of cfrg/draft-irtf-cfrg-hpke,
test-vectors.json (AES-256-GCM), mode base. They use associated data, which our one-shot form has
not; so their key schedule is checked, and a message sealed under it is opened.
"""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.vectors import hpke_by_hand as by_hand

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite

INFO = b"Ode on a Grecian Urn"
PLAINTEXT = b"Beauty is truth, truth beauty"
AAD = b"Count-0"

# suite, AEAD, ephemeral private, receiver's private, encapsulated, shared secret, key, nonce, ct
PUBLISHED = [
    (
        "hpke-x25519",
        by_hand.AES_128,
        "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
        "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc",
        "4531685d41d65f03dc48f6b8302c05b0",
        "56d890e5accaaf011cff4b7d",
        (
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
            "6d8770ac83d07bea87e13c512a"
        ),
    ),
    (
        "hpke-x25519",
        by_hand.AES_256,
        "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
        "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
        "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
        "3101c54c3a4f87439eaac080699ed9bbcc726ffe44e860c0424ccb7e3e2ead7b",
        "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f",
        "151d9929e2449747889bc923",
        (
            "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be99319"
            "80a41de125a925cdad859d5b7a"
        ),
    ),
    (
        "hpke-p256",
        by_hand.AES_128,
        "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
        "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
        (
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9"
            "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
        ),
        "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8",
        "868c066ef58aae6dc589b6cfdd18f97e",
        "4e0bc5018beba4bf004cca59",
        (
            "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f"
            "9076ac232e3ab2523f39513434"
        ),
    ),
    (
        "hpke-p256",
        by_hand.AES_256,
        "90345e3a1d116c1dd39ae76d95ab858c142223a63e44f8f85318cfa91a84858e",
        "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
        (
            "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e"
            "0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0"
        ),
        "48893fecd82f7c3456af6a42d8f56325d21e08c10fa81299986aaff54cde7b49",
        "ee16802a936d5f544771131900ee6973d0551de9e852ece2ef34bf0d5f9e1d1d",
        "9bc50980832a7b4b58c40161",
        (
            "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d2917424"
            "65e902cd216f8908da49f8f96f"
        ),
    ),
]


@pytest.mark.parametrize(
    (
        "suite",
        "aead",
        "ephemeral",
        "private",
        "encapsulated",
        "shared",
        "secret",
        "nonce",
        "sealed",
    ),
    PUBLISHED,
)
def test_the_judge_meets_the_published_vectors(
    suite, aead, ephemeral, private, encapsulated, shared, secret, nonce, sealed
) -> None:
    kem, agree, public_of = by_hand.CURVES[suite]
    ephemeral, private = bytes.fromhex(ephemeral), bytes.fromhex(private)
    sent = public_of(ephemeral)
    assert sent.hex() == encapsulated
    value = by_hand.dh_secret(kem, agree(private, sent), sent, public_of(private))
    assert value.hex() == shared
    found, base = by_hand.schedule(kem, aead, value, INFO)
    assert (found.hex(), base.hex()) == (secret, nonce)
    assert AESGCM(found).encrypt(base, PLAINTEXT, AAD).hex() == sealed


@pytest.mark.parametrize("row", [row for row in PUBLISHED if row[1] == by_hand.AES_256])
def test_a_message_under_the_published_key_schedule_opens(row) -> None:
    suite, _, _, private, encapsulated, _, secret, nonce, _ = row
    receiver = KemPrivateKey.from_octets(KemSuite(suite), bytes.fromhex(private))
    body = AESGCM(bytes.fromhex(secret)).encrypt(bytes.fromhex(nonce), PLAINTEXT, b"")
    assert receiver.open(bytes.fromhex(encapsulated) + body, info=INFO) == PLAINTEXT


@pytest.mark.parametrize("suite", [KemSuite.P256, KemSuite.X25519])
@pytest.mark.parametrize("length", [0, 1, 1024])
def test_both_write_what_the_other_reads(suite: KemSuite, length: int) -> None:
    receiver, sender = KemPrivateKey.generate(suite), KemPrivateKey.generate(suite)
    private, public = receiver.to_octets().reveal(), receiver.public().octets()
    text = bytes(length)
    sealed = KemPublicKey(suite, public).seal(text, info=INFO)
    assert by_hand.unseal(suite.value, private, sealed, INFO) == text
    ephemeral = sender.to_octets().reveal()
    assert (
        receiver.open(by_hand.seal(suite.value, public, ephemeral, text, INFO), info=INFO) == text
    )


@pytest.mark.parametrize("length", [0, 1, 1024])
def test_both_write_what_the_other_reads_in_the_hybrid(length: int) -> None:
    receiver = KemPrivateKey.generate(KemSuite.MLKEM768_X25519)
    seed, public = receiver.to_octets().reveal(), receiver.public().octets()
    text = bytes(length)
    assert by_hand.hybrid_unseal(seed, receiver.public().seal(text, info=INFO), INFO) == text
    ephemeral = KemPrivateKey.generate(KemSuite.X25519).to_octets().reveal()
    assert receiver.open(by_hand.hybrid_seal(public, ephemeral, text, INFO), info=INFO) == text
