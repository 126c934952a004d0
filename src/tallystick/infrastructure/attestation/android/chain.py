"""A chain of an Android keystore, led to a root and reduced to evidence.

The description that counts is the one nearest to the root. A phone lets its owner sign with an
attested key, so whoever owns a phone can sign one more certificate below it, with a description of
their own making; that one says nothing.

Source: RFC 5280, 6.1; RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.2.6
"""

import re
from collections.abc import Sequence
from typing import Final

from tallystick.infrastructure.attestation.android.description import (
    OBJECT,
    KeyDescription,
    origin_of,
    read_description,
)
from tallystick.infrastructure.attestation.evidence import (
    Boot,
    Evidence,
    KeyUse,
    Level,
    Provisioning,
    certified,
)
from tallystick.infrastructure.crypto.path_rules import ANDROID, MAX_CHAIN
from tallystick.infrastructure.crypto.paths import path_of, unmarked
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.model import ABSENT

FORMAT: Final = "android-key"
PROVISIONED: Final = "1.3.6.1.4.1.11129.2.1.30"
"""An extension that the certificate of a remotely provisioned key has."""

_LEVELS: Final = (Level.SOFTWARE, Level.TRUSTED_ENVIRONMENT, Level.STRONGBOX)
_REMOTE: Final = re.compile(r"^Droid CA\d+$")


def verify_chain(chain: Sequence[bytes], roots: Sequence[Certificate]) -> Evidence:
    """The evidence in `chain` (DER, leaf first), which must lead to one of `roots`.

    Raises TooLarge past its bounds, Malformed for what cannot be read or has no description,
    NotAuthentic for a chain that does not hold. Not judged here: validity, revocation, and issuers
    that old phones do not mark as such.
    Source: RFC 5280, 6.1.3
    """
    if not chain:
        raise Malformed("a chain has a certificate")
    if len(chain) > MAX_CHAIN:
        raise TooLarge(f"a chain has at most {MAX_CHAIN} certificates")
    links = tuple(read_certificate(one) for one in chain)
    root = path_of(links[0], links[1:], roots, ANDROID)[-1]
    place = max((at for at, one in enumerate(links) if OBJECT in one.extensions), default=-1)
    if place < 0:
        raise Malformed("no certificate of the chain describes a key")
    described = read_description(links[place].extensions[OBJECT])
    return evidence_of(described, links, place, root.fingerprint())


def evidence_of(
    described: KeyDescription, links: tuple[Certificate, ...], place: int, root: str
) -> Evidence:
    """What `described`, found at `place` of `links`, comes to.

    Only the list that hardware enforces counts, except for the application, which the operating
    system names; that is worth as much as the system is.
    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.2.5; 8.1.1
    """
    application = described.software.application or described.hardware.application
    named = sorted((one.name, one.version) for one in application.packages) if application else []
    return Evidence(
        format=FORMAT,
        root=root,
        chain=certified(links),
        provisioning=_provisioning(links),
        attested=b64url(links[place].public.spki),
        challenge=b64url(described.challenge),
        version=described.version,
        level=_LEVELS[described.level],
        key_level=_LEVELS[described.keystore_level],
        ordered=described.software.ordered and described.hardware.ordered,
        above=place,
        unmarked=unmarked(links),
        boot=_boot(described),
        use=_use(described),
        packages=tuple(name for name, _ in named),
        signers=tuple(sorted(b64url(one) for one in application.signers)) if application else (),
        made_at=max(0, described.software.number("creationDateTime")),
        versions=tuple(version for _, version in named) if named else ABSENT,
    )


def _provisioning(links: tuple[Certificate, ...]) -> Provisioning:
    remote = any(
        PROVISIONED in one.extensions or any(_REMOTE.match(name) for name in one.names)
        for one in links[1:]
    )
    return Provisioning.REMOTE if remote else Provisioning.FACTORY


def _boot(described: KeyDescription) -> Boot:
    hardware, trust = described.hardware, described.hardware.root_of_trust
    return Boot(
        state=trust.state if trust else "",
        locked=trust.locked if trust else False,
        signer=b64url(trust.signer) if trust else "",
        digest=b64url(trust.digest) if trust else "",
        os_version=hardware.number("osVersion"),
        os_patch=hardware.number("osPatchLevel"),
        vendor_patch=hardware.number("vendorPatchLevel"),
        boot_patch=hardware.number("bootPatchLevel"),
    )


def _use(described: KeyDescription) -> KeyUse:
    hardware = described.hardware
    return KeyUse(
        purposes=tuple(sorted(hardware.numbers("purposes"))),
        origin=origin_of(hardware),
        free="noAuthRequired" in hardware.values,
        authentication=hardware.number("userAuthType"),
        timeout=hardware.number("authTimeout"),
    )
