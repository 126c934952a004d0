"""Between the words of the protocol and the register: what devices say, and what they are told.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8
"""

from tallystick.application.devices.attesting import Attested
from tallystick.infrastructure.envelope.handshake_server import OpenedEnrolment
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.model import ABSENT, Absent
from tallystick.process.apps.manifest import Platform
from tallystick.process.apps.rules import AppIdentity, May, Standing
from tallystick.protocol.apps import AppClaim, AppNotice


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
    if evidence is None:
        return said
    found = {
        (one.evidence.packages, one.evidence.versions, one.evidence.signers)
        for one in evidence.appraised
    }
    packages, versions, signers = min(found, key=str)
    single = len(found) == 1 and len(packages) == 1 and not isinstance(versions, Absent)
    return AppIdentity(
        platform=Platform.ANDROID.value,
        package=packages[0] if single else "",
        version=versions[0] if single and not isinstance(versions, Absent) else 0,
        signers=tuple(sorted(b64url_decode(one).hex() for one in signers)),
        digest="" if said is None else said.digest,
        attested=True,
    )


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
