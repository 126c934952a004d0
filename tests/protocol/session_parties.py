"""A provider and devices in memory, for tests of the session protocol: honest, and nothing more.

The provider owns its state as the writer does: a session identifier once, a renewal judged in the
same step, a number once. Everything on the wire passes `post`, where tests listen and interfere.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tallystick.client.enrolling import enrol
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import ClientSession, Peer, Reply
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.envelope.certificate import issue_certificate
from tallystick.infrastructure.envelope.cookie import CookieKeys
from tallystick.infrastructure.envelope.cose import ReplyNonces, open_request, peek, seal_reply
from tallystick.infrastructure.envelope.handshake_server import (
    AuthenticatedDevice,
    Fresh,
    ProviderIdentity,
    accept,
    answer_hello,
    open_enrolment,
    open_session_proof,
)
from tallystick.infrastructure.envelope.renewal import (
    FIRST_COUNTER,
    RenewalRecord,
    Renewed,
    Resynchronised,
    Spent,
    judge_renewal,
    refusal_of,
)
from tallystick.infrastructure.envelope.schedule import SessionKeys, session_of
from tallystick.infrastructure.envelope.window import ReplayWindow
from tallystick.kernel.codec import b64url, encode
from tallystick.kernel.errors import (
    MfsError,
    NotAuthentic,
    NotPermitted,
    Replayed,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.ids import random_id
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock
from tallystick.protocol.enrolment import (
    DeviceCertificate,
    DeviceDescription,
    EnrolmentAccepted,
)
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.problems import problem_of
from tallystick.protocol.session import SESSIONS_PATH, SessionAccepted

ALL_SUITES = (KemSuite.MLKEM768_X25519, KemSuite.X25519, KemSuite.P256)
DESCRIPTION = DeviceDescription(
    platform="test", model="bench", app_version="1.0", protection="software"
)
CODE = "K7QW-2M9D"
IDLE_S = 300


def verified(shown: str) -> None:
    """The user is always there."""
    assert shown


@dataclass
class EnrolledDevice:
    customer: str
    possession: VerifyKey
    certificate: str
    record: RenewalRecord
    suspended: bool = False


@dataclass
class OpenSession:
    keys: SessionKeys
    device: str
    window: ReplayWindow = field(default_factory=ReplayWindow)


class Provider:
    """The provider; `heard` is everything that went over the wire as (path, request, reply)."""

    def __init__(self, seed: int = 1, name: str = "Test Provider") -> None:
        self.entropy: Callable[[int], bytes] = random.Random(seed).randbytes
        self.clock = SimulatedClock()
        self.name = name
        self.allowed: tuple[KemSuite, ...] = ALL_SUITES
        self.signing = Es256SigningKey.generate()
        self.device_ca = Es256SigningKey.generate()
        self.identity = ProviderIdentity(name, "session-1", self.signing.sign, 7)
        self.cookies = CookieKeys(self.entropy(32))
        self.nonces = ReplyNonces(self.entropy(4))
        self.devices: dict[str, EnrolledDevice] = {}
        self.sessions: dict[str, OpenSession] = {}
        self.used: set[str] = set()
        self.heard: list[tuple[str, bytes, Reply]] = []
        self.acts: list[bytes] = []
        self.sealed_refusal: MfsError | None = None

    def keys(self) -> dict[str, VerifyKey]:
        return {"session-1": self.signing.public()}

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """The transport: answers as the specification says, refusals as problem documents."""
        self.clock.advance(2)
        try:
            reply = self.route(path, body)
        except MfsError as error:
            headers = {"content-type": "application/problem+json"}
            reply = Reply(error.status, encode(problem_of(error)), headers)
        self.heard.append((path, body, reply))
        return reply

    def route(self, path: str, body: bytes) -> Reply:
        if path == SESSIONS_PATH:
            return Reply(201, self.answer(body), {"content-type": "application/json"})
        if path.startswith(SESSIONS_PATH):
            status, sealed = self.open_session(path.rpartition("/")[2], body)
        elif path.startswith("/v1/enrolments/"):
            status, sealed = self.enrol(path.rpartition("/")[2], body)
        else:
            status, sealed = self.message(body)
        return Reply(status, sealed, {"content-type": SEALED_MEDIA_TYPE})

    def answer(self, body: bytes) -> bytes:
        fresh = Fresh(
            session=random_id("ses", self.entropy(16)),
            share=Secret(self.entropy(32)),
            cookie_nonce=self.entropy(12),
        )
        now = self.clock.now()
        return answer_hello(body, self.identity, self.allowed, self.cookies, fresh, now).body

    def open_session(self, session: str, body: bytes) -> tuple[int, bytes]:
        claimed = open_session_proof(session, body, self.cookies, self.clock.now())
        device = self.devices.get(claimed.device)
        if device is None:
            raise NotAuthentic("the handshake is not authentic")
        proved = claimed.verify(device.possession, device.certificate)
        return 200, accept(proved.keys, self.nonces.draw(), self.decide(device, proved), 200)

    def decide(self, device: EnrolledDevice, proved: AuthenticatedDevice) -> SessionAccepted:
        """The writer's step: session once, device in force, renewal judged, all at once."""
        if proved.session in self.used:
            raise Replayed("the session exists")
        if device.suspended:
            raise NotPermitted("the device is suspended")
        judged = judge_renewal(device.record, proved.renewal, self.clock.now())
        if isinstance(judged, Spent):
            device.suspended = True
        if not isinstance(judged, Renewed | Resynchronised):
            raise refusal_of(judged)
        device.record = judged.record
        self.used.add(proved.session)
        is_open = isinstance(judged, Renewed)
        if is_open:
            self.sessions[proved.session] = OpenSession(proved.keys, proved.device)
        now = self.clock.now()
        return SessionAccepted(
            session=proved.session,
            open=is_open,
            counter=judged.record.counter,
            expires_idle_s=IDLE_S,
            expires_at=now + 3_600_000,
            policy_version=3,
            server_time=now,
        )

    def enrol(self, session: str, body: bytes) -> tuple[int, bytes]:
        opened = open_enrolment(session, body, self.cookies, self.clock.now())
        if session in self.used:
            raise Replayed("the session exists")
        if opened.code.reveal() != CODE:
            raise NotAuthentic("the activation code is not right")
        self.used.add(session)
        now = self.clock.now()
        device, customer = (random_id(kind, self.entropy(16)) for kind in ("dev", "cus"))
        certificate = DeviceCertificate(
            id=random_id("crt", self.entropy(16)),
            provider=self.name,
            device=device,
            customer=customer,
            possession=b64url(opened.possession.octets()),
            consent=b64url(opened.consent.octets()),
            attested=opened.attestation.format,
            not_before=now,
            not_after=now + 86_400_000,
        )
        record = RenewalRecord(counter=FIRST_COUNTER, secret=opened.renewal, accepted_at=now)
        self.devices[device] = EnrolledDevice(customer, opened.possession, certificate.id, record)
        accepted = EnrolmentAccepted(
            device=device,
            customer=customer,
            accounts=(random_id("acc", self.entropy(16)),),
            certificate=issue_certificate(self.device_ca, "ca-1", certificate),
            counter=FIRST_COUNTER,
            server_time=now,
        )
        return 201, accept(opened.keys, self.nonces.draw(), accepted, 201)

    def message(self, body: bytes, operation: str = "test.echo") -> tuple[int, bytes]:
        kid, sequence = peek(body)
        session = self.sessions.get(session_of(kid))
        if session is None:
            raise Unauthenticated("no such session")
        session.window.check(sequence)
        opened = open_request(session.keys, operation, body)
        session.window.mark(opened.sequence)
        self.acts.append(opened.content)
        status, reply = 200, b"echo " + opened.content
        if self.sealed_refusal is not None:
            status, reply = 401, encode(problem_of(self.sealed_refusal))
            self.sealed_refusal = None
        iv = self.nonces.draw()
        return status, seal_reply(session.keys, iv, operation, sequence, status, reply)


