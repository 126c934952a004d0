"""A simulated short message service centre: takes our messages, and anybody's forgeries as well.

Like the real one it can read every text, and a phone cannot tell who put a message into its inbox.

Source: ISO/TS 12812-2:2017, 7.2.3; D
"""

from collections.abc import Callable
from threading import Condition
from time import sleep
from typing import Self

from simulators.loopback import LoopbackServer, Request, Response, exchange
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.callbacks import CALLBACK_HEADER, callback_header
from tallystick.protocol.channels import SmsAccepted, SmsMessage, SmsReceipt, SmsState

_messages = Decoder(SmsMessage, limit=4096)

RECEIPTS = "/v1/sms/receipts"
_TRIES = 20
_WAIT_S = 0.1

Predicate = Callable[[SmsMessage], bool]


class Smsc:
    """The simulated SMSC on the loopback address, with an inbox for every number.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, *, port: int = 0) -> None:
        """Listen at once.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._inboxes: dict[str, list[SmsMessage]] = {}
        self._accepted: set[str] = set()
        self._forged = 0
        self._down = False
        self._arrived = Condition()
        self._server = LoopbackServer(self._handle, port=port)

    @property
    def url(self) -> str:
        """Where it listens.

        Source: RFC 9112
        """
        return self._server.url

    def close(self) -> None:
        """Stop listening.

        Source: RFC 9112, 9.6
        """
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send_receipt(
        self,
        url: str,
        message: str,
        state: SmsState,
        secret: Secret[bytes],
        clock: Clock,
    ) -> int:
        """Tell the provider at `url` what became of `message`; gives the status of its answer.

        A 409 says that the provider has not yet kept that the message was taken: tried again.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        status = 0
        for _ in range(_TRIES):
            now = clock.now()
            body = encode(SmsReceipt(id=message, state=state, at=now))
            header = callback_header(
                RECEIPTS, now, body, lambda octets: hmac_sha256(secret.reveal(), octets)
            )
            status = exchange(
                url, "POST", RECEIPTS, body, fields=((CALLBACK_HEADER, header),)
            ).status
            if status != 409:
                break
            sleep(_WAIT_S)
        return status

    def break_down(self, *, broken: bool = True) -> None:
        """Answer 503 to every message until mended.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        with self._arrived:
            self._down = broken

    def inbox(self, number: str) -> list[SmsMessage]:
        """What the phone with `number` shows, oldest first.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        with self._arrived:
            return list(self._inboxes.get(number, ()))

    def wait_for(
        self, number: str, predicate: Predicate = lambda _: True, timeout_s: float = 20.0
    ) -> SmsMessage:
        """The newest message to `number` that fits, waiting for it if need be.

        Raises Unavailable if none comes in time.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """

        def newest() -> SmsMessage | None:
            fitting = [one for one in self._inboxes.get(number, ()) if predicate(one)]
            return fitting[-1] if fitting else None

        with self._arrived:
            self._arrived.wait_for(lambda: newest() is not None, timeout_s)
            found = newest()
        if found is None:
            raise Unavailable("no such message came in time")
        return found

    def inject(self, number: str, text: str, *, at: int, sender: str) -> SmsMessage:
        """Put a FORGED message into the inbox of `number`, under the name `sender`; gives it back.

        Source: ISO/TS 12812-2:2017, 7.2.3; D
        """
        with self._arrived:
            self._forged += 1
            forged = SmsMessage(
                id=f"forged-{self._forged}", to=number, text=text, at=at, provider=sender
            )
            self._deliver(forged)
        return forged

    def _handle(self, request: Request) -> Response | None:
        if (request.method, request.path) != ("POST", "/v1/messages"):
            return Response(404, b"{}")
        try:
            message = _messages.decode(request.body)
        except MfsError:
            return Response(400, b"{}")
        with self._arrived:
            if self._down:
                return Response(503, b"{}")
            if message.id not in self._accepted:
                self._accepted.add(message.id)
                self._deliver(message)
        return Response(200, encode(SmsAccepted(id=message.id)))

    def _deliver(self, message: SmsMessage) -> None:
        self._inboxes.setdefault(message.to, []).append(message)
        self._arrived.notify_all()
