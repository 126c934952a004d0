"""A receiver's side of webhooks: is this delivery the provider's, to this address, and of now?

    receiver = WebhookReceiver("https://bank.example/events", provider.message_keys, clock)
    delivery = receiver.delivery("POST", fields, body)      raises, or it is authentic

Answer a repeated `id` with 2xx and do not act again: a delivery comes until it is answered so.

Source: ISO/TS 12812-2:2017, 11.2.3; RFC 9421
"""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from tallystick.infrastructure.httpsig import Demand, MessageKey, RequestHead, verify_message
from tallystick.kernel.codec import Decoder
from tallystick.kernel.time import Clock
from tallystick.protocol.http_signatures import WEBHOOK_AGE_MS, WEBHOOK_COMPONENTS, WEBHOOK_TAG
from tallystick.protocol.webhooks import WebhookDelivery

_DEMAND = Demand(
    WEBHOOK_TAG, WEBHOOK_COMPONENTS, WEBHOOK_AGE_MS, ahead_ms=WEBHOOK_AGE_MS, nonce=False
)
_deliveries = Decoder(WebhookDelivery)


class WebhookReceiver:
    """Takes deliveries at the one address that the provider was told.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    def __init__(
        self, url: str, keys: Callable[[], Mapping[str, MessageKey]], clock: Clock
    ) -> None:
        """Take deliveries to `url`, as the provider writes it, signed by one of `keys`.

        Source: RFC 9421, 2.2.2
        """
        parts = urlsplit(url)
        self._scheme, self._authority = parts.scheme, parts.netloc
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._keys = keys
        self._clock = clock

    def delivery(
        self, method: str, fields: Iterable[tuple[str, str]], body: bytes
    ) -> WebhookDelivery:
        """The delivery in `body`, if the provider signed it to this address just now.

        The address is the receiver's own, whatever a proxy in front of it made of the request.
        Raises NotAuthentic, Expired, Malformed.
        Source: RFC 9421, 3.2; ISO/TS 12812-2:2017, 11.2.3
        """
        given = tuple((name.lower(), value) for name, value in fields)
        head = RequestHead(method, self._scheme, self._authority, self._target, given)
        verify_message(head, body, self._keys(), _DEMAND, now=self._clock.now())
        return _deliveries.decode_canonical(body)
