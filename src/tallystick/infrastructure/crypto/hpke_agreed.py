"""Opening an HPKE message where the agreement was computed elsewhere, such as in a token.

The rest of the suite P-256, HKDF-SHA256, AES-256-GCM in mode base, after the point of agreement.

Source: RFC 9180, 4.1; 5.1; 7; ISO/TS 12812-2:2017, 7.3.4
"""

from typing import Final

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.kernel.errors import NotAuthentic

POINT: Final = 65
_VERSION: Final = b"HPKE-v1"
_KEM: Final = b"KEM" + (0x0010).to_bytes(2, "big")
_SUITE: Final = b"HPKE" + bytes.fromhex("001000010002")
_BASE: Final = b"\x00"


def open_agreed(agreed: bytes, public: bytes, sealed: bytes, info: bytes) -> bytes:
    """The plaintext of `sealed` (encapsulated point, then ciphertext), given the agreement on it.

    `agreed` is the 32 octets of the x-coordinate, `public` the receiver's point of 65 octets.
    Raises NotAuthentic for anything that does not open.
    Source: RFC 9180, 4.1; 6.1
    """
    if len(sealed) < POINT:
        raise NotAuthentic("the sealed message does not open")
    point = sealed[:POINT]
    extracted = _extract(b"", b"eae_prk", agreed, _KEM)
    shared = _expand(extracted, b"shared_secret", point + public, 32, _KEM)
    context = (
        _BASE
        + _extract(b"", b"psk_id_hash", b"", _SUITE)
        + _extract(b"", b"info_hash", info, _SUITE)
    )
    secret = _extract(shared, b"secret", b"", _SUITE)
    sealing = AeadKey(_expand(secret, b"key", context, 32, _SUITE))
    nonce = _expand(secret, b"base_nonce", context, 12, _SUITE)
    return sealing.open(nonce, sealed[POINT:], b"")


def _extract(salt: bytes, label: bytes, octets: bytes, suite: bytes) -> bytes:
    return hmac_sha256(salt or bytes(32), _VERSION + suite + label + octets)


def _expand(secret: bytes, label: bytes, info: bytes, length: int, suite: bytes) -> bytes:
    """At most 32 octets: one block of HKDF is enough for all that the suite derives."""
    labelled = length.to_bytes(2, "big") + _VERSION + suite + label + info
    return hmac_sha256(secret, labelled + b"\x01")[:length]
