"""Requests that partners sign as HTTP messages, and the provider's signed replies to them.

A partner of the settings has one key id and one public half, and may knock at the doors that its
entry names. The key id begins with the provider's name, so that a request to one provider is never
one to another where the partner has the same key.

Source: ISO/TS 12812-2:2017, 3.14; 7.3.3; RFC 9421
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tallystick.entry.assembly import Platform
from tallystick.entry.partner_settings import Partner
from tallystick.infrastructure.httpsig import (
    CONTENT_DIGEST,
    Demand,
    Fields,
    MessageKey,
    Nonces,
    ReplyHead,
    RequestHead,
    Verified,
    content_digest,
    covering,
    is_signed,
    partner_key,
    sign_message,
    verify_message,
)
from tallystick.infrastructure.httpsig.published import publish
from tallystick.infrastructure.keys.table import end_of_life
from tallystick.infrastructure.modules.interface import ECDSA_P256, ED25519, Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.time import SECOND_MS, Clock
from tallystick.protocol.http_signatures import (
    PARTNER_AGE_MS,
    PARTNER_AHEAD_MS,
    PARTNER_COMPONENTS,
    PARTNER_TAG,
    REPLY_TAG,
    MessageKeys,
    MessageKeyStatement,
    reply_components,
)

USSD_DOOR = "ussd.message"
DOORS = frozenset({USSD_DOOR})
"""The operations that a partner may be let in at."""

_DEMAND = Demand(PARTNER_TAG, PARTNER_COMPONENTS, PARTNER_AGE_MS, PARTNER_AHEAD_MS)
_LABEL = "tallystick"
_ALGORITHMS = {ED25519: "ed25519", ECDSA_P256: "ecdsa-p256-sha256"}
MESSAGES = Purpose.WEBHOOK
"""What the key is for that signs whatever leaves as an HTTP message."""


@dataclass(frozen=True, slots=True)
class Knocked:
    """A partner's request whose signature holds; `proof` says what was signed, and by whom.

    Source: RFC 9421, 3.2
    """

    partner: str
    head: RequestHead
    verified: Verified

    @property
    def proof(self) -> str:
        """The signed octets and the signature, each in base64url.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return f"{b64url(self.verified.signed)}.{b64url(self.verified.signature)}"


class Partners:
    """Knows the partners of a provider by their keys, and signs what they are answered.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        partners: Iterable[Partner],
        provider: str,
        clock: Clock,
        *,
        keyid: str,
        sign: Callable[[bytes], bytes],
        secure: bool,
    ) -> None:
        """Take `partners`; replies are signed by `sign` as `keyid`; `secure` says that it is TLS.

        Raises Malformed for two of one key id, one of another provider or an unknown door, and what
        `partner_key` raises.
        Source: RFC 9421, 3.2
        """
        self._clock = clock
        self._keyid = keyid
        self._sign = sign
        self._scheme = "https" if secure else "http"
        self._keys: dict[str, MessageKey] = {}
        self._known: dict[str, Partner] = {}
        for one in partners:
            _check(one, provider, self._known)
            self._known[one.keyid] = one
            self._keys[one.keyid] = partner_key(one.algorithm, b64url_decode(one.public))
        self._nonces = Nonces(clock.now(), PARTNER_AHEAD_MS)

    def knocked(self, request: Request, body: bytes, door: str) -> Knocked | None:
        """The partner who signed `request` with `body`, None where it is not signed in this way.

        Raises what `verify_message` raises, NotPermitted at a door that is not the partner's,
        Replayed, RateLimited or Unavailable as `Nonces` says.
        Source: RFC 9421, 3.2
        """
        head = _head_of(request, self._scheme)
        if not is_signed(head):
            return None
        now = self._clock.now()
        verified = verify_message(head, body, self._keys, _DEMAND, now=now)
        partner = self._known[verified.keyid]
        if door not in partner.doors:
            raise NotPermitted(
                "this door is not open to this partner", remedy="ask the provider to open it"
            )
        self._nonces.once(verified, now)
        return Knocked(partner.name, head, verified)

    def answered(self, knocked: Knocked, response: Response) -> Response:
        """`response` with the digest of its body and the provider's signature over both messages.

        Source: RFC 9421, 2.4; RFC 9530, 2
        """
        body = bytes(response.body)
        response.headers[CONTENT_DIGEST] = content_digest(body)
        head = ReplyHead(response.status_code, _fields(response.headers.raw), knocked.head)
        coverage = covering(
            reply_components(knocked.verified.label),
            created=self._clock.now() // SECOND_MS,
            keyid=self._keyid,
            tag=REPLY_TAG,
        )
        for name, value in sign_message(head, _LABEL, coverage, self._sign):
            response.headers[name] = value
        return response


def partners_of(platform: Platform, *, secure: bool) -> Partners:
    """The partners of the provider's settings; they are answered under its key for messages.

    `secure` says that the way here is TLS. Raises what `Partners` raises.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.4.2
    """
    signing, module, settings = platform.keys.newest(MESSAGES), platform.module, platform.settings
    return Partners(
        settings.partners,
        settings.provider,
        platform.clock,
        keyid=signing.id,
        sign=lambda message: module.sign(signing, message),
        secure=secure,
    )


def message_keys(platform: Platform) -> MessageKeys:
    """The keys that the provider signs messages with, stated under its session signature key.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    module = platform.module
    listed = platform.keys.newest(Purpose.SESSION_SIGNATURE)
    signer = ModuleSigner(module, listed)
    statements = [
        MessageKeyStatement(
            provider=platform.settings.provider,
            keyid=handle.id,
            algorithm=_ALGORITHMS[handle.mechanism],
            public=b64url(module.public_octets(handle)),
            not_before=handle.created_at,
            not_after=end_of_life(handle),
        )
        for handle in platform.keys.handles[MESSAGES]
    ]
    return MessageKeys(statements=tuple(publish(one, listed.id, signer) for one in statements))


def _check(one: Partner, provider: str, known: dict[str, Partner]) -> None:
    if one.keyid in known:
        raise Malformed(f"two partners have the key id {one.keyid}")
    if not one.keyid.startswith(f"{provider}/"):
        raise Malformed(
            f"the key id of {one.name} is not of this provider",
            remedy=f"give it one that begins with {provider}/",
        )
    if not set(one.doors) <= DOORS:
        raise Malformed(
            f"{one.name} has a door that is none", remedy=f"doors are {', '.join(sorted(DOORS))}"
        )


def _head_of(request: Request, scheme: str) -> RequestHead:
    fields = _fields(request.headers.raw)
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) != 1:
        raise Malformed("a request names one host")
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    target = (path + b"?" + query if query else path).decode("latin-1")
    return RequestHead(request.method, scheme, hosts[0], target, fields)


def _fields(raw: Iterable[tuple[bytes, bytes]]) -> Fields:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)
