"""The device's side of the handshake: greet, authenticate the provider, prove, confirm.

    greet                 -> Greeting               m1
    authenticate_provider -> AuthenticatedProvider  m2 verified; made by nothing else
    .prove_session        -> PendingSession         m3; remember its pairs BEFORE it is sent
    .prove_enrolment      -> PendingEnrolment       m3 of an enrolment
    .confirm              -> keys and what m4 says

No credential, identity or code can be given before the provider is authenticated: the methods that
take them belong to `AuthenticatedProvider`.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.1; ISO/IEC 9798-3; ISO/IEC 11770-3
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.cose import open_reply
from tallystick.infrastructure.envelope.renewal import (
    FIRST_COUNTER,
    RenewalPair,
    proposal,
    settled,
)
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import ABSENT
from tallystick.kernel.secret import Secret
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.enrolment import (
    Attestation,
    DeviceDescription,
    EnrolmentAccepted,
    EnrolmentClaim,
    EnrolmentProofs,
)
from tallystick.protocol.session import (
    MAX_HANDSHAKE_BYTES,
    VERSIONS,
    AnswerCore,
    DeviceClaim,
    DeviceProof,
    PresentedPair,
    ProviderShare,
    Purpose,
    SessionAccepted,
    SessionAnswer,
    SessionHello,
    SessionProof,
)

Sign = Callable[[bytes], bytes]
"""Signs a message with a device key: 64 octets, r and s."""

_ANSWER: Decoder[SessionAnswer] = Decoder(SessionAnswer, limit=MAX_HANDSHAKE_BYTES)
_SHARE: Decoder[ProviderShare] = Decoder(ProviderShare, limit=1024)
_ACCEPTED: Decoder[SessionAccepted] = Decoder(SessionAccepted)
_ENROLLED: Decoder[EnrolmentAccepted] = Decoder(EnrolmentAccepted)
_MINT: Final = object()


class Greeting:
    """m1 as octets in `body`, with the fresh private keys that only this device has.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    __slots__ = ("body", "kems", "purpose")

    def __init__(
        self, purpose: Purpose, body: bytes, kems: Mapping[KemSuite, KemPrivateKey]
    ) -> None:
        self.purpose = purpose
        self.body = body
        self.kems = kems


