"""Nonces: each once, as long as it could come again; nothing from before the memory began."""

import pytest

from tallystick.infrastructure.httpsig import Coverage, Nonces, Verified
from tallystick.kernel.errors import RateLimited, Replayed, Unavailable

BEGAN = 1_000_000
AHEAD = 5_000
LATER = BEGAN + AHEAD


def signed(nonce: str, *, keyid: str = "a/1", created_at: int = LATER, life: int = 60_000):
    return Verified("x", keyid, nonce, Coverage((), ()), b"", b"", created_at, created_at + life)


def test_a_nonce_is_taken_once_for_each_key() -> None:
    nonces = Nonces(BEGAN, AHEAD)
    nonces.once(signed("n"), LATER)
    with pytest.raises(Replayed):
        nonces.once(signed("n"), LATER + 59_999)
    nonces.once(signed("n", keyid="a/2"), LATER)
    nonces.once(signed("m"), LATER)


@pytest.mark.threat("THR-BE-06")
def test_what_could_have_been_taken_before_a_restart_is_refused() -> None:
    nonces = Nonces(BEGAN, AHEAD)
    with pytest.raises(Unavailable) as caught:
        nonces.once(signed("n", created_at=LATER - 1), LATER)
    assert caught.value.retry_after_s == 1
    nonces.once(signed("n", created_at=LATER), LATER)


def test_room_is_bounded_for_each_key_and_made_when_time_has_passed() -> None:
    nonces = Nonces(BEGAN, AHEAD, most=2)
    nonces.once(signed("1"), LATER)
    nonces.once(signed("2"), LATER)
    with pytest.raises(RateLimited):
        nonces.once(signed("3"), LATER)
    nonces.once(signed("3", keyid="a/2"), LATER)
    after = LATER + 60_000
    nonces.once(signed("3", created_at=after), after)
    with pytest.raises(Replayed):
        nonces.once(signed("3", created_at=after), after)
