"""A simulated USSD gateway: signs what phones type and shows what the provider answers.

Its trace has sessions, times and lengths, and never what was typed. For the scene of a replay it
keeps the signed messages of this run in memory, which an honest gateway would not.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
"""

import re
from dataclasses import dataclass

from simulators.loopback import exchange
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.time import Clock
from tallystick.protocol.channels import SignedUssd, UssdMessage, UssdReply, ussd_header
from tallystick.protocol.problems import Problem, error_of

USSD = "/v1/ussd"
_replies = Decoder(UssdReply)
_problems = Decoder(Problem)
_TOLD = re.compile(r"^1 Men(u|yu)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Traced:
    """One line of the gateway's own record of a message.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    message: str
    session: str
    at: int
    typed_characters: int
    status: str


class UssdGateway:
    """The simulated gateway `name`, which signs with `signer` and posts to the provider at `url`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, name: str, signer: SigningKey, url: str, clock: Clock) -> None:
        """Number sessions and messages from this boot on.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self.name = name
        self._signer = signer
        self._url = url
        self._clock = clock
        self._boot = clock.now()
        self._messages = 0
        self._sessions = 0
        self._sent: list[SignedUssd] = []
        self._trace: list[Traced] = []

    def public(self) -> VerifyKey:
        """The key to register at the provider.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._signer.public()

    def dial(self, msisdn: str, *inputs: str) -> list[str]:
        """Dial the menu and type `inputs` one by one; gives every page shown.

        What is told of a payment before is passed. Stops when a page ends the session. Raises the
        provider's refusal.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        session = self.open_session()
        pages: list[str] = []
        for typed in ("", *inputs):
            reply = self.send(session, msisdn, typed)
            if not pages and _TOLD.search(reply.text):
                reply = self.send(session, msisdn, "1")
            pages.append(reply.text)
            if reply.ends:
                break
        return pages

    def open_session(self) -> str:
        """A new session of the network.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._sessions += 1
        return f"{self.name}-s{self._boot}-{self._sessions}"

    def send(self, session: str, msisdn: str, typed: str) -> UssdReply:
        """Send one input of `session` and give the next page. Raises the provider's refusal.

        Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
        """
        return self._post(self._message(session, msisdn, typed), self._signer)

    def replay(self, back: int = 1) -> UssdReply:
        """Send the message that was the `back`-th last once more, octet for octet.

        Raises the provider's refusal.
        Source: ISO/TS 12812-2:2017, 7.2.7; D
        """
        signed = self._sent[-back]
        return self._deliver(signed)

    def forge(self, session: str, msisdn: str, typed: str, signer: SigningKey) -> UssdReply:
        """Send an input in this gateway's name under a key that is not its own.

        Raises the provider's refusal.
        Source: ISO/TS 12812-2:2017, 7.3.3; D
        """
        return self._post(self._message(session, msisdn, typed), signer)

    def trace(self) -> list[Traced]:
        """The gateway's own record: no number, nothing that was typed.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return list(self._trace)

    def _message(self, session: str, msisdn: str, typed: str) -> UssdMessage:
        self._messages += 1
        return UssdMessage(
            id=f"{self.name}-m{self._boot}-{self._messages}",
            session=session,
            msisdn=msisdn,
            input=typed,
            at=self._clock.now(),
            gateway=self.name,
        )

    def _post(self, message: UssdMessage, signer: SigningKey) -> UssdReply:
        signed = SignedUssd(
            message=sign_compact(signer, ussd_header(self.name), encode_canonical(message))
        )
        if signer is self._signer:
            self._sent.append(signed)
        status = "refused"
        try:
            reply = self._deliver(signed)
            status = "ends" if reply.ends else "goes on"
        finally:
            line = Traced(message.id, message.session, message.at, len(message.input), status)
            self._trace.append(line)
        return reply

    def _deliver(self, signed: SignedUssd) -> UssdReply:
        reply = exchange(self._url, "POST", USSD, encode_canonical(signed))
        if reply.status != 200:
            raise error_of(_problems.decode(reply.body))
        return _replies.decode(reply.body)
