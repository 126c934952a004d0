"""What an app does when its provider says that this device is over: ask for the order, and obey it.

The order is obeyed only if a key of the provider's verified list signed it for this very device.
The last thing that the possession key signs is the word that the keys are going; then they go.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import Transport, refusal
from tallystick.infrastructure.crypto.jws import split_under
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import Decoder, b64url, encode, encode_canonical
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import Clock
from tallystick.protocol.devicelife import (
    SignedWipe,
    WipeOrder,
    WipeReply,
    WipeWord,
    wipe_order_header,
    wipe_word_header,
)

_JSON: Final = "application/json"
_replies = Decoder(WipeReply)
_orders = Decoder(WipeOrder)


class Wiper:
    """Asks for the wipe of this device and carries it out.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    def __init__(
        self,
        transport: Transport,
        keystore: DeviceKeystore,
        keys: Callable[[], Mapping[str, VerifyKey]],
        provider: str,
        clock: Clock,
    ) -> None:
        """`keys` gives the session signature keys of `provider` out of its verified list.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._transport = transport
        self._keystore = keystore
        self._keys = keys
        self._provider = provider
        self._clock = clock

    def ask(self) -> WipeOrder:
        """The order, as the provider signed it for this device.

        Raises NotAuthentic for one that another signed or that is another's; Conflict if there is
        none, for then the device is not over.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.5
        """
        return self._read(self._say("ask", "").order)

    def obey(self, erase: Callable[[], None]) -> WipeOrder:
        """Ask, say that it is done with the key that is about to go, then `erase` everything.

        If the word does not arrive everything is erased all the same.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        order = self.ask()
        try:
            self._say("done", order.order)
        finally:
            erase()
        return order

    def _say(self, does: str, order: str) -> WipeReply:
        device = self._keystore.identity().device
        word = WipeWord(device=device, does=does, order=order, at=self._clock.now())
        signing_input = f"{b64url(wipe_word_header(device))}.{b64url(encode_canonical(word))}"
        signature = self._keystore.possession_sign(signing_input.encode())
        asked = SignedWipe(device=device, word=f"{signing_input}.{b64url(signature)}")
        reply = self._transport.post("/v1/devices/wipe", encode(asked), _JSON)
        if reply.status != 200:
            raise refusal(reply)
        return _replies.decode(reply.body)

    def _read(self, compact: str) -> WipeOrder:
        header, _, _ = compact.partition(".")
        for kid, verifier in self._keys().items():
            expected = b64url(wipe_order_header(verifier.algorithm, kid))
            if header != expected:
                continue
            payload, signature, signing_input = split_under(compact, expected)
            verifier.verify(signature, signing_input)
            order = _orders.decode_canonical(payload)
            own = self._keystore.identity().device
            if (order.device, order.provider) == (own, self._provider):
                return order
        raise NotAuthentic("this order is not the provider's for this device")
