"""Profiles of certificates, as data: form of the name, usages, keys that are taken, and life.

Source: ISO/TS 12812-2:2017, 3.5; RFC 5280, 4.2; RFC 3161, 2.3; RFC 6960, 4.2.2.2
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.time import DAY_MS

SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"

ROOT: Final = "root"
AUTHORITIES: Final = ("devices", "servers", "partners", "services")
"""The authorities below the root."""


class Names(StrEnum):
    """The forms of a subject's name.

    Source: RFC 5280, 4.1.2.6; 4.2.1.6
    """

    WORDS = "words"
    HOST = "host"
    DEVICE = "device"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a certificate of the profile `name` is; `authority` issues it, for `life_ms` at most.

    `keys` are the sorts of key that are taken, `purposes` extended key usages, `critical` whether
    these must be understood. `any_authority` frees the profile from its one authority: there is a
    responder under each. `renewal` says whether a certificate can ask for its own successor.
    Source: RFC 5280, 4.2
    """

    name: str
    authority: str
    names: Names
    usages: frozenset[str]
    purposes: tuple[str, ...]
    life_ms: int
    keys: tuple[str, ...] = ("p256", "p384", "rsa3072")
    critical: bool = False
    any_authority: bool = False
    unchecked: bool = False
    renewal: bool = False


_SIGNS: Final = frozenset({"digital_signature"})
_OURS: Final = ("p256",)

PROFILES: Final = {
    one.name: one
    for one in (
        Profile("device", "devices", Names.DEVICE, _SIGNS, (CLIENT_AUTH,), 365 * DAY_MS,
                keys=_OURS, renewal=True),
        Profile("server", "servers", Names.HOST, _SIGNS, (SERVER_AUTH,), 90 * DAY_MS),
        Profile("partner", "partners", Names.PARTNER, _SIGNS, (CLIENT_AUTH,), 365 * DAY_MS),
        Profile("ocsp", "services", Names.WORDS, _SIGNS, (OCSP_SIGNING,), 90 * DAY_MS,
                keys=_OURS, any_authority=True, unchecked=True),
        Profile("tsa", "services", Names.WORDS, _SIGNS, (TIME_STAMPING,), 365 * DAY_MS,
                keys=_OURS, critical=True),
        Profile("policy", "services", Names.WORDS, frozenset({"digital_signature",
                "content_commitment"}), (DOCUMENT_SIGNING,), 730 * DAY_MS, critical=True),
        Profile("application", "services", Names.WORDS, _SIGNS, (CODE_SIGNING,), 365 * DAY_MS,
                critical=True),
    )
}  # fmt: skip
"""Every profile of a certificate that issues none, by name."""

ISSUES: Final = frozenset({"key_cert_sign", "crl_sign", "digital_signature"})
ROOT_LIFE_MS: Final = 3650 * DAY_MS
AUTHORITY_LIFE_MS: Final = 1095 * DAY_MS

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,62}")
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}")
_MOST_HOSTS = 20
_ASKED = {
    Names.HOST: f"DNS names in small letters, such as pay.example, {_MOST_HOSTS} at most",
    Names.PARTNER: "one name of small letters, digits and hyphens, such as menus-east",
    Names.DEVICE: "the id of one device, such as dev_...",
    Names.WORDS: "one name in quotes, such as 'Example Pay policies'",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for: a common name, and names for those who look by DNS or URI.

    Source: RFC 5280, 4.2.1.6
    """

    name: str
    dns: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


def profile(name: str) -> Profile:
    """The profile called `name`.

    Raises NotFound.
    Source: RFC 5280, 4.2
    """
    found = PROFILES.get(name)
    if found is None:
        raise NotFound(
            f"no profile is called {name[:40]!r}", remedy=f"one of {', '.join(PROFILES)}"
        )
    return found


def subject_of(under: Profile, names: tuple[str, ...]) -> Subject:
    """The subject that `names` are, in the form of the profile.

    A host has its DNS names, a device, a partner and a service one name each. Raises Malformed.
    Source: RFC 5280, 4.2.1.6
    """
    form = {
        Names.HOST: _HOST,
        Names.PARTNER: _SLUG,
        Names.DEVICE: _DEVICE,
        Names.WORDS: _WORDS,
    }[under.names]
    many = _MOST_HOSTS if under.names is Names.HOST else 1
    if not 1 <= len(names) <= many or not all(form.fullmatch(one) for one in names):
        raise Malformed(
            f"these are no names for a certificate of the profile {under.name}",
            remedy=f"give {_ASKED[under.names]}",
        )
    if under.names is Names.HOST:
        if len(names[0]) > 64:
            raise Malformed("the first name has more than 64 letters")
        return Subject(names[0], dns=names)
    if under.names in {Names.DEVICE, Names.PARTNER}:
        return Subject(names[0], uris=(f"urn:tallystick:{under.name}:{names[0]}",))
    return Subject(names[0])
