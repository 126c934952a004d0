"""Paths of certificates for tests: sound ones for each use, and ones that are wrong in one way."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tallystick.infrastructure.crypto.certify import instant
from tallystick.infrastructure.crypto.path_rules import (
    ALL,
    ANDROID,
    APPLE,
    AUTHENTICATORS,
    MODELS,
    PAYMENTS,
)
from tallystick.infrastructure.crypto.paths import Rules, path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
AT = instant(NOW)
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
USES = tuple(one.of(CLIENT.dotted_string) if one is PAYMENTS else one for one in ALL)
"""Every set of rules; that of payments for the certificate of a client."""

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
_MAKERS: dict[str, Callable[[], object]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "mldsa": mldsa.MLDSA65PrivateKey.generate,
}


@cache
def private_key(name: str, sort: str):
    """One key for each name and sort, made once."""
    return _MAKERS[sort]()


@dataclass(frozen=True)
class Drawn:
    """A certificate before it is signed; `key` names its key, `days` are counted from NOW."""

    name: str
    key: str = ""
    sort: str = "p256"
    authority: bool | None = None
    depth: int | None = None
    limits_critical: bool = True
    usages: frozenset[str] | None = None
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    purposes_critical: bool = False
    days: tuple[int, int] = (-20, 20)
    hosts: tuple[str, ...] = ()
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    names_key: bool = True
    names_other_key: bool = False
    issuer_name: str = ""
    issuer_key: str = ""
    hashed: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)

    @property
    def private(self):
        return private_key(self.key or self.name, self.sort)


SIGNS = frozenset({"digital_signature"})
ISSUES = frozenset({"key_cert_sign", "crl_sign"})
ROOT = Drawn("Root", authority=True, usages=ISSUES)
MIDDLE = Drawn("Middle", authority=True, usages=ISSUES)
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """A path before it is signed, the leaf first; `pinned` is what is believed instead of its end.

    `shown` says whether the root comes along, where the rules are those of an ordered chain.
    """

    path: tuple[Drawn, ...]
    pinned: Drawn | None = None
    shown: bool = False
    changed: Callable[[list[bytes]], list[bytes]] = list

    def at(self, place: int, **changes: object) -> "Drawing":
        """With the certificate at `place` changed."""
        path = list(self.path)
        path[place] = replace(path[place], **changes)
        return replace(self, path=tuple(path))


def sound(rules: Rules) -> Drawing:
    """A path that holds under `rules`: with an authority in between where they allow one."""
    wanted = (x509.ObjectIdentifier(rules.purpose),) if rules.purpose else ()
    leaf = Drawn(
        "Leaf", authority=False, usages=SIGNS, purposes=wanted, purposes_critical=rules.alone,
        hosts=("pay.example.org",),
    )  # fmt: skip
    return Drawing((leaf, MIDDLE, ROOT) if rules.longest > 1 else (leaf, ROOT))


def signed(one: Drawn, above: Drawn) -> bytes:
    """`one` in DER as `above` signs it."""
    issuer = private_key(one.issuer_key, "p256") if one.issuer_key else above.private
    public = one.private.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(one.name))
        .issuer_name(_name(one.issuer_name or above.name))
        .public_key(public)
        .serial_number(1000 + sum(map(ord, one.name)))
        .not_valid_before(NOW + dt.timedelta(days=one.days[0]))
        .not_valid_after(NOW + dt.timedelta(days=one.days[1]))
    )
    for extension, critical in _extensions(one, above):
        builder = builder.add_extension(extension, critical=critical)
    hashless = isinstance(issuer, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey)
    return builder.sign(issuer, None if hashless else one.hashed).public_bytes(Encoding.DER)


def _extensions(one: Drawn, above: Drawn) -> Iterable[tuple[x509.ExtensionType, bool]]:
    public = one.private.public_key()
    yield x509.SubjectKeyIdentifier.from_public_key(public), False
    if one.names_key and one is not above:
        named = private_key("nobody", "p256") if one.names_other_key else above.private
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(named.public_key()), False
    if one.authority is not None:
        yield x509.BasicConstraints(one.authority, one.depth), one.limits_critical
    if one.usages is not None:
        yield x509.KeyUsage(*(name in one.usages for name in _USAGES)), True
    if one.purposes:
        yield x509.ExtendedKeyUsage(one.purposes), one.purposes_critical
    if one.hosts:
        yield x509.SubjectAlternativeName([x509.DNSName(host) for host in one.hosts]), False
    yield from one.more


def _name(name: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ])  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What is handed to whoever verifies, in DER."""

    leaf: bytes
    others: tuple[bytes, ...]
    roots: tuple[bytes, ...]

    def verified(self, rules: Rules) -> tuple[Certificate, ...]:
        """The path that `rules` find at AT; raises where there is none."""
        return path_of(
            read_certificate(self.leaf),
            [read_certificate(one) for one in self.others],
            [read_certificate(one) for one in self.roots],
            rules,
            AT if rules.dated else None,
        )


def made(drawing: Drawing) -> Shown:
    """The certificates of `drawing`."""
    path = drawing.path
    above = (*path[1:], path[-1])
    octets = drawing.changed([signed(one, two) for one, two in zip(path, above, strict=True)])
    root = drawing.pinned or path[-1]
    pinned = octets[-1] if drawing.pinned is None else signed(root, root)
    return Shown(octets[0], tuple(octets[1:] if drawing.shown else octets[1:-1]), (pinned,))


ORDERED = (ANDROID, APPLE, AUTHENTICATORS, MODELS)
