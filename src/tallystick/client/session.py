"""A device's session: established when needed, requests sealed and numbered, replies opened.

    CLOSED --establish--> OPEN --exchange--> OPEN
      ^                     |  idle or over (by our clock), numbers used up, provider says unknown
      '---------------------'

The renewal pairs of a handshake are stored before its m3 leaves. A reply in clear proves nothing:
it is raised as an error. `unauthenticated`, sealed or not, makes the session be established anew
and the request be sent once more: what changes state must carry an id that makes this safe, as
orders do.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2; 7.3.5
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from tallystick.client.keystore import DeviceKeystore, Entropy
from tallystick.client.live import Live, Sealed
from tallystick.client.meeting import Met, offered, remember
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.envelope.cose import open_reply, seal_request
from tallystick.infrastructure.envelope.handshake_client import (
    AuthenticatedProvider,
    Confirmed,
    authenticate_provider,
    greet,
)
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.model import Wire
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SECOND_MS, Clock
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.authentication import ReportTries
from tallystick.protocol.envelope import MAX_SEQUENCE, SEALED_MEDIA_TYPE
from tallystick.protocol.problems import Problem, error_of
from tallystick.protocol.session import SESSIONS_PATH, Purpose, SessionAccepted

JSON_MEDIA_TYPE: Final = "application/json"
_SEALED_TYPE: Final = "application/cose"
_ATTEMPTS: Final = 4
T = TypeVar("T")

_PROBLEM: Decoder[Problem] = Decoder(Problem)

SignatureKeys = Callable[[], Mapping[str, VerifyKey]]
"""Gives the provider's session signature keys by kid, out of a verified key list."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP; names of headers in lower case.

    Source: RFC 9110, 3.4
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def sealed(self) -> bool:
        """Whether the reply says that it is a COSE message.

        Source: RFC 9052, 11.3
        """
        return self.headers.get("content-type", "").startswith(_SEALED_TYPE)


class Transport(Protocol):
    """Carries octets to the provider and back; nothing depends on it for secrecy or integrity.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """The reply to a POST of `body` to `path`.

        Raises Unavailable when none comes.
        Source: RFC 9110, 9.3.3
        """
        ...


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An authentic reply: its status and its content.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Peer:
    """The provider as a device reaches it: transport, name, signature keys, suites best first.

    `entropy` gives unpredictable octets; `app` is what runs on the device; `newest_keys` fetches
    the key list, whatever is at hand. With a `met` it offers no less than what was met before.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    transport: Transport
    provider: str
    signature_keys: SignatureKeys
    entropy: Entropy
    suites: Sequence[KemSuite]
    app: AppClaim | None = None
    newest_keys: SignatureKeys | None = None
    met: Met | None = None

    def authenticated(self, purpose: Purpose) -> AuthenticatedProvider:
        """The provider, authenticated by its answer to a fresh hello.

        One that is not authentic may have a key that is newer than the list at hand: with
        `newest_keys` it is greeted once more. Raises what the provider refuses with, Malformed,
        NotAuthentic, and UpgradeRequired where no suite is left to offer.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.2; ISO/IEC 9798-3
        """
        try:
            return self._greeted(purpose, self.signature_keys)
        except NotAuthentic:
            if self.newest_keys is None:
                raise
        return self._greeted(purpose, self.newest_keys)

    def _greeted(self, purpose: Purpose, keys: SignatureKeys) -> AuthenticatedProvider:
        kems = [KemPrivateKey.generate(suite) for suite in offered(self.suites, self.met)]
        greeting = greet(purpose, kems, self.entropy(32))
        reply = self.transport.post(SESSIONS_PATH, greeting.body, JSON_MEDIA_TYPE)
        if not 200 <= reply.status < 300:
            raise refusal(reply)
        found = authenticate_provider(greeting, reply.body, provider=self.provider, keys=keys())
        remember(found.suite, self.met)
        return found


def refusal(reply: Reply) -> MfsError:
    """The error that a reply in clear stands for; it is not authentic, and nothing rests on it.

    Source: RFC 9457, 3.1
    """
    try:
        return error_of(_PROBLEM.decode(reply.body))
    except Malformed:
        return Unavailable(f"the provider answered {reply.status}", remedy="try again")


def _raise_if_ended(content: bytes) -> None:
    """A sealed 401 may ask for more (a step up) or say that the session is over."""
    error = error_of(_PROBLEM.decode(content))
    if isinstance(error, Unauthenticated):
        raise error


