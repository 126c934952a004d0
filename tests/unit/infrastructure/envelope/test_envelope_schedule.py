"""Names, labels and keys that both sides compute alike, against an independent HKDF."""

import hashlib
import hmac
import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from tallystick.infrastructure.envelope import schedule
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.ids import random_id
from tallystick.kernel.secret import Secret

SHARES = bytes(range(64))
T3 = bytes(range(64, 96))
SESSION = random_id("ses", bytes(range(16)))


def independent(info: bytes, length: int, secret: bytes = SHARES, salt: bytes = T3) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


@given(st.binary(min_size=16, max_size=16))
def test_a_session_and_its_sixteen_octets_name_each_other(octets: bytes) -> None:
    session = random_id("ses", octets)
    assert schedule.kid_of(session) == octets
    assert schedule.session_of(octets) == session


@pytest.mark.parametrize(
    "session",
    ["ses_", "dev_" + "0" * 26, "ses_8" + "0" * 25, "ses_" + "u" * 26, "ses_" + "0" * 26 + "\n"],
)
def test_another_name_is_malformed(session: str) -> None:
    with pytest.raises(Malformed):
        schedule.kid_of(session)
    with pytest.raises(Malformed):
        schedule.session_of(session.encode()[:15])


def test_no_label_is_the_start_of_another() -> None:
    labels = [
        value for value in vars(schedule).values() if isinstance(value, bytes) and len(value) > 12
    ]
    assert len(labels) == len(set(labels)) >= 24
    assert all(value.startswith(b"tallystick/1 ") and value.endswith(b"\x00") for value in labels)
    assert not [(a, b) for a in labels for b in labels if a != b and b.startswith(a)]


def test_session_keys_are_those_of_an_independent_hkdf() -> None:
    keys = schedule.session_keys(SESSION, SHARES, T3)
    expected = (
        independent(b"tallystick/1 request key\x00", 32)
        + independent(b"tallystick/1 reply key\x00", 32)
        + independent(b"tallystick/1 request iv\x00", 12)
    )
    assert keys.octets().reveal() == expected
    assert keys.kid == bytes(range(16))
    assert keys.request_iv == int.from_bytes(expected[64:], "big")


def test_the_renewal_secret_comes_from_the_exporter_and_its_counter() -> None:
    exporter = independent(b"tallystick/1 exporter\x00", 32)
    info = b"tallystick/1 renewal secret\x00" + (7).to_bytes(8, "big")
    expected = independent(info, 32, exporter, b"")
    assert schedule.renewal_secret(SHARES, T3, 7) == Secret(expected)
    assert schedule.renewal_secret(SHARES, T3, 8) != Secret(expected)
    proof = hmac.digest(
        expected, b"tallystick/1 renewal proof\x00" + (7).to_bytes(8, "big") + T3, "sha256"
    )
    assert schedule.renewal_proof(Secret(expected), 7, T3) == proof


def test_a_mac_binds_share_transcript_purpose_and_identity() -> None:
    key = independent(schedule.ANSWER_MAC, 32)
    expected = hmac.digest(key, schedule.ANSWER_MAC + T3 + b"Provider", hashlib.sha256)
    assert schedule.mac_under(SHARES, T3, schedule.ANSWER_MAC, "Provider") == expected
    schedule.check_mac(expected, expected)
    for other in (
        schedule.mac_under(SHARES[1:], T3, schedule.ANSWER_MAC, "Provider"),
        schedule.mac_under(SHARES, T3[::-1], schedule.ANSWER_MAC, "Provider"),
        schedule.mac_under(SHARES, T3, schedule.SESSION_MAC, "Provider"),
        schedule.mac_under(SHARES, T3, schedule.ANSWER_MAC, "Provider2"),
    ):
        with pytest.raises(NotAuthentic):
            schedule.check_mac(expected, other)


def test_session_keys_do_not_show_themselves() -> None:
    keys = schedule.session_keys(SESSION, SHARES, T3)
    assert repr(keys) == f"SessionKeys({SESSION}, ***)"
    assert repr(keys.octets()) == "Secret(***)"
    with pytest.raises(TypeError):
        pickle.dumps(keys)
    with pytest.raises(Malformed):
        schedule.SessionKeys(bytes(16), bytes(75))
    with pytest.raises(Malformed):
        schedule.SessionKeys(bytes(15), bytes(76))
