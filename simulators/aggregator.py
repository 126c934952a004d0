"""A simulated aggregator of menus: calls back with a form that has every input so far.

Like the real one it sees all that is typed, PINs among it, and keeps what it likes: this one keeps
the forms of its run, so that they can be sent again, and a trace without anything typed.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
"""

import re
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlencode

from simulators.loopback import exchange
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.callbacks import CALLBACK_HEADER, callback_header
from tallystick.protocol.problems import Problem, error_of

FORM = "application/x-www-form-urlencoded"
_problems = Decoder(Problem)
_TOLD = re.compile(r"^1 Men(u|yu)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """What the phone shows; after `ends` nothing more can be typed.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    text: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A callback as it went out: its body, and its header of proof.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    body: bytes
    header: str


@dataclass(slots=True)
class DialledSession:
    """A session of the network: who dialled what, and everything typed in it.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    id: str
    msisdn: str
    service: str = "*384*57#"
    network: str = "63902"
    typed: list[str] = field(default_factory=list[str])


class Aggregator:
    """The simulated aggregator `name`, which shares `secret` with the provider at `url`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, name: str, secret: Secret[bytes], url: str, clock: Clock) -> None:
        """Number sessions from this boot on.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self.name = name
        self.path = f"/v1/aggregators/{name}"
        self._secret = secret
        self._url = url
        self._clock = clock
        self._boot = clock.now()
        self._sessions = 0
        self._stamping = Lock()
        self._stamped = Instant(0)
        self.sent: list[Sent] = []

    def session(self, msisdn: str) -> DialledSession:
        """A new session of the network.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._sessions += 1
        return DialledSession(f"ATUid_{self._boot}_{self._sessions}", msisdn)

    def dial(self, msisdn: str, *inputs: str) -> list[str]:
        """Dial and type `inputs` one by one; gives every page shown.

        Stops when a page ends the session. Raises the provider's refusal.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        session = self.session(msisdn)
        page = self.call(session)
        pages = [page.text]
        for typed in inputs:
            if page.ends:
                break
            page = self.type(session, typed)
            pages.append(page.text)
        return pages

    def type(self, session: DialledSession, typed: str) -> Page:
        """One more input of `session`, and the page that follows.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        session.typed.append(typed)
        return self.call(session)

    def call(self, session: DialledSession) -> Page:
        """The callback for `session` as it stands. Raises the provider's refusal.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self.call_with(session, "*".join(session.typed))

    def call_with(self, session: DialledSession, text: str) -> Page:
        """A callback for `session` that says that `text` was typed. Raises the provider's refusal.

        Source: ISO/TS 12812-2:2017, 7.2.3; D
        """
        form = {
            "sessionId": session.id,
            "serviceCode": session.service,
            "phoneNumber": session.msisdn,
            "networkCode": session.network,
            "text": text,
        }
        return self.send(urlencode(form).encode())

    def send(self, body: bytes, secret: Secret[bytes] | None = None) -> Page:
        """The page for the form `body`, proved under `secret` if not under its own.

        No two are stamped with one moment: the later one would be taken for a copy.
        Source: ISO/TS 12812-2:2017, 7.3.3; D
        """
        proving = (secret or self._secret).reveal()
        with self._stamping:
            self._stamped = max(self._clock.now(), Instant(self._stamped + 1))
            at = self._stamped
        header = callback_header(self.path, at, body, lambda message: hmac_sha256(proving, message))
        sent = Sent(body, header)
        self.sent.append(sent)
        return self.deliver(sent)

    def deliver(self, sent: Sent) -> Page:
        """Send exactly this, once more if it was sent before. Raises the provider's refusal.

        Source: ISO/TS 12812-2:2017, 7.2.7; D
        """
        headers = {"content-type": FORM, CALLBACK_HEADER: sent.header}
        reply = exchange(self._url, "POST", self.path, sent.body, fields=tuple(headers.items()))
        if reply.status != 200:
            raise error_of(_problems.decode(reply.body))
        word, _, text = reply.body.decode().partition(" ")
        if word not in {"CON", "END"}:
            raise Malformed("the page says neither CON nor END")
        return Page(text, word == "END")


class AggregatorPhone:
    """A simulated person with a phone that dials through `aggregator`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, number: str, aggregator: Aggregator) -> None:
        """Dial from `number`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self.number = number
        self._aggregator = aggregator

    def dial(self, *inputs: str) -> list[str]:
        """Every page shown while typing `inputs`, past what was told of a payment before.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        session = self._aggregator.session(self.number)
        page = self._aggregator.call(session)
        if _TOLD.search(page.text):
            page = self._aggregator.type(session, "1")
        pages = [page.text]
        for typed in inputs:
            if page.ends:
                break
            page = self._aggregator.type(session, typed)
            pages.append(page.text)
        return pages

    def send_money(self, number: str, amount: str, pin: Secret[str]) -> list[str]:
        """Send `amount` to another number.

        Source: ISO/TS 12812-2:2017, 11.1
        """
        return self.dial("1", number, amount, pin.reveal())

    def set_pin(self, code: Secret[str], pin: Secret[str]) -> str:
        """The last page of setting a PIN with an activation code.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self.dial("6", code.reveal(), pin.reveal(), pin.reveal())[-1]