class ClientSession:
    """The session of one enrolled device; may be shared by threads, whose requests run in parallel.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """

    def __init__(self, peer: Peer, keystore: DeviceKeystore, clock: Clock) -> None:
        """Closed until the first exchange. `clock` only saves requests that would be too late.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._peer = peer
        self._keystore = keystore
        self._clock = clock
        self._establishing = threading.Lock()
        self._numbering = threading.Lock()
        self._live: Live | None = None

    @property
    def accepted(self) -> SessionAccepted | None:
        """What the provider said of the open session; None while there is none.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live = self._live
        return None if live is None else live.accepted

    def establish(self) -> SessionAccepted:
        """Open a new session, whatever there was.

        Raises what the provider refuses with: NotPermitted for a suspended device, for instance.
        Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9798-3
        """
        with self._establishing:
            return self._established().accepted

    def close(self) -> None:
        """Forget the keys of the session.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._live = None

    def exchange(self, operation: str, path: str, body: bytes, *, resend: bool = True) -> Exchanged:
        """The authentic reply to `body`, sealed for `operation` and posted to `path`.

        What the keystore counted of failed user verifications is sent before, once a session. With
        `resend` a session that the provider no longer knows is replaced and the request sent
        once more; else the next request opens another. Raises Unavailable without a reply,
        NotAuthentic for a reply that is not this provider's to this request, Unauthenticated or
        what else an answer in clear says.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
        """
        live = self._open_session()
        try:
            self._report_tries(live)
            return self._once(live, operation, path, body)
        except Unauthenticated:
            if not resend:
                self.close()  # the next request opens another
                raise
        live = self._replaced(live)
        self._report_tries(live)
        return self._once(live, operation, path, body)

    def seal(self, operation: str, body: bytes) -> Sealed:
        """`body`, sealed for `operation`, for an answer that comes in many parts.

        Source: RFC 9052, 5.3
        """
        live = self._open_session()
        with self._numbering:
            live.sequence += 1
            sequence = live.sequence
            live.last = self._clock.now()
        keys = live.keys
        return Sealed(
            seal_request(keys, operation, sequence, body),
            lambda message: open_reply(keys, operation, sequence, 200, message),
        )

    def ask(
        self, operation: str, path: str, asked: Wire, decoder: Decoder[T], *, resend: bool = True
    ) -> T:
        """The reply to `asked`, as `exchange` gets it, read by `decoder`.

        Raises what `exchange` raises, and the refusal that a sealed reply is.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
        """
        exchanged = self.exchange(operation, path, encode_canonical(asked), resend=resend)
        if exchanged.status != 200:
            raise error_of(_PROBLEM.decode(exchanged.body))
        return decoder.decode(exchanged.body)

    def _report_tries(self, live: Live) -> None:
        """Say what the keystore counted, before anything else, where it was not yet said here."""
        tries = self._keystore.tries()
        if tries == live.reported:
            return
        body = encode_canonical(ReportTries(failed=tries.failed, in_row=tries.in_row))
        self._once(live, "device.tries", "/v1/devices/tries", body)
        live.reported = tries

    def _once(self, live: Live, operation: str, path: str, body: bytes) -> Exchanged:
        reply, sequence = self._post(live, operation, path, body)
        if not reply.sealed:
            raise refusal(reply)
        content = open_reply(live.keys, operation, sequence, reply.status, reply.body)
        if reply.status == Unauthenticated.status:
            _raise_if_ended(content)
        return Exchanged(reply.status, content)

    def _post(self, live: Live, operation: str, path: str, body: bytes) -> tuple[Reply, int]:
        with self._numbering:
            live.sequence += 1
            sequence = live.sequence
            live.last = self._clock.now()
        sealed = seal_request(live.keys, operation, sequence, body)
        return self._peer.transport.post(path, sealed, SEALED_MEDIA_TYPE), sequence

    def _open_session(self) -> Live:
        live = self._live
        if live is not None and self._usable(live):
            return live
        with self._establishing:
            live = self._live
            return live if live is not None and self._usable(live) else self._established()

    def _replaced(self, dead: Live) -> Live:
        with self._establishing:
            live = self._live
            return live if live is not None and live is not dead else self._established()

    def _usable(self, live: Live) -> bool:
        now = self._clock.now()
        idle_until = live.last + live.accepted.expires_idle_s * SECOND_MS
        return now < min(idle_until, live.until) and live.sequence < MAX_SEQUENCE

    def _established(self) -> Live:
        self._live = None
        again = True
        for _ in range(_ATTEMPTS):
            confirmed = self._handshake()
            if isinstance(confirmed, Conflict):
                continue
            if isinstance(confirmed, MfsError):
                if not again:
                    raise confirmed
                again = False
                continue
            if confirmed.accepted.open:
                self._live = Live(confirmed.keys, confirmed.accepted, self._clock.now())
                return self._live
        raise Unavailable("no session could be established", remedy="try again later")

    def _handshake(self) -> Confirmed | NotAuthentic | Expired | Conflict:
        """The confirmed session, or a refusal of the last message that a new one may not meet.

        The process that answered the first message may have ended before the second, and what only
        it could open looks like anything that is not authentic.
        """
        identity = self._keystore.identity()
        provider = self._peer.authenticated(Purpose.SESSION)
        pending = provider.prove_session(
            device=identity.device,
            certificate=identity.certificate_id,
            sign=self._keystore.possession_sign,
            pairs=self._keystore.renewal_pairs(),
            share=Secret(self._peer.entropy(32)),
            app=self._peer.app,
        )
        self._keystore.store_renewal_pairs(pending.remembered)
        path = f"{SESSIONS_PATH}/{pending.session}"
        reply = self._peer.transport.post(path, pending.body, JSON_MEDIA_TYPE)
        if not reply.sealed:
            refused = refusal(reply)
            if isinstance(refused, NotAuthentic | Expired | Conflict):
                return refused
            raise refused
        confirmed = pending.confirm(reply.status, reply.body)
        self._keystore.store_renewal_pairs(confirmed.pairs)
        return confirmed
