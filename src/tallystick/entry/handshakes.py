"""Handshakes at the provider, wherever they come from: answered, verified, accepted.

    m1 -> answer -> m2        nothing is kept
    m3 -> proved | enrolment -> command for the writer
    what the writer made of it -> accepted -> m4

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2; 7.4.1
"""

from tallystick.application.devices import DeviceStatus
from tallystick.application.turn import Recorded
from tallystick.entry.assembly import Platform
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.handshake_server import (
    Answered,
    AuthenticatedDevice,
    Fresh,
    OpenedEnrolment,
    accept,
    answer_hello,
    open_enrolment,
    open_session_proof,
)
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.errors import Broken, MfsError, NotAuthentic, NotFound
from tallystick.kernel.ids import random_id
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import EnrolmentAccepted
from tallystick.protocol.session import SessionAccepted


def answer(platform: Platform, body: bytes) -> Answered:
    """m2 for the m1 in `body`, in the best suite that the policy allows.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    now = platform.clock.now()
    module = platform.module
    platform.cookies.refresh(module.random, now)
    fresh = Fresh(
        session=random_id("ses", module.random(16)),
        share=Secret(module.random(32)),
        cookie_nonce=module.random(12),
    )
    suites = platform.desks.policy.compiled.policy.handshake.at(now)
    return answer_hello(
        body,
        platform.identity,
        [KemSuite(name) for name in suites],
        platform.cookies,
        fresh,
        now,
    )


def proved(platform: Platform, session: str, body: bytes) -> AuthenticatedDevice:
    """The device whose signature in the m3 for `session` verified.

    Raises NotAuthentic alike for an unknown device and a wrong proof.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    claimed = open_session_proof(session, body, platform.cookies, platform.clock.now())
    try:
        device = platform.desks.devices.get(claimed.device)
    except NotFound:
        raise _not_authentic() from None
    if device.status is DeviceStatus.DELETED:
        raise _not_authentic()
    return claimed.verify(Es256VerifyKey(device.possession), device.certificate_id)


def enrolment(platform: Platform, session: str, body: bytes) -> OpenedEnrolment:
    """The enrolment in the m3 for `session`, its two keys proved, its code not judged yet.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    return open_enrolment(session, body, platform.cookies, platform.clock.now())


def accepted(platform: Platform, recorded: Recorded, keys: SessionKeys) -> bytes:
    """m4, sealed under the new keys; raises what the writer refused with.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    reply = recorded.outcome.reply
    if isinstance(reply, MfsError):
        raise reply
    if not isinstance(reply, SessionAccepted | EnrolmentAccepted):
        raise Broken("the handshake came to nothing")
    return accept(keys, platform.nonces.draw(), reply, 200)


def _not_authentic() -> NotAuthentic:
    return NotAuthentic("the handshake is not authentic", remedy="enrol this phone")