def greet(purpose: Purpose, kems: Sequence[KemPrivateKey], nonce: bytes) -> Greeting:
    """m1 that offers the suites of `kems`, best first; every key fresh, `nonce` 32 random octets.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    hello = SessionHello(
        versions=VERSIONS,
        suites=tuple(kem.suite.value for kem in kems),
        kem_public={kem.suite.value: b64url(kem.public().octets()) for kem in kems},
        nonce=b64url(nonce),
        purpose=purpose,
    )
    return Greeting(purpose, encode_canonical(hello), {kem.suite: kem for kem in kems})


class AuthenticatedProvider:
    """A provider whose signature and MAC over this very handshake verified.

    Made by `authenticate_provider` alone; only through it can a device say who it is.
    Source: ISO/TS 12812-2:2017, 7.2.7; 3.9
    """

    __slots__ = (
        "_cookie",
        "_kem",
        "_purpose",
        "_share",
        "_t2",
        "key_list_version",
        "session",
        "suite",
    )

    def __init__(
        self,
        mint: object,
        *,
        answer: SessionAnswer,
        purpose: Purpose,
        kem: KemPublicKey,
        share: ProviderShare,
        t2: bytes,
    ) -> None:
        """Refuse anybody but `authenticate_provider`.

        Raises NotAuthentic without the module's mint.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        if mint is not _MINT:
            raise NotAuthentic("a provider is authenticated by its answer to a hello")
        self.session: str = answer.core.session
        self.key_list_version: int = share.key_list_version
        self.suite: KemSuite = kem.suite
        self._cookie = answer.cookie
        self._purpose = purpose
        self._kem = kem
        self._share = Secret(b64url_decode(share.secret))
        self._t2 = t2

    def attestation_challenge(self) -> bytes:
        """The 32 octets that the platform is asked to put into the attestation of the keys.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return schedule.transcript(schedule.ENROLMENT_CHALLENGE, self._t2)

    def _for(self, purpose: Purpose) -> None:
        if self._purpose is not purpose:
            raise Malformed(f"this handshake was begun for {self._purpose.value}")

    def _body(self, proof: DeviceProof | EnrolmentProofs, info: bytes) -> bytes:
        sealed = self._kem.seal(encode_canonical(proof), info=info + self._t2)
        return encode_canonical(SessionProof(cookie=self._cookie, sealed=b64url(sealed)))

    def prove_session(
        self,
        *,
        device: str,
        certificate: str,
        sign: Sign,
        pairs: Sequence[RenewalPair],
        share: Secret[bytes],
        app: AppClaim | None = None,
    ) -> "PendingSession":
        """m3: who the device is, signed by its possession key, with a proposal to renew its pair.

        `pairs` newest first; `share` 32 random octets; `app` what the device runs. Raises Malformed
        for another purpose.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.5
        """
        self._for(Purpose.SESSION)
        proposed = proposal(pairs)
        claim = DeviceClaim(
            secret=b64url(share.reveal()),
            device=device,
            certificate=certificate,
            presented=tuple(self._presented(pair) for pair in pairs),
            proposed=proposed,
            app=ABSENT if app is None else app,
        )
        shares = self._share.reveal() + share.reveal()
        at = schedule.transcript(schedule.SESSION_CLAIM, self._t2, encode_canonical(claim))
        signature = sign(schedule.SESSION_SIGNATURE + at)
        mac = schedule.mac_under(shares, at, schedule.SESSION_MAC, device)
        t3 = schedule.transcript(schedule.PROVED, at, signature, mac)
        proof = DeviceProof(claim=claim, signature=b64url(signature), mac=b64url(mac))
        remembered = tuple(pairs)
        if proposed:
            secret = schedule.renewal_secret(shares, t3, proposed)
            remembered = (RenewalPair(counter=proposed, secret=secret), *remembered)
        return PendingSession(
            session=self.session,
            body=self._body(proof, schedule.SESSION_SEALED),
            remembered=remembered,
            keys=schedule.session_keys(self.session, shares, t3),
        )

    def _presented(self, pair: RenewalPair) -> PresentedPair:
        proof = schedule.renewal_proof(pair.secret, pair.counter, self._t2)
        return PresentedPair(counter=pair.counter, proof=b64url(proof))

    def prove_enrolment(
        self,
        *,
        activation: str,
        code: Secret[str],
        possession: tuple[bytes, Sign],
        consent: tuple[bytes, Sign],
        attestation: Attestation,
        description: DeviceDescription,
        share: Secret[bytes],
    ) -> "PendingEnrolment":
        """m3 of an enrolment: the code, and both new keys (octets, signer) proving themselves.

        Raises Malformed for another purpose.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._for(Purpose.ENROLMENT)
        claim = EnrolmentClaim(
            secret=b64url(share.reveal()),
            activation=activation,
            code=code.reveal(),
            possession=b64url(possession[0]),
            consent=b64url(consent[0]),
            attestation=attestation,
            description=description,
        )
        shares = self._share.reveal() + share.reveal()
        at = schedule.transcript(schedule.ENROLMENT_CLAIM, self._t2, encode_canonical(claim))
        signatures = (
            possession[1](schedule.ENROLMENT_POSSESSION + at),
            consent[1](schedule.ENROLMENT_CONSENT + at),
        )
        mac = schedule.mac_under(shares, at, schedule.ENROLMENT_MAC, claim.possession)
        t3 = schedule.transcript(schedule.PROVED, at, *signatures, mac)
        proofs = EnrolmentProofs(
            claim=claim,
            possession_signature=b64url(signatures[0]),
            consent_signature=b64url(signatures[1]),
            mac=b64url(mac),
        )
        return PendingEnrolment(
            session=self.session,
            body=self._body(proofs, schedule.ENROLMENT_SEALED),
            keys=schedule.session_keys(self.session, shares, t3),
            renewal=schedule.renewal_secret(shares, t3, FIRST_COUNTER),
        )


