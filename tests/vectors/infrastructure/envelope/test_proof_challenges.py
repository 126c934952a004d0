"""What keys and proofs of a device answer: fixed values, worked out with the standard library."""

import hashlib

from tallystick.infrastructure.envelope.schedule import keys_challenge, proof_challenge

CHALLENGE = bytes(range(32))
POSSESSION, CONSENT = b"\x04" + b"p" * 64, b"\x04" + b"c" * 64
DEVICE = "dev_01m8brm5n8dy953qhs8kqwmj0q"
KEYS = "981e3734b03f6e2801ff192daa70c224b57ca8be54639775c07ef7b7403aafa6"
PROOF = "d6faff53f2fb9bece35bc9008fb6920a64c098f7e4be173a2fbac9f74125edf3"


def test_the_fixed_values() -> None:
    assert keys_challenge(CHALLENGE, POSSESSION, CONSENT).hex() == KEYS
    assert proof_challenge(CHALLENGE, DEVICE).hex() == PROOF


def test_they_are_what_the_page_says() -> None:
    keys = b"tallystick/1 enrolment attested keys\x00" + CHALLENGE + POSSESSION + CONSENT
    proof = b"tallystick/1 device proof\x00" + CHALLENGE + DEVICE.encode()
    assert hashlib.sha256(keys).hexdigest() == KEYS
    assert hashlib.sha256(proof).hexdigest() == PROOF


def test_each_part_counts() -> None:
    seen = {
        keys_challenge(CHALLENGE, POSSESSION, CONSENT),
        keys_challenge(CHALLENGE, CONSENT, POSSESSION),
        keys_challenge(bytes(32), POSSESSION, CONSENT),
        proof_challenge(CHALLENGE, DEVICE),
        proof_challenge(CHALLENGE, DEVICE[:-1] + "r"),
        proof_challenge(bytes(32), DEVICE),
    }
    assert len(seen) == 6
