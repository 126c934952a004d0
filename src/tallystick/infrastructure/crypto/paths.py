"""Paths of certificates to a root that is believed: one verification, its rules as data.

    shape     how long a path may be, in which order it comes, what counts as its root
    always    names and signatures from one to the next, keys that are long enough, names that an
              issuer above allows
    by rules  time, the marks of issuers, what is critical, what the leaf is for

What was revoked is not known here; nothing is fetched. The rules of each use are in `path_rules`.

Source: RFC 5280, 6.1
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.infrastructure.crypto.path_names import check_names
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import NotAuthentic, TooLarge
from tallystick.kernel.time import Instant

UNDERSTOOD: Final = frozenset(("2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.37"))
"""Key usage, names of the subject, basic constraints, name constraints, extended key usage."""

MOST_TRIES: Final = 32
"""How often a signature is looked at while a path is looked for."""

_ANY: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
_RSA_BITS: Final = (2048, 8192)
_CURVE_BITS: Final = 256
_NEWEST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the paths of the use `name` are held to; strict, but for what `because` gives a reason.

    `longest` counts the certificates below the root. With `ordered` they come leaf first, each
    issued by the next and none left over; without, issuers are looked for among what comes along.
    `purpose` is the extended key usage (an object identifier) that the leaf must have, empty for
    none; with `alone` it has no other, and marks it critical. `also` is understood beside
    UNDERSTOOD. Those that may be loosened:

    `dated`: each certificate and the root are valid at the instant that counts.
    `pinned`: a root is the certificate that was pinned, not any certificate of its key.
    `hashed`: only RSA and ECDSA under SHA-2 count, not Ed25519, Ed448 and ML-DSA.
    `marked`: whoever issued is marked as one who may, as deep as it did.
    `rooted`: the root is so marked too where it does not come along.
    `exact`: authorities mark their limits as critical and say what their key is for; each
    certificate names the key that signed it, and says itself that its own signs.
    `ends`: the leaf itself may issue nothing.
    Source: RFC 5280, 6.1
    """

    name: str
    longest: int
    ordered: bool = False
    purpose: str = ""
    alone: bool = False
    also: frozenset[str] = frozenset()
    dated: bool = True
    pinned: bool = True
    hashed: bool = True
    marked: bool = True
    rooted: bool = True
    exact: bool = True
    ends: bool = True
    because: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, purpose: str) -> Self:
        """The same rules for leaves with `purpose`.

        Source: RFC 5280, 4.2.1.12
        """
        return replace(self, purpose=purpose)


def path_of(
    leaf: Certificate,
    others: Sequence[Certificate],
    roots: Sequence[Certificate],
    rules: Rules,
    at: Instant | None = None,
) -> tuple[Certificate, ...]:
    """The certificates from `leaf` by way of `others` to one of `roots`, both ends included.

    `at` is the instant (ms) that counts, for rules that are `dated`. Raises NotAuthentic where no
    path holds, Malformed for a key of a sort that is not used here, and TooLarge for an ordered
    path with more certificates than a path has.
    Source: RFC 5280, 6.1
    """
    if not roots:
        raise NotAuthentic("no root is pinned: no path leads to one that is believed")
    if rules.ordered:
        links = (leaf, *others)
        root = _root_of(links, roots, rules)
        came = _is_same(root, links[-1], rules)
        path = links if came else (*links, root)
        check_each(root, rules, at)
        _check_path(path, rules, at, rooted=rules.rooted or came)
        return path
    first: NotAuthentic | None = None
    for path in _searched(leaf, others, roots, rules):
        try:
            _check_path(path, rules, at, rooted=rules.rooted)
        except NotAuthentic as error:
            first = first or error
        else:
            return path
    raise first or NotAuthentic("no path leads from the certificate to a root that is believed")


def check_issuer(issuer: Certificate, below: int, *, exact: bool = False) -> None:
    """Return only if `issuer` is marked as one that may issue, with `below` issuers between.

    With `exact` it says what its key is for, and whoever does not know its limits has to refuse.
    Raises NotAuthentic otherwise.
    Source: RFC 5280, 4.2.1.3; 4.2.1.9
    """
    limits, usage = issuer.extension(x509.BasicConstraints), issuer.extension(x509.KeyUsage)
    allowed = limits is not None and limits.value.ca
    if limits is not None and limits.value.path_length is not None:
        allowed = allowed and limits.value.path_length >= below
    if not allowed or (usage is not None and not usage.value.key_cert_sign):
        raise NotAuthentic(f"{issuer.subject[:80]} may not issue certificates")
    if exact and (limits is None or not limits.critical or usage is None):
        raise NotAuthentic(f"{issuer.subject[:80]} is not marked as an issuer has to be")


def unmarked(path: Sequence[Certificate]) -> int:
    """How many certificates above the leaf are not marked as ones that may issue what they issued.

    Source: RFC 5280, 4.2.1.3; 4.2.1.9
    """
    found = 0
    for below, one in enumerate(path[1:]):
        try:
            check_issuer(one, below)
        except NotAuthentic:
            found += 1
    return found


