"""A simulated USSD gateway that signs HTTP messages and believes signed replies only.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3; RFC 9421
"""

from collections.abc import Callable, Mapping

from simulators.loopback import exchange
from simulators.ussd_gateway import USSD, UssdGateway
from tallystick.client.keystore import Entropy
from tallystick.client.partner import PartnerSigner
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.httpsig import MessageKey, ReplyHead, RequestHead
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.time import Clock
from tallystick.protocol.channels import UssdMessage, UssdReply
from tallystick.protocol.problems import Problem, error_of

JSON = "application/json"
_replies = Decoder(UssdReply)
_problems = Decoder(Problem)


class SignedGateway(UssdGateway):
    """The gateway `name` as a partner with the key id `keyid`; `keys` are the provider's now.

    Source: ISO/TS 12812-2:2017, 7.2.3; RFC 9421
    """

    def __init__(
        self,
        name: str,
        keyid: str,
        signer: SigningKey,
        url: str,
        clock: Clock,
        keys: Callable[[], Mapping[str, MessageKey]],
        entropy: Entropy,
    ) -> None:
        """Number sessions and messages from this boot on.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        super().__init__(name, signer, url, clock)
        self._address = url
        self._keyid = keyid
        self._time = clock
        self._entropy = entropy
        self._keys = keys
        self.sent: list[tuple[RequestHead, bytes]] = []

    def _post(self, message: UssdMessage, signer: SigningKey) -> UssdReply:
        partner = PartnerSigner(self._keyid, signer, self._time, self._entropy)
        body = encode_canonical(message)
        head = partner.request("POST", self._address + USSD, body, JSON)
        self.sent.append((head, body))
        return self.knock(head, body, partner)

    def knock(self, head: RequestHead, body: bytes, partner: PartnerSigner) -> UssdReply:
        """Send a request as it is; believe its reply only if the provider signed it to this one.

        Raises the provider's refusal, and NotAuthentic for a reply that is not its own.
        Source: RFC 9421, 2.4
        """
        reply = exchange(self._address, head.method, head.target, body, fields=head.fields)
        if reply.status == 200:
            answered = ReplyHead(reply.status, reply.fields, head)
            partner.check(answered, reply.body, self._keys())
            return _replies.decode(reply.body)
        raise error_of(_problems.decode(reply.body))