def authenticate_provider(
    greeting: Greeting, body: bytes, *, provider: str, keys: Mapping[str, VerifyKey]
) -> AuthenticatedProvider:
    """The provider that answered `greeting` with the m2 in `body`, its signature and MAC verified.

    `keys` are the session signature keys of the verified key list by kid. Raises Malformed,
    TooLarge, or NotAuthentic: unknown kid, another name, a choice not offered, a proof that fails.
    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
    """
    answer = _ANSWER.decode_canonical(body)
    core = answer.core
    kem = _chosen(greeting, core)
    verify_key = keys.get(core.kid)
    if verify_key is None or core.provider != provider:
        raise NotAuthentic("the provider is not the expected one", remedy="renew the key list")
    t1 = schedule.transcript(schedule.HELLO, greeting.body)
    at = schedule.transcript(schedule.ANSWER, t1, encode_canonical(core))
    signature, mac = b64url_decode(answer.signature), b64url_decode(answer.mac)
    verify_key.verify(signature, schedule.ANSWER_SIGNATURE + at)
    opened = kem.open(b64url_decode(core.sealed), info=schedule.ANSWER_SEALED + t1)
    share = _SHARE.decode_canonical(opened)
    secret = b64url_decode(share.secret)
    schedule.check_mac(schedule.mac_under(secret, at, schedule.ANSWER_MAC, provider), mac)
    return AuthenticatedProvider(
        _MINT,
        answer=answer,
        purpose=greeting.purpose,
        kem=KemPublicKey(kem.suite, b64url_decode(core.kem_public)),
        share=share,
        t2=schedule.transcript(schedule.ANSWERED, at, signature, mac),
    )


def _chosen(greeting: Greeting, core: AnswerCore) -> KemPrivateKey:
    for suite, kem in greeting.kems.items():
        if suite.value == core.suite and core.version in VERSIONS:
            return kem
    raise NotAuthentic("the provider chose what was not offered")


@dataclass(frozen=True, slots=True)
class PendingSession:
    """m3 as octets, and the pairs to remember durably before it is sent.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.5
    """

    session: str
    body: bytes
    remembered: tuple[RenewalPair, ...]
    keys: SessionKeys

    def confirm(self, status: int, sealed: bytes) -> "Confirmed":
        """The confirmed session out of m4, which came with HTTP `status`.

        Raises Malformed or NotAuthentic; the remembered pairs stay as they are then.
        Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 11770-3
        """
        opened = open_reply(self.keys, schedule.SESSION_OPERATION, 0, status, sealed)
        accepted = _ACCEPTED.decode_canonical(opened)
        if accepted.session != self.session:
            raise NotAuthentic("the provider accepted another session")
        return Confirmed(self.keys, accepted, settled(self.remembered, accepted.counter))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Keys that the provider proved to have, its terms, and the pair in force, to be stored.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    keys: SessionKeys
    accepted: SessionAccepted
    pairs: tuple[RenewalPair, ...]


@dataclass(frozen=True, slots=True)
class PendingEnrolment:
    """m3 of an enrolment as octets; if m4 is lost, the same activation and keys are sent anew.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    session: str
    body: bytes
    keys: SessionKeys
    renewal: Secret[bytes]

    def confirm(self, status: int, sealed: bytes) -> tuple[EnrolmentAccepted, RenewalPair]:
        """Who the device is from now on, and its first renewal pair, both to be stored.

        Raises Malformed or NotAuthentic.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        opened = open_reply(self.keys, schedule.ENROLMENT_OPERATION, 0, status, sealed)
        accepted = _ENROLLED.decode_canonical(opened)
        if accepted.counter != FIRST_COUNTER:
            raise NotAuthentic("the first counter is 1")
        return accepted, RenewalPair(counter=FIRST_COUNTER, secret=self.renewal)
