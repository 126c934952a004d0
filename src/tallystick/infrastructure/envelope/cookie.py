"""The provider's state between m2 and m3, sealed to itself and kept by the device.

So a stranger costs the provider no memory. A cookie carries the fresh private key and the share of
one handshake; forward secrecy therefore needs its key to live in memory only and to be replaced
often: `refresh` every cookie life; what was sealed two keys ago is beyond anybody's recovery.

Source: ISO/TS 12812-2:2017, 7.2.7; RFC 6347, 4.2.1
"""

from collections.abc import Callable
from typing import Final

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.envelope.schedule import COOKIE
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Expired, Malformed, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.protocol.session import Purpose

COOKIE_LIFE_MS: Final = MINUTE_MS
_NONCE_OCTETS = 12


class Begun:
    """A handshake that was answered: purpose, session, transcript T2, secrets that do not print.

    `begun_at` is in milliseconds.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    __slots__ = ("begun_at", "kem", "purpose", "session", "share", "t2")

    def __init__(
        self,
        *,
        purpose: Purpose,
        session: str,
        t2: bytes,
        begun_at: int,
        share: Secret[bytes],
        kem: KemPrivateKey,
    ) -> None:
        self.purpose = purpose
        self.session = session
        self.t2 = t2
        self.begun_at = begun_at
        self.share = share
        self.kem = kem


class _CookieState(Record, frozen=True, kw_only=True):
    purpose: Purpose
    suite: KemSuite
    session: str
    t2: bytes
    begun_at: int
    share: bytes
    kem: bytes


_DECODER: Decoder[_CookieState] = Decoder(_CookieState, limit=4096)


class CookieKeys:
    """The key that seals cookies now and the one before it; in memory only.

    Source: ISO/TS 12812-2:2017, 3.22; 7.2.7
    """

    __slots__ = ("_before", "_current", "_epoch", "_since")

    def __init__(self, octets: bytes) -> None:
        """Begin with 32 random octets; fronts that answer for each other are given the same.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        self._epoch = 0
        self._current = AeadKey(octets)
        self._before: AeadKey | None = None
        self._since = 0

    def refresh(self, entropy: Callable[[int], bytes], now: Instant) -> None:
        """Rotate if the key is older than a cookie may be; call it with every hello and on a timer.

        Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
        """
        age = now - self._since
        if 0 <= age < COOKIE_LIFE_MS:
            return
        self.rotate(entropy(32))
        if self._since and age >= 2 * COOKIE_LIFE_MS:
            self._before = None
        self._since = now

    def rotate(self, octets: bytes) -> None:
        """Seal under 32 new octets from now on, and forget the key before the present one.

        Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
        """
        self._epoch = (self._epoch + 1) & 0xFF
        self._before, self._current = self._current, AeadKey(octets)

    def seal(self, begun: Begun, nonce: bytes) -> str:
        """The cookie of a handshake, under 12 random octets.

        Raises Malformed for a nonce of another length.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        if len(nonce) != _NONCE_OCTETS:
            raise Malformed("a cookie takes a nonce of 12 octets")
        state = _CookieState(
            purpose=begun.purpose,
            suite=begun.kem.suite,
            session=begun.session,
            t2=begun.t2,
            begun_at=begun.begun_at,
            share=begun.share.reveal(),
            kem=begun.kem.to_octets().reveal(),
        )
        sealed = self._current.seal(nonce, encode_canonical(state), COOKIE)
        return b64url(bytes((self._epoch,)) + nonce + sealed)

    def open(self, cookie: str, now: Instant) -> Begun:
        """The handshake that a cookie of ours holds.

        Raises NotAuthentic for anything else or a key that is gone, Expired past the cookie's life.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        octets = b64url_decode(cookie)
        if len(octets) <= _NONCE_OCTETS:
            raise NotAuthentic("the handshake is not ours", remedy="begin a new one")
        opened = self._key_of(octets[0]).open(octets[1:13], octets[13:], COOKIE)
        state = _DECODER.decode(opened)
        if not 0 <= now - state.begun_at <= COOKIE_LIFE_MS:
            raise Expired("the handshake took too long", remedy="begin a new one")
        return Begun(
            purpose=state.purpose,
            session=state.session,
            t2=state.t2,
            begun_at=state.begun_at,
            share=Secret(state.share),
            kem=KemPrivateKey.from_octets(state.suite, state.kem),
        )

    def _key_of(self, epoch: int) -> AeadKey:
        if epoch == self._epoch:
            return self._current
        if self._before is not None and epoch == (self._epoch - 1) & 0xFF:
            return self._before
        raise NotAuthentic("the handshake is not ours", remedy="begin a new one")
