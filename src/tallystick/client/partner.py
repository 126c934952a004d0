"""A partner's side of signed HTTP messages: requests to a provider, and the replies that it signs.

    partner = PartnerSigner("example-pay/gateway-1", signing_key, clock, entropy)
    head = partner.request("POST", "https://pay.example/v1/ussd", body, "application/json")
    partner.check(ReplyHead(status, fields, head), reply_body, provider.message_keys())

Source: ISO/TS 12812-2:2017, 3.14; 7.3.3; RFC 9421
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tallystick.client.keystore import Entropy
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.httpsig import (
    CONTENT_DIGEST,
    Demand,
    Fields,
    MessageKey,
    PublicKey,
    ReplyHead,
    RequestHead,
    Verified,
    content_digest,
    covering,
    sign_message,
    verify_message,
)
from tallystick.kernel.codec import b64url
from tallystick.kernel.time import SECOND_MS, Clock
from tallystick.protocol.http_signatures import (
    PARTNER_AGE_MS,
    PARTNER_COMPONENTS,
    PARTNER_TAG,
    REPLY_TAG,
    reply_components,
)

_LABEL = "partner"
_NONCE_OCTETS = 18
_DEMAND = Demand(
    REPLY_TAG, reply_components(_LABEL), PARTNER_AGE_MS, ahead_ms=PARTNER_AGE_MS, nonce=False
)


class PartnerSigner:
    """Signs requests under one key id and checks that their replies are the provider's to them.

    Source: RFC 9421, 2.4; 3.1
    """

    def __init__(self, keyid: str, signer: SigningKey, clock: Clock, entropy: Entropy) -> None:
        """Sign with `signer`, which the provider registered as `keyid`.

        Source: RFC 9421, 3.1
        """
        self._keyid = keyid
        self._signer = signer
        self._algorithm = PublicKey(signer.public()).algorithm
        self._clock = clock
        self._entropy = entropy

    def request(self, method: str, url: str, body: bytes, media_type: str) -> RequestHead:
        """The signed head of a request with `body`; its `fields` are to be sent as they are.

        Source: RFC 9421, 3.1; RFC 9530, 2
        """
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields: Fields = (("content-type", media_type), (CONTENT_DIGEST, content_digest(body)))
        head = RequestHead(method, parts.scheme, parts.netloc, target, fields)
        coverage = covering(
            PARTNER_COMPONENTS,
            created=self._clock.now() // SECOND_MS,
            nonce=b64url(self._entropy(_NONCE_OCTETS)),
            alg=self._algorithm,
            keyid=self._keyid,
            tag=PARTNER_TAG,
        )
        signed = sign_message(head, _LABEL, coverage, self._signer.sign)
        return RequestHead(method, parts.scheme, parts.netloc, target, (*fields, *signed))

    def check(self, reply: ReplyHead, body: bytes, keys: Mapping[str, MessageKey]) -> Verified:
        """The signature of `reply`, if it is the provider's to the request that it knows.

        `keys` are what `published_keys` found. Raises NotAuthentic, Expired, Malformed.
        Source: RFC 9421, 2.4; 3.2
        """
        return verify_message(reply, body, keys, _DEMAND, now=self._clock.now())