def _root_of(
    links: Sequence[Certificate], roots: Sequence[Certificate], rules: Rules
) -> Certificate:
    """The root that `links` lead to as they came: they may end with it, or just below it."""
    if len(links) > rules.longest:
        raise TooLarge(f"a chain has at most {rules.longest} certificates")
    if len({one.octets for one in links}) != len(links):
        raise NotAuthentic("a certificate comes twice in the chain")
    loose = not rules.hashed
    for one, issuer in pairwise(links):
        if not one.issued_by(issuer, hashless=loose):
            raise NotAuthentic("a link of the chain is broken")
    top = links[-1]
    own = next((one for one in roots if _is_same(one, top, rules)), None)
    if own is not None:
        if not top.issued_by(top, hashless=loose) and not top.issued_by(own, hashless=loose):
            raise NotAuthentic("the root of the chain is not signed by itself")
        return own
    above = next((one for one in roots if top.issued_by(one, hashless=loose)), None)
    if above is None:
        raise NotAuthentic("the chain leads to no root that is believed")
    return above


def _is_same(root: Certificate, top: Certificate, rules: Rules) -> bool:
    return root.octets == top.octets if rules.pinned else root.key == top.key


def _searched(
    leaf: Certificate, others: Sequence[Certificate], roots: Sequence[Certificate], rules: Rules
) -> Iterator[tuple[Certificate, ...]]:
    """Every path that names and signatures make, the shortest first, as far as tries go."""
    tries, paths = MOST_TRIES, list[Sequence[Certificate]]([(leaf,)])
    while paths:
        path = paths.pop(0)
        here = path[-1]
        for is_root, one in (*((True, root) for root in roots), *((False, one) for one in others)):
            if one.parsed.subject != here.parsed.issuer or (not is_root and one in path):
                continue
            if not tries:
                return
            tries -= 1
            if not here.issued_by(one, hashless=not rules.hashed):
                continue
            if is_root:
                yield (*path, one)
            elif len(path) < rules.longest:
                paths.append((*path, one))


def check_each(one: Certificate, rules: Rules, at: Instant | None) -> None:
    """Return only if `one` holds by itself: its key, its days, and what it demands.

    Raises NotAuthentic otherwise, Malformed for a key of a sort that is not used here.
    Source: RFC 5280, 4.1.2.5; 4.2
    """
    _check_key(one, rules)
    if rules.dated and (at is None or not one.is_valid_at(at)):
        raise NotAuthentic(f"the certificate of {one.subject[:80]} is not valid then")
    if one.critical - UNDERSTOOD - rules.also:
        raise NotAuthentic("a certificate demands what is not understood here")


def _check_path(
    path: Sequence[Certificate], rules: Rules, at: Instant | None, *, rooted: bool
) -> None:
    for one in path:
        check_each(one, rules, at)
    if rules.marked:
        if any(one.version != _NEWEST for one in path[:-1]):
            raise NotAuthentic("a certificate is of a version that says nothing of its use")
        for below, issuer in enumerate(path[1:] if rooted else path[1:-1]):
            check_issuer(issuer, below, exact=rules.exact)
    if rules.exact:
        for one, issuer in pairwise(path):
            _check_named(one, issuer)
    check_names(path)
    check_leaf(path[0], rules)


def _check_key(one: Certificate, rules: Rules) -> None:
    public = one.key
    if isinstance(public, rsa.RSAPublicKey):
        fits = _RSA_BITS[0] <= public.key_size <= _RSA_BITS[1]
    elif isinstance(public, ec.EllipticCurvePublicKey):
        fits = public.key_size >= _CURVE_BITS
    else:
        fits = not rules.hashed and bool(one.public.sort)
    if not fits:
        raise NotAuthentic("a certificate has a key that is too short, or of another sort")


def _check_named(one: Certificate, issuer: Certificate) -> None:
    """That `one` names the key that signed it, as its issuer names it."""
    named = one.extension(x509.AuthorityKeyIdentifier)
    own = issuer.extension(x509.SubjectKeyIdentifier)
    if named is None or own is None or named.value.key_identifier != own.value.digest:
        raise NotAuthentic("a certificate does not name the key that signed it")


def check_leaf(leaf: Certificate, rules: Rules) -> None:
    """Return only if `leaf` is for what `rules` are for; raises NotAuthentic otherwise.

    Source: RFC 5280, 4.2.1.3; 4.2.1.9; 4.2.1.12; RFC 3161, 2.3
    """
    stated, usage = leaf.extension(x509.ExtendedKeyUsage), leaf.extension(x509.KeyUsage)
    named = () if stated is None else tuple(one.dotted_string for one in stated.value)
    if rules.alone and (stated is None or not stated.critical or named != (rules.purpose,)):
        raise NotAuthentic(f"the certificate is not for {rules.name} alone")
    if rules.purpose and (rules.purpose not in named or _ANY in named):
        raise NotAuthentic("the certificate is for another purpose")
    if rules.ends and (leaf.is_authority or (usage is not None and usage.value.key_cert_sign)):
        raise NotAuthentic("an issuer's certificate is not for use by itself")
    if rules.purpose and usage is not None and not _signs(usage.value):
        raise NotAuthentic("the key of the certificate may not sign")
    if rules.exact and (usage is None or not usage.value.digital_signature):
        raise NotAuthentic("the certificate does not say that its key signs")


def _signs(usage: x509.KeyUsage) -> bool:
    return usage.digital_signature or usage.content_commitment
