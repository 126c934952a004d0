"""Between the words of the protocol and the register: what devices say, and what they are told.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8
"""

from collections.abc import Sequence
from typing import Final

from tallystick.application.devices.attesting import Attested
from tallystick.infrastructure.attestation.android.chain import FORMAT as ANDROID
from tallystick.infrastructure.attestation.apple.appattest import FORMAT as APPLE
from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.envelope.handshake_server import OpenedEnrolment
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.model import ABSENT, Absent, replace
from tallystick.process.apps.manifest import Platform
from tallystick.process.apps.rules import AppIdentity, May, Standing
from tallystick.process.attestation.model import Appraised
from tallystick.process.attestation.rules import SERVICE
from tallystick.protocol.apps import AppClaim, AppNotice

_NAMING: Final = frozenset((ANDROID, APPLE))
"""Forms of evidence that name an application; an authenticator beside a browser names none."""


def app_said(claim: AppClaim | Absent) -> AppIdentity | None:
    """The application that a device says it runs; None where it says nothing.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    if isinstance(claim, Absent):
        return None
    return AppIdentity(
        platform=claim.platform,
        package=claim.package,
        version=claim.version,
        digest=claim.digest,
    )


def app_of_enrolment(opened: OpenedEnrolment, evidence: Attested | None) -> AppIdentity | None:
    """The application of a device that enrols: as its platform attests it, else as it says itself.

    Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.4
    """
    said = app_said(opened.description.app)
    shown = None if evidence is None else app_shown(evidence.appraised)
    return said if shown is None else with_said(shown, said)


def with_said(shown: AppIdentity, said: AppIdentity | None) -> AppIdentity:
    """What is `shown`, with what only the device says of the same package: digest, and version.

    App Attest proves package and team and no version; where Android proves one, that counts.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    if said is None:
        return shown
    same = (said.platform, said.package) == (shown.platform, shown.package)
    if shown.platform == Platform.IOS.value and same:
        return replace(shown, version=said.version, digest=said.digest)
    return replace(shown, digest=said.digest)


def app_shown(appraised: Sequence[Appraised]) -> AppIdentity | None:
    """The one application that all of `appraised` name; None where none names one.

    Pieces that name different ones, or several at once, come to an application without a name,
    which is no release. A service that evaluated no application names none.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.4; RFC 9334, 8.4
    """
    found = {_named(one.evidence) for one in appraised if _names(one.evidence)}
    if not found:
        return None
    signers = tuple(sorted({signer for one in found for signer in one.signers}))
    single = min(found, key=str)
    if len(found) == 1 and single.package:
        return single
    return AppIdentity(platform=single.platform, package="", signers=signers, attested=True)


def _names(evidence: Evidence) -> bool:
    if evidence.format == SERVICE:
        return not isinstance(evidence.versions, Absent)
    return evidence.format in _NAMING


def _named(evidence: Evidence) -> AppIdentity:
    """The application that one piece of evidence names."""
    packages = evidence.packages
    if evidence.format == APPLE:
        team, _, bundle = packages[0].partition(".")
        platform = Platform.IOS.value
        return AppIdentity(platform=platform, package=bundle, signers=(team,), attested=True)
    package, version = _single(packages, evidence.versions)
    return AppIdentity(
        platform=Platform.ANDROID.value,
        package=package,
        version=version,
        signers=tuple(sorted(b64url_decode(one).hex() for one in evidence.signers)),
        attested=True,
    )


def _single(packages: tuple[str, ...], versions: tuple[int, ...] | Absent) -> tuple[str, int]:
    """The one package that is named, with its version; nothing where there are several."""
    if isinstance(versions, Absent) or (len(packages), len(versions)) != (1, 1):
        return "", 0
    return packages[0], versions[0]


def notice_of(standing: Standing) -> AppNotice | Absent:
    """What the holder is told of a `standing`; nothing where there is nothing to tell.

    Source: ISO/TS 12812-2:2017, 7.2.8
    """
    if standing.may is May.RUN and not standing.offered:
        return ABSENT
    return AppNotice(
        may=standing.may.value,
        says=standing.says,
        because=standing.because or "app/offered",
        at=standing.at,
        offered=standing.offered,
    )
