"""The provider's side of the handshake: answer a hello, open what the device proves.

    answer_hello        m1 -> m2; keeps nothing, the cookie carries what must be known again
    open_session_proof  m3 -> ClaimedDevice; the MAC verified, so it is who sent m1
    .verify             with the possession key -> AuthenticatedDevice; only this opens a session
    open_enrolment      m3 of an enrolment -> OpenedEnrolment; both proofs of possession verified
    accept              m4, sealed under the new reply key

Pure but for the fresh KEM key (generated in the library when none is given). Whoever owns the state
must refuse a session identifier that exists (a replayed m3), and judge the renewal, in one step.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.1; ISO/IEC 9798-3; ISO/IEC 11770-3
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey, VerifyKey
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.cookie import Begun, CookieKeys
from tallystick.infrastructure.envelope.cose import seal_reply
from tallystick.infrastructure.envelope.renewal import (
    FIRST_COUNTER,
    Presented,
    RenewalClaim,
    check_claim,
)
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.ids import check_id
from tallystick.kernel.model import ABSENT, Absent
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.enrolment import (
    Attestation,
    DeviceDescription,
    EnrolmentAccepted,
    EnrolmentProofs,
)
from tallystick.protocol.session import (
    MAX_HANDSHAKE_BYTES,
    VERSIONS,
    AnswerCore,
    DeviceProof,
    ProviderShare,
    Purpose,
    SessionAccepted,
    SessionAnswer,
    SessionHello,
    SessionProof,
)

SHARE_OCTETS: Final = 32
MAX_OFFERED: Final = 8

_HELLO: Decoder[SessionHello] = Decoder(SessionHello, limit=MAX_HANDSHAKE_BYTES)
_PROOF: Decoder[SessionProof] = Decoder(SessionProof, limit=MAX_HANDSHAKE_BYTES)
_DEVICE: Decoder[DeviceProof] = Decoder(DeviceProof, limit=MAX_HANDSHAKE_BYTES)
_ENROLMENT: Decoder[EnrolmentProofs] = Decoder(EnrolmentProofs, limit=MAX_HANDSHAKE_BYTES)


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """Who answers: the provider's name, its session signature key by `kid`, its key list in force.

    `sign` makes a signature of 64 octets (ES256, EdDSA), here or behind a module's handle.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    provider: str
    kid: str
    sign: Callable[[bytes], bytes]
    key_list_version: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """What must be new in every answer: session identifier, 32 octet share, 12 octet cookie nonce.

    `kem` is generated when it is None; a given one serves published vectors.
    Source: ISO/TS 12812-2:2017, 3.22
    """

    session: str
    share: Secret[bytes]
    cookie_nonce: bytes
    kem: KemPrivateKey | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """m2 as octets, and what was agreed; nothing of it needs to be kept.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    body: bytes
    session: str
    purpose: Purpose
    suite: KemSuite


def read_hello(body: bytes) -> SessionHello:
    """The hello in `body`: canonical, one to eight versions and suites, a fresh key for each suite.

    Raises Malformed or TooLarge.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    hello = _HELLO.decode_canonical(body)
    suites = hello.suites
    if not (1 <= len(hello.versions) <= MAX_OFFERED and 1 <= len(suites) <= MAX_OFFERED):
        raise Malformed("a hello offers one to eight versions and suites")
    if len(set(suites)) != len(suites) or set(suites) != set(hello.kem_public):
        raise Malformed("a hello has one fresh key for each suite that it offers")
    return hello