class Phone:
    """A device with a software keystore that talks to a provider."""

    def __init__(
        self, provider: Provider, *, suites: tuple[KemSuite, ...] = ALL_SUITES, seed: int = 2
    ) -> None:
        self.provider = provider
        self.entropy: Callable[[int], bytes] = random.Random(seed).randbytes
        self.keystore = SoftwareKeystore(verified)
        self.wire = Wiretap(provider)
        self.peer = Peer(self.wire, provider.name, provider.keys, self.entropy, suites)
        self.session = ClientSession(self.peer, self.keystore, provider.clock)

    def enrol(self, code: str = CODE) -> "Phone":
        enrol(
            self.peer,
            self.keystore,
            activation=random_id("atv", self.entropy(16)),
            code=Secret(code),
            description=DESCRIPTION,
            shown="enrol this phone",
        )
        return self

    @property
    def record(self) -> EnrolledDevice:
        return self.provider.devices[self.keystore.identity().device]


class Wiretap:
    """A transport in between: may lose requests or replies, or change what passes."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.lose_request: Callable[[str], bool] = lambda path: False
        self.lose_reply: Callable[[str], bool] = lambda path: False
        self.change_request: Callable[[str, bytes], bytes] = lambda path, body: body
        self.change_reply: Callable[[str, Reply], Reply] = lambda path, reply: reply

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        if self.lose_request(path):
            raise Unavailable("lost on the way there")
        body = self.change_request(path, body)
        reply = self.provider.post(path, body, content_type)
        if self.lose_reply(path):
            raise Unavailable("lost on the way back")
        return self.change_reply(path, reply)


def refused_with(reply: Reply, error: type[MfsError]) -> bool:
    """Whether a reply in clear is the refusal `error`."""
    return not reply.sealed and reply.status == error.status and error.code.encode() in reply.body
