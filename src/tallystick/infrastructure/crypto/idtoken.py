"""ID tokens of an identity provider, verified through the library `joserfc` (extra `desk`).

Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 8725, 3.1
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import MINUTE_MS, Instant

LEEWAY_MS = MINUTE_MS
OLDEST_MS = 10 * MINUTE_MS
_sets = Decoder(dict[str, object], limit=256 * 1024)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an ID token has to say: of whom, for whom, for this very sign-in, and how strongly.

    Source: OpenID Connect Core 1.0, 3.1.3.7
    """

    issuer: str
    client_id: str
    nonce: str
    algorithms: Sequence[str]
    acr: frozenset[str]
    amr: frozenset[str]


def subject_of(text: str, jwks: bytes, wanted: Wanted, now: Instant) -> str:
    """The subject of the ID token `text`, signed under a key of the set `jwks`.

    Raises NotAuthentic alike for every cause.
    Source: OpenID Connect Core 1.0, 3.1.3.7
    """
    try:
        keys = KeySet.import_key_set(_sets.decode(jwks))  # type: ignore[arg-type]
        claims = jwt.decode(text, keys, algorithms=list(wanted.algorithms)).claims
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _refused() from error
    if not (_for_us(claims, wanted) and _fresh(claims, now) and _strong(claims, wanted)):
        raise _refused()
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise _refused()
    return subject


def _for_us(claims: Mapping[str, Any], wanted: Wanted) -> bool:
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if named != [wanted.client_id] or claims.get("azp", wanted.client_id) != wanted.client_id:
        return False
    nonce = claims.get("nonce")
    same = isinstance(nonce, str) and equal(nonce.encode(), wanted.nonce.encode())
    return same and claims.get("iss") == wanted.issuer


def _fresh(claims: Mapping[str, Any], now: Instant) -> bool:
    issued, ends = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(ends) is not int:
        return False
    begun = -LEEWAY_MS <= now - issued * 1000 <= OLDEST_MS
    return begun and now < ends * 1000 + LEEWAY_MS


def _strong(claims: Mapping[str, Any], wanted: Wanted) -> bool:
    methods = cast("object", claims.get("amr", []))
    if wanted.acr and claims.get("acr") not in wanted.acr:
        return False
    if not isinstance(methods, list):
        return False
    return wanted.amr <= {str(one) for one in cast("list[object]", methods)}


def _refused() -> NotAuthentic:
    return NotAuthentic(
        "the identity provider did not say who you are", remedy="sign in with your passkey"
    )
