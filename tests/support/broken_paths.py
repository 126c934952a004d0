"""Every rule of a path broken in every way that a certificate can be made to break it."""

from collections.abc import Callable
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.support.paths import (
    CLIENT,
    ISSUES,
    MIDDLE,
    ROOT,
    SIGNS,
    UNKNOWN,
    USES,
    Drawing,
    sound,
)

from tallystick.infrastructure.crypto.der import SEQUENCE, Value, single, values, write
from tallystick.infrastructure.crypto.paths import Rules

ALWAYS = "always"
Breaking = Callable[[Drawing, Rules], Drawing]
PAST, TO_COME = (-9, -1), (1, 9)
SHA1 = write(SEQUENCE, b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01")
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
HOSTS = x509.NameConstraints([x509.DNSName("example.net")], None)
NOT_HOSTS = x509.NameConstraints(None, [x509.DNSName("example.org")])


def at(place: int, **changes: object) -> Breaking:
    return lambda drawing, _: drawing.at(place, **changes)


def above(**changes: object) -> Breaking:
    """The issuer of the leaf, changed."""
    return at(1, **changes)


def purposes(*more: x509.ObjectIdentifier, own: bool = True) -> Breaking:
    def change(drawing: Drawing, rules: Rules) -> Drawing:
        first = (x509.ObjectIdentifier(rules.purpose),) if own else ()
        return drawing.at(0, purposes=(*first, *more))

    return change


def deeper(drawing: Drawing, rules: Rules) -> Drawing:
    """As many authorities as are one too many."""
    leaf, root = drawing.path[0], drawing.path[-1]
    between = (replace(MIDDLE, name=f"Middle {one}") for one in range(rules.longest))
    return replace(drawing, path=(leaf, *between, root))


def below_a_limit(drawing: Drawing, _: Rules) -> Drawing:
    """Two authorities below one that allows none."""
    lower, upper = replace(MIDDLE, name="Lower"), replace(MIDDLE, name="Upper", depth=0)
    return replace(drawing, path=(drawing.path[0], lower, upper, drawing.path[-1]))


def another_key(drawing: Drawing, _: Rules) -> Drawing:
    """What is believed has the name of the root and not its key."""
    return replace(drawing, pinned=replace(ROOT, key="Somebody else"))


def issued_anew(drawing: Drawing, _: Rules) -> Drawing:
    """The root comes along in a certificate that nobody pinned; the pinned one has its key."""
    return replace(drawing, shown=True, pinned=replace(ROOT, name="Root anew", key="Root"))


def octets_changed(place: int, change: Callable[[bytes], bytes]) -> Breaking:
    def changed(octets: list[bytes]) -> list[bytes]:
        octets[place] = change(octets[place])
        return octets

    return lambda drawing, _: replace(drawing, changed=changed)


def a_bit_turned(octets: bytes) -> bytes:
    """Another month of its end."""
    assert octets.count(b"260621120000Z") == 1
    return octets.replace(b"260621", b"260721")


def two_algorithms(octets: bytes) -> bytes:
    """The algorithm outside of what is signed is another than inside."""
    body, algorithm, signature = values(single(octets, SEQUENCE).body)
    other = algorithm.octets.replace(b"\xce\x3d\x04\x03\x02", b"\xce\x3d\x04\x03\x03")
    assert other != algorithm.octets
    return write(SEQUENCE, body.octets, other, signature.octets)


def without_a_version(parts: list[Value]) -> list[bytes]:
    """As version 1 has it, without extensions."""
    return [one.octets for one in parts if one.tag not in {0xA0, 0xA3}]


def under_sha1(parts: list[Value]) -> list[bytes]:
    return [SHA1 if place == 2 else one.octets for place, one in enumerate(parts)]


def signed_again(change: Callable[[list[Value]], list[bytes]], *, sha1: bool = False) -> Breaking:
    """The leaf with other parts, signed again by whoever is above it."""

    def changed(drawing: Drawing, _: Rules) -> Drawing:
        def sign(octets: list[bytes]) -> list[bytes]:
            body, algorithm, _ = values(single(octets[0], SEQUENCE).body)
            plain = write(SEQUENCE, *change(list(body.inside())))
            hashed = hashes.SHA1() if sha1 else hashes.SHA256()
            signature = drawing.path[1].private.sign(plain, ec.ECDSA(hashed))
            named = SHA1 if sha1 else algorithm.octets
            octets[0] = write(SEQUENCE, plain, named, write(0x03, b"\x00", signature))
            return octets

        return replace(drawing, changed=sign)

    return changed


BROKEN: dict[str, tuple[str, Breaking]] = {
    "signed by another key": (ALWAYS, at(0, issuer_key="Somebody else")),
    "issuer signed by another key": (ALWAYS, at(-2, issuer_key="Somebody else")),
    "another issuer is named": (ALWAYS, at(0, issuer_name="Somebody else")),
    "changed after it was signed": (ALWAYS, octets_changed(0, a_bit_turned)),
    "two algorithms": (ALWAYS, octets_changed(0, two_algorithms)),
    "SHA-1": (ALWAYS, signed_again(under_sha1, sha1=True)),
    "another root": (ALWAYS, another_key),
    "too long": (ALWAYS, deeper),
    "leaf with a short key": (ALWAYS, at(0, sort="rsa1024")),
    "issuer with a short key": (ALWAYS, above(sort="rsa1024")),
    "leaf on a short curve": (ALWAYS, at(0, sort="p224")),
    "leaf demands the unknown": (ALWAYS, at(0, more=((UNKNOWN, True),))),
    "issuer demands the unknown": (ALWAYS, above(more=((UNKNOWN, True),))),
    "root demands the unknown": (ALWAYS, at(-1, more=((UNKNOWN, True),))),
    "host beyond the limits": (ALWAYS, above(more=((HOSTS, True),))),
    "host that is excluded": (ALWAYS, above(more=((NOT_HOSTS, False),))),
    "leaf is past": ("dated", at(0, days=PAST)),
    "leaf is yet to come": ("dated", at(0, days=TO_COME)),
    "issuer is past": ("dated", above(days=PAST)),
    "root is past": ("dated", at(-1, days=PAST)),
    "root is yet to come": ("dated", at(-1, days=TO_COME)),
    "root issued anew": ("pinned", issued_anew),
    "leaf on Ed25519": ("hashed", at(0, sort="ed25519")),
    "leaf on ML-DSA": ("hashed", at(0, sort="mldsa")),
    "issuer on Ed25519": ("hashed", above(sort="ed25519")),
    "issuer is none": ("marked", above(authority=False)),
    "issuer has no limits": ("marked", above(authority=None)),
    "issuer's key is for something else": ("marked", above(usages=SIGNS)),
    "deeper than allowed": ("marked", below_a_limit),
    "leaf of version 1": ("marked", signed_again(without_a_version)),
    "root is no issuer": ("rooted", at(-1, authority=False)),
    "root's key is for something else": ("rooted", at(-1, usages=SIGNS)),
    "limits are not critical": ("exact", above(limits_critical=False)),
    "issuer says nothing of its key": ("exact", above(usages=None)),
    "leaf says nothing of its key": ("exact", at(0, usages=None)),
    "leaf does not name the key above": ("exact", at(0, names_key=False)),
    "leaf names another key": ("exact", at(0, names_other_key=True)),
    "leaf is an issuer": ("ends", at(0, authority=True)),
    "leaf may sign certificates": ("ends", at(0, usages=SIGNS | ISSUES)),
    "another purpose": ("purpose", purposes(SERVER, own=False)),
    "no purpose": ("purpose", purposes(own=False)),
    "any purpose": ("purpose", purposes(ANY)),
    "key does not sign": ("purpose", at(0, usages=frozenset({"key_agreement"}))),
    "a second purpose": ("alone", purposes(CLIENT, SERVER)),
    "a purpose that is not critical": ("alone", at(0, purposes_critical=False)),
}  # fmt: skip

NOT_MADE = {("deeper than allowed", "partners"), ("deeper than allowed", "responders")}
"""What cannot be made of a path with one issuer."""


def broken(name: str, rules: Rules) -> Drawing | None:
    """A path with the one defect; None where the rules have no such thing."""
    field, change = BROKEN[name]
    if field in {"purpose", "alone"} and not getattr(rules, field):
        return None
    if (name, rules.name) in NOT_MADE:
        return None
    return change(sound(rules), rules)


def refuses(rules: Rules, name: str) -> bool:
    """Whether `rules` have to refuse the path that is broken so."""
    field = BROKEN[name][0]
    return field in {ALWAYS, "purpose", "alone"} or bool(getattr(rules, field))


def cases() -> list[tuple[str, Rules]]:
    return [(name, one) for name in BROKEN for one in USES if broken(name, one) is not None]
