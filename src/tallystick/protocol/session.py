"""Messages that establish a session: hello, answer, proof, acceptance.

    m1  device -> provider   SessionHello      fresh keys of the device, nonce, what it can do
    m2  provider -> device   SessionAnswer     choice, fresh key, sealed share, signature, cookie
    m3  device -> provider   SessionProof      sealed to that key: share, who, signature, renewal
    m4  provider -> device   SessionAccepted   sealed under the new reply key (key confirmation)

All are canonical JSON (RFC 8785); transcripts are taken over the octets as they were sent.

Source: ISO/TS 12812-2:2017, 7.2.7; 3.22; ISO/IEC 9798-3
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import CREDENTIAL, INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.ids import DeviceIdText, SessionIdText
from tallystick.kernel.model import ABSENT, Absent, Base64Url, Natural, ShortText, Wire, pattern
from tallystick.protocol.apps import AppClaim, AppNotice
from tallystick.protocol.envelope import END, Octets32, Octets64

VERSIONS = (1,)
"""Versions of the handshake that this release speaks, best first."""

SESSIONS_PATH = "/v1/sessions"
"""m1 is posted here; m3 to this path, a slash and the session's identifier."""

MAX_HANDSHAKE_BYTES = 24 * 1024
"""Largest handshake message; three suites and an attestation fit with room to spare."""

REMEMBERED_PAIRS = 4
"""Renewal pairs that a device remembers and presents at most: one confirmed, three that may be."""

CertificateIdText = Annotated[str, pattern("^crt_[0-9a-hjkmnp-tv-z]{26}" + END)]
"""Identifier of a device certificate."""

SuiteName = Annotated[str, pattern("^[a-z0-9-]{1,40}" + END)]
"""Name of a KEM suite; an unknown one is skipped, not refused, so that suites can be added."""


class Purpose(StrEnum):
    """Why a handshake is begun; part of the transcript, so that one never serves as the other.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.1
    """

    SESSION = "session"
    ENROLMENT = "enrolment"


class SessionHello(Wire, frozen=True, kw_only=True):
    """m1: versions and suites in order of preference, a fresh public key for each, a nonce.

    `suites` and the names in `kem_public` are the same; one suite at least, eight at most.
    Source: ISO/TS 12812-2:2017, 7.2.7; RFC 9180, 4
    """

    versions: Annotated[tuple[Natural, ...], PUBLIC]
    suites: Annotated[tuple[SuiteName, ...], PUBLIC]
    kem_public: Annotated[dict[str, Base64Url], PUBLIC]
    nonce: Annotated[Octets32, PUBLIC]
    purpose: Annotated[Purpose, PUBLIC]


class AnswerCore(Wire, frozen=True, kw_only=True):
    """The part of m2 that is signed: what was chosen, who answers, its fresh key and sealed share.

    `sealed` is a ProviderShare under HPKE to the device's fresh key; `kid` names the session
    signature key in the provider's key list.
    Source: ISO/TS 12812-2:2017, 7.2.7; RFC 9180, 6.1
    """

    version: Annotated[Natural, PUBLIC]
    suite: Annotated[SuiteName, PUBLIC]
    session: Annotated[SessionIdText, INTERNAL]
    provider: Annotated[ShortText, PUBLIC]
    kid: Annotated[ShortText, PUBLIC]
    kem_public: Annotated[Base64Url, PUBLIC]
    sealed: Annotated[Base64Url, CREDENTIAL]


class SessionAnswer(Wire, frozen=True, kw_only=True):
    """m2: the core, the provider's signature and MAC over its transcript, and a cookie.

    The cookie is the provider's state, sealed by it for itself; the device returns it unread.
    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
    """

    core: Annotated[AnswerCore, CREDENTIAL]
    signature: Annotated[Octets64, INTERNAL]
    mac: Annotated[Octets32, INTERNAL]
    cookie: Annotated[Base64Url, INTERNAL]


class ProviderShare(Wire, frozen=True, kw_only=True):
    """What m2 seals: the provider's 32 octet share and the version of its key list in force.

    Source: ISO/TS 12812-2:2017, 3.22
    """

    secret: Annotated[Octets32, CREDENTIAL]
    key_list_version: Annotated[Natural, PUBLIC]


class SessionProof(Wire, frozen=True, kw_only=True):
    """m3, also of an enrolment: the cookie as it came, and what is sealed to the fresh key of m2.

    Source: ISO/TS 12812-2:2017, 7.2.7; RFC 9180, 6.1
    """

    cookie: Annotated[Base64Url, INTERNAL]
    sealed: Annotated[Annotated[str, pattern("^[A-Za-z0-9_-]{1,20000}" + END)], CREDENTIAL]


class PresentedPair(Wire, frozen=True, kw_only=True):
    """Knowledge of one remembered renewal secret: its counter and an HMAC over the transcript.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    counter: Annotated[Natural, INTERNAL]
    proof: Annotated[Octets32, INTERNAL]


class DeviceClaim(Wire, frozen=True, kw_only=True):
    """Who the device says it is, its 32 octet share, and its proposal to renew the pair.

    `presented` holds one to four pairs, newest first; `proposed` is the newest counter plus one, or
    zero to learn which pair is in force without renewing it (and without getting a session).
    `app` is the application that the device says it runs.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.5
    """

    secret: Annotated[Octets32, CREDENTIAL]
    device: Annotated[DeviceIdText, PERSONAL]
    certificate: Annotated[CertificateIdText, INTERNAL]
    presented: Annotated[tuple[PresentedPair, ...], INTERNAL]
    proposed: Annotated[Natural, INTERNAL]
    app: Annotated[AppClaim | Absent, INTERNAL] = ABSENT


class DeviceProof(Wire, frozen=True, kw_only=True):
    """What m3 seals: the claim, the possession key's signature and the MAC over its transcript.

    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
    """

    claim: Annotated[DeviceClaim, CREDENTIAL]
    signature: Annotated[Octets64, INTERNAL]
    mac: Annotated[Octets32, INTERNAL]


class SessionAccepted(Wire, frozen=True, kw_only=True):
    """m4: the life of the session, the policy in force, and the renewal counter now in force.

    `open` is false after a proposal of zero: the pair in force is known again, and the device
    begins anew. Times in milliseconds, idle time in seconds. `app` says what is to be told of the
    application that the device runs.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.2.7
    """

    session: Annotated[SessionIdText, INTERNAL]
    open: Annotated[bool, INTERNAL]
    counter: Annotated[Natural, INTERNAL]
    expires_idle_s: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]
    policy_version: Annotated[Natural, PUBLIC]
    server_time: Annotated[Natural, PUBLIC]
    app: Annotated[AppNotice | Absent, INTERNAL] = ABSENT