def choose_version(hello: SessionHello) -> int:
    """The best version that both speak.

    Raises NotPermitted if there is none.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    for version in VERSIONS:
        if version in hello.versions:
            return version
    raise NotPermitted("no version in common", remedy=f"speak one of {VERSIONS}")


def choose_suite(hello: SessionHello, allowed: Sequence[KemSuite]) -> KemSuite:
    """The first suite of the policy's list that the device offers.

    Raises NotPermitted if there is none.
    Source: ISO/TS 12812-2:2017, 7.2.7; C
    """
    for suite in allowed:
        if suite.value in hello.suites:
            return suite
    names = ", ".join(suite.value for suite in allowed)
    raise NotPermitted("no permitted suite was offered", remedy=f"offer one of {names}")


def answer_hello(
    body: bytes,
    identity: ProviderIdentity,
    allowed: Sequence[KemSuite],
    cookies: CookieKeys,
    fresh: Fresh,
    now: Instant,
) -> Answered:
    """m2 for the m1 in `body`: chosen, shared, signed, MACed, and remembered by the cookie only.

    Raises Malformed, TooLarge, or NotPermitted: no version or suite in common.
    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
    """
    hello = read_hello(body)
    version, suite = choose_version(hello), choose_suite(hello, allowed)
    device = KemPublicKey(suite, b64url_decode(hello.kem_public[suite.value]))
    kem = KemPrivateKey.generate(suite) if fresh.kem is None else fresh.kem
    share = fresh.share.reveal()
    if len(share) != SHARE_OCTETS:
        raise Malformed("a share is 32 octets")
    t1 = schedule.transcript(schedule.HELLO, body)
    told = ProviderShare(secret=b64url(share), key_list_version=identity.key_list_version)
    core = AnswerCore(
        version=version,
        suite=suite.value,
        session=check_id(fresh.session, "ses"),
        provider=identity.provider,
        kid=identity.kid,
        kem_public=b64url(kem.public().octets()),
        sealed=b64url(device.seal(encode_canonical(told), info=schedule.ANSWER_SEALED + t1)),
    )
    at = schedule.transcript(schedule.ANSWER, t1, encode_canonical(core))
    signature = identity.sign(schedule.ANSWER_SIGNATURE + at)
    mac = schedule.mac_under(share, at, schedule.ANSWER_MAC, identity.provider)
    t2 = schedule.transcript(schedule.ANSWERED, at, signature, mac)
    begun = Begun(
        purpose=hello.purpose,
        session=fresh.session,
        t2=t2,
        begun_at=now,
        share=fresh.share,
        kem=kem,
    )
    answer = SessionAnswer(
        core=core,
        signature=b64url(signature),
        mac=b64url(mac),
        cookie=cookies.seal(begun, fresh.cookie_nonce),
    )
    return Answered(encode_canonical(answer), fresh.session, hello.purpose, suite)


def _open_proof(
    session: str, body: bytes, purpose: Purpose, info: bytes, cookies: CookieKeys, now: Instant
) -> tuple[Begun, bytes]:
    proof = _PROOF.decode_canonical(body)
    begun = cookies.open(proof.cookie, now)
    if begun.session != session or begun.purpose is not purpose:
        raise NotAuthentic("the handshake is not ours", remedy="begin a new one")
    return begun, begun.kem.open(b64url_decode(proof.sealed), info=info + begun.t2)


@dataclass(frozen=True, slots=True)
class AuthenticatedDevice:
    """A device whose signature verified: the keys of its session and its claim to renew.

    Made by `ClaimedDevice.verify` alone. The session is open only once its owner has stored it.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """

    session: str
    device: str
    certificate: str
    suite: KemSuite
    keys: SessionKeys
    renewal: RenewalClaim
    app: AppClaim | Absent = ABSENT


class ClaimedDevice:
    """A device that says who it is; look up `device` and verify.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    __slots__ = ("_begun", "_claim_at", "_mac", "_proof", "certificate", "device", "session")

    def __init__(self, begun: Begun, proof: DeviceProof) -> None:
        """Check the MAC of an opened `proof`; raises NotAuthentic.

        Source: ISO/IEC 9797-2
        """
        claim = proof.claim
        self._begun = begun
        self._proof = proof
        self.session = begun.session
        self.device: str = claim.device
        self.certificate: str = claim.certificate
        encoded = encode_canonical(claim)
        self._claim_at = schedule.transcript(schedule.SESSION_CLAIM, begun.t2, encoded)
        self._mac = b64url_decode(proof.mac)
        mac = schedule.mac_under(self._shares(), self._claim_at, schedule.SESSION_MAC, claim.device)
        schedule.check_mac(mac, self._mac)

    def _shares(self) -> bytes:
        return self._begun.share.reveal() + b64url_decode(self._proof.claim.secret)

    def verify(self, possession: VerifyKey, certificate: str) -> AuthenticatedDevice:
        """The authenticated device, if the possession key signed and the certificate is current.

        Raises NotAuthentic otherwise, Malformed for a renewal claim out of shape.
        Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
        """
        signature = b64url_decode(self._proof.signature)
        possession.verify(signature, schedule.SESSION_SIGNATURE + self._claim_at)
        if certificate != self.certificate:
            raise NotAuthentic("the handshake is not authentic", remedy="begin a new one")
        shares = self._shares()
        t3 = schedule.transcript(schedule.PROVED, self._claim_at, signature, self._mac)
        return AuthenticatedDevice(
            session=self.session,
            device=self.device,
            certificate=self.certificate,
            suite=self._begun.kem.suite,
            keys=schedule.session_keys(self.session, shares, t3),
            renewal=self._renewal(shares, t3),
            app=self._proof.claim.app,
        )

    def _renewal(self, shares: bytes, t3: bytes) -> RenewalClaim:
        claim = self._proof.claim
        presented = tuple(
            Presented(counter=pair.counter, proof=b64url_decode(pair.proof))
            for pair in claim.presented
        )
        check_claim(presented, claim.proposed)
        return RenewalClaim(
            presented=presented,
            proposed=claim.proposed,
            secret=schedule.renewal_secret(shares, t3, claim.proposed),
            transcript=self._begun.t2,
            begun_at=self._begun.begun_at,
        )


