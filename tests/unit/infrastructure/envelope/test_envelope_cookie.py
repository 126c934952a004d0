"""The cookie: opens for whoever sealed it, for a minute, until its key is gone."""

import pytest

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.envelope.cookie import COOKIE_LIFE_MS, Begun, CookieKeys
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Expired, Malformed, MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.session import Purpose

NOW = 1_800_000_000_000


def begun(suite: KemSuite = KemSuite.X25519) -> Begun:
    return Begun(
        purpose=Purpose.SESSION,
        session="ses_" + "0" * 26,
        t2=bytes(32),
        begun_at=NOW,
        share=Secret(b"s" * 32),
        kem=KemPrivateKey.generate(suite),
    )


@pytest.mark.parametrize("suite", list(KemSuite))
def test_what_was_sealed_comes_back(suite: KemSuite) -> None:
    keys, before = CookieKeys(bytes(32)), begun(suite)
    after = keys.open(keys.seal(before, bytes(12)), Instant(NOW))
    assert (after.purpose, after.session, after.t2, after.begun_at) == (
        before.purpose,
        before.session,
        before.t2,
        before.begun_at,
    )
    assert after.share == before.share
    assert after.kem.to_octets() == before.kem.to_octets()


def test_a_cookie_lives_for_a_minute() -> None:
    keys = CookieKeys(bytes(32))
    cookie = keys.seal(begun(), bytes(12))
    keys.open(cookie, Instant(NOW + COOKIE_LIFE_MS))
    for now in (NOW + COOKIE_LIFE_MS + 1, NOW - 1):
        with pytest.raises(Expired):
            keys.open(cookie, Instant(now))


def test_a_key_is_gone_after_two_rotations() -> None:
    keys = CookieKeys(bytes(32))
    cookie = keys.seal(begun(), bytes(12))
    for octet in range(1, 257):
        keys.rotate(bytes((octet % 251,)) * 32)
        if octet == 1:
            keys.open(cookie, Instant(NOW))
        else:
            with pytest.raises(NotAuthentic):
                keys.open(cookie, Instant(NOW))
    keys.open(keys.seal(begun(), bytes(12)), Instant(NOW))


def test_a_changed_or_foreign_cookie_is_refused() -> None:
    keys = CookieKeys(bytes(32))
    cookie = b64url_decode(keys.seal(begun(), bytes(12)))
    for at in range(len(cookie)):
        changed = bytearray(cookie)
        changed[at] ^= 1
        with pytest.raises(NotAuthentic):
            keys.open(b64url(bytes(changed)), Instant(NOW))
    for other in (b"", b"\x00", cookie[:13], cookie[:20]):
        with pytest.raises(NotAuthentic):
            keys.open(b64url(other), Instant(NOW))
    with pytest.raises(MfsError):
        CookieKeys(b"\x01" * 32).open(b64url(cookie), Instant(NOW))
    with pytest.raises(Malformed):
        keys.seal(begun(), bytes(11))


def test_refreshing_rotates_once_per_life_and_forgets_both_after_a_pause() -> None:
    keys, drawn = CookieKeys(bytes(32)), []

    def entropy(length: int) -> bytes:
        drawn.append(length)
        return bytes((len(drawn),)) * length

    keys.refresh(entropy, Instant(NOW))
    keys.refresh(entropy, Instant(NOW + COOKIE_LIFE_MS - 1))
    assert drawn == [32]
    cookie = keys.seal(begun(), bytes(12))
    keys.refresh(entropy, Instant(NOW + COOKIE_LIFE_MS))
    assert drawn == [32, 32]
    keys.open(cookie, Instant(NOW + COOKIE_LIFE_MS))
    keys.refresh(entropy, Instant(NOW + 3 * COOKIE_LIFE_MS))
    late = CookieKeys(bytes(32))
    late.refresh(entropy, Instant(NOW))
    kept = late.seal(begun(), bytes(12))
    late.refresh(entropy, Instant(NOW + 2 * COOKIE_LIFE_MS))
    for holder, sealed in ((keys, cookie), (late, kept)):
        with pytest.raises(NotAuthentic):
            holder.open(sealed, Instant(NOW))
    late.refresh(entropy, Instant(NOW))
    assert len(drawn) == 6
