"""Whether a partner's certificate was revoked, each time that something is done with it.

The path goes from the certificate up to an authority that signed itself and that was let in at the
door; of each certificate below that, the list of the one above it decides.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 6.1; 6.3
"""

from itertools import pairwise
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
_ITSELF: Final = ""

_Path = tuple[Certificate, ...]


def must_stand(ask: Asking, one: Certificate, issuer: Certificate | None = None) -> None:
    """Return only if the path of `one` holds now, and nothing on it was revoked.

    `issuer` is the authority in the door that issued `one`, found where it is not named. Raises
    NotAuthentic for a path that does not hold, one that leads to no root in the door, and one with
    a certificate that was revoked, NotPermitted where that cannot be known; an authority without
    lists is noted to be recorded.
    Source: RFC 5280, 6.1; 6.3; ISO/TS 12812-2:2017, 7.4.2
    """
    on, now = ask.on, ask.on.clock.now()
    path = _path(on, one, issuer, now)
    _check(on, path, now)
    for below, above in pairwise(path):
        if not on.lists.check(below, above, now):
            on.unlisted.setdefault(named(above), (ask.program, ask.call))


def _path(on: Ground, one: Certificate, issuer: Certificate | None, at: Instant) -> _Path:
    """The certificates from `one` up to an authority that signed itself, as the door has them."""
    path = [one]
    above = issuer or _issuer_of(on, one, at)
    while above is not None:
        if len(path) > PARTNERS.longest:
            raise NotAuthentic("too many authorities are above this certificate")
        path.append(above)
        above = _issuer_of(on, above, at)
    return tuple(path)


def _check(on: Ground, path: _Path, at: Instant) -> None:
    """Return only if `path` holds as a whole: a root limits what is two levels below it as well.

    A path that held once holds for as long as everything on it is valid.
    """
    names = tuple(named(one) for one in path)
    if names in on.paths and all(one.is_valid_at(at) for one in path):
        return
    path_of(path[0], path[1:-1], path[-1:], PARTNERS, at)
    if len(on.paths) >= _MOST_KEPT:
        on.paths.clear()
    on.paths.add(names)


def _issuer_of(on: Ground, one: Certificate, at: Instant) -> Certificate | None:
    """The authority in the door that issued `one`; None for one that signed itself."""
    digest = named(one)
    known = on.issuers.get(digest)
    if known == _ITSELF:
        return None
    found = None if known is None else _usable(on, known)
    if found is None or not found.is_valid_at(at):
        known, found = (_ITSELF, None) if one.issued_by(one) else _search(on, one, at)
        if len(on.issuers) >= _MOST_KEPT:
            on.issuers.clear()
        on.issuers[digest] = known
    return found


def _search(on: Ground, one: Certificate, at: Instant) -> tuple[str, Certificate]:
    """The authority that issued `one`, one that is valid now before one that is not."""
    past: tuple[str, Certificate] | None = None
    for key_id in on.kept.keys:
        found = _usable(on, key_id)
        if found is not None and one.issued_by(found):
            if found.is_valid_at(at):
                return key_id, found
            past = past or (key_id, found)
    if past is None:
        raise NotAuthentic("no authority in the door issued this certificate")
    return past


def _usable(on: Ground, key_id: str) -> Certificate | None:
    """The certificate that is kept as the key `key_id`, if it may be used."""
    row, handle = on.kept.keys.get(key_id), on.handles.get(key_id)
    if row is None or handle is None or row.state != COMPLETE or not row.enabled:
        return None
    return on.module.pairs.held(handle).certificate if row.sort == PUBLIC_HALF else None