def open_session_proof(
    session: str, body: bytes, cookies: CookieKeys, now: Instant
) -> ClaimedDevice:
    """The device that m3, posted for `session`, claims to be.

    Raises Malformed, TooLarge, Expired, or NotAuthentic (cookie, sealing or MAC).
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    begun, opened = _open_proof(
        session, body, Purpose.SESSION, schedule.SESSION_SEALED, cookies, now
    )
    return ClaimedDevice(begun, _DEVICE.decode_canonical(opened))


@dataclass(frozen=True, slots=True)
class OpenedEnrolment:
    """A request to enrol whose two keys proved that they are there; the code is not judged yet.

    `challenge` is what an attestation must contain, `transcript` (T3) what the event records,
    `renewal` the first pair's secret, for counter 1.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    session: str
    activation: str
    code: Secret[str]
    possession: Es256VerifyKey
    consent: Es256VerifyKey
    attestation: Attestation
    description: DeviceDescription
    challenge: bytes
    transcript: bytes
    begun_at: int
    keys: SessionKeys
    renewal: Secret[bytes]


def open_enrolment(session: str, body: bytes, cookies: CookieKeys, now: Instant) -> OpenedEnrolment:
    """The enrolment in m3, posted for `session`: MAC and both proofs of possession verified.

    Nothing may be counted against the customer before this returns. Raises Malformed, TooLarge,
    Expired or NotAuthentic.
    Source: ISO/TS 12812-2:2017, 7.4.1; ISO/IEC 9798-3
    """
    begun, opened = _open_proof(
        session, body, Purpose.ENROLMENT, schedule.ENROLMENT_SEALED, cookies, now
    )
    proofs = _ENROLMENT.decode_canonical(opened)
    claim = proofs.claim
    shares = begun.share.reveal() + b64url_decode(claim.secret)
    at = schedule.transcript(schedule.ENROLMENT_CLAIM, begun.t2, encode_canonical(claim))
    mac = schedule.mac_under(shares, at, schedule.ENROLMENT_MAC, claim.possession)
    schedule.check_mac(mac, b64url_decode(proofs.mac))
    if claim.possession == claim.consent:
        raise Malformed("possession and consent are two keys")
    possession = Es256VerifyKey(b64url_decode(claim.possession))
    consent = Es256VerifyKey(b64url_decode(claim.consent))
    signatures = (
        b64url_decode(proofs.possession_signature),
        b64url_decode(proofs.consent_signature),
    )
    possession.verify(signatures[0], schedule.ENROLMENT_POSSESSION + at)
    consent.verify(signatures[1], schedule.ENROLMENT_CONSENT + at)
    t3 = schedule.transcript(schedule.PROVED, at, *signatures, mac)
    return OpenedEnrolment(
        session=session,
        activation=claim.activation,
        code=Secret(claim.code),
        possession=possession,
        consent=consent,
        attestation=claim.attestation,
        description=claim.description,
        challenge=schedule.transcript(schedule.ENROLMENT_CHALLENGE, begun.t2),
        transcript=t3,
        begun_at=begun.begun_at,
        keys=schedule.session_keys(session, shares, t3),
        renewal=schedule.renewal_secret(shares, t3, FIRST_COUNTER),
    )


def accept(
    keys: SessionKeys, iv: bytes, accepted: SessionAccepted | EnrolmentAccepted, status: int
) -> bytes:
    """m4: `accepted` sealed under the new reply key, which confirms that both have the same keys.

    `iv` is drawn from the front's `ReplyNonces`; `status` is the HTTP status that it travels with.
    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 11770-3
    """
    operation = (
        schedule.SESSION_OPERATION
        if isinstance(accepted, SessionAccepted)
        else schedule.ENROLMENT_OPERATION
    )
    return seal_reply(keys, iv, operation, 0, status, encode_canonical(accepted))
