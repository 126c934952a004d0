"""Whether a partner's certificate was revoked, each time that something is done with it.

The path goes from the certificate up to an authority that signed itself and that was let in at the
door; of each certificate below that, the list of the one above it decides.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 6.1; 6.3
"""

from typing import Final

from tallystick.application.paycrypt.model import COMPLETE, PUBLIC_HALF
from tallystick.entry.paycrypt.asking import Asking, Ground
from tallystick.entry.pki.partnerlists import named
from tallystick.infrastructure.crypto.path_rules import PARTNERS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import Instant

_MOST_KEPT: Final = 1_024
_MOST_ABOVE: Final = 3
_ITSELF: Final = ""


def must_stand(ask: Asking, one: Certificate, issuer: Certificate | None = None) -> None:
    """Return only if neither `one` nor an authority above it was revoked.

    `issuer` is the authority in the door that issued `one`, found where it is not named. Raises
    NotAuthentic for a certificate that was revoked or whose authority is not in the door,
    NotPermitted where that cannot be known; an authority without lists is noted to be recorded.
    Source: RFC 5280, 6.3; ISO/TS 12812-2:2017, 7.4.2
    """
    on, now = ask.on, ask.on.clock.now()
    for _ in range(_MOST_ABOVE + 1):
        above = issuer or _issuer_of(on, one, now)
        if above is None:
            return
        if not on.lists.check(one, above, now):
            on.unlisted.setdefault(named(above), (ask.program, ask.call))
        one, issuer = above, None
    raise NotAuthentic("too many authorities are above this certificate")


def _issuer_of(on: Ground, one: Certificate, at: Instant) -> Certificate | None:
    """The authority in the door that issued `one`; None for one that signed itself."""
    digest = named(one)
    known = on.issuers.get(digest)
    if known == _ITSELF:
        return None
    found = None if known is None else _usable(on, known)
    if found is None:
        known, found = (_ITSELF, None) if one.issued_by(one) else _search(on, one)
        if len(on.issuers) >= _MOST_KEPT:
            on.issuers.clear()
        on.issuers[digest] = known
        if found is None:
            return None
    path_of(one, (), (found,), PARTNERS, at)
    return found


def _search(on: Ground, one: Certificate) -> tuple[str, Certificate]:
    for key_id in on.kept.keys:
        found = _usable(on, key_id)
        if found is not None and one.issued_by(found):
            return key_id, found
    raise NotAuthentic("no authority in the door issued this certificate")


def _usable(on: Ground, key_id: str) -> Certificate | None:
    """The certificate that is kept as the key `key_id`, if it may be used."""
    row, handle = on.kept.keys.get(key_id), on.handles.get(key_id)
    if row is None or handle is None or row.state != COMPLETE or not row.enabled:
        return None
    return on.module.pairs.held(handle).certificate if row.sort == PUBLIC_HALF else None
