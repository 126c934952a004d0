"""A simulated handset with a SIM that signs: relays between the network, the SIM and its holder.

The handset is the one that could be lied to and could lie: it sees every text and every digit that
is typed, and holds no key.

Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2; ETSI TS 102 223
"""

from collections.abc import Callable
from queue import Empty, Queue

from simulators.smpp_centre import SmppCentre
from simulators.uicc import (
    DISPLAY_TEXT,
    DONE,
    ENDED,
    GET_INPUT,
    ITEM_BIND,
    ITEM_SEND,
    Uicc,
    objects_of,
    tlv,
)
from tallystick.entry.smpp.pdus import ShortMessage
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.secret import Secret
from tallystick.protocol.gsm7 import gsm7_text

_DELIVER = b"\x40\x05\x81\x83\x54\xf7\x7f\xf6\x62\x10\x10\x00\x00\x00\x00"
_SUBMIT_HEAD = 10
_WAIT_S = 10.0


class ToolkitPhone:
    """The handset with `number` and the SIM `uicc` in it.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, number: str, uicc: Uicc, centre: SmppCentre) -> None:
        """Listen for binary messages of `centre`.

        Source: 3GPP TS 31.115, 4
        """
        self.number = number
        self.uicc = uicc
        self.screens: list[str] = []
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.relays = True
        self.show: Callable[[bytes], bytes] = lambda octets: octets
        self._centre = centre
        self._waiting: Queue[bytes] = Queue()
        before = centre.binary

        def arrived(phone: str, message: ShortMessage) -> None:
            if before is not None:
                before(phone, message)
            if phone == self.number:
                self._waiting.put(message.text.reveal())

        centre.binary = arrived

    def bind(self, code: Secret[str], pin: Secret[str]) -> str:
        """Bind the SIM with an activation code and a new PIN; what the SIM shows in the end.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self.choose(ITEM_BIND, code.reveal(), pin.reveal())
        return self.receive()

    def ask(self, payee: str, amount: str) -> None:
        """Ask for the terms of a payment.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.choose(ITEM_SEND, payee, amount)

    def pay(self, payee: str, amount: str, *pins: str) -> list[str]:
        """Ask, read what the SIM shows, and answer with `pins`; without any, refuse.

        Gives the order as shown and what it came to.
        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        self.ask(payee, amount)
        shown = self.receive(*pins)
        return [shown, self.receive()]

    def choose(self, item: int, *typed: str) -> None:
        """Choose a menu item of the SIM and type what it asks for.

        Source: ETSI TS 102 223, 7.2
        """
        chosen = tlv(0x82, b"\x01\x81") + tlv(0x90, bytes((item,)))
        self._exchange(tlv(0xD3, chosen), list(typed))

    def receive(self, *typed: str, within_s: float = _WAIT_S) -> str:
        """Give the next binary message to the SIM; the text that it shows.

        Raises Unavailable if none comes in `within_s` seconds.
        Source: ETSI TS 102 223, 7.1
        """
        try:
            octets = self._waiting.get(timeout=within_s)
        except Empty:
            raise Unavailable("no message for the SIM came in time") from None
        self.received.append(octets)
        before = len(self.screens)
        self.envelope(octets, *typed)
        return self.screens[-1] if len(self.screens) > before else ""

    def envelope(self, user_data: bytes, *typed: str) -> int:
        """Hand user data to the SIM as a message; its status word.

        Source: ETSI TS 102 223, 7.1
        """
        tpdu = _DELIVER + bytes((len(user_data),)) + user_data
        message = tlv(0x82, b"\x83\x81") + tlv(0x06, b"\x81\x83\x54\xf7") + tlv(0x8B, tpdu)
        return self._exchange(tlv(0xD1, message), list(typed))

    def send(self, user_data: bytes) -> int:
        """Send a binary message in this number's name; the status of the service's answer.

        Source: 3GPP TS 31.115, 4
        """
        self.sent.append(user_data)
        message = ShortMessage(
            source=self.number.removeprefix("+"),
            destination=self._centre.number,
            text=Secret(user_data),
            esm_class=0x40,
            protocol_id=0x7F,
            coding=0xF6,
        )
        return self._centre.deliver(message)

    def _exchange(self, envelope: bytes, typed: list[str]) -> int:
        answer = self.uicc.apdu(b"\x80\xc2\x00\x00" + bytes((len(envelope),)) + envelope)
        while answer[-2] == 0x91:
            fetched = self.uicc.apdu(b"\x80\x12\x00\x00" + answer[-1:])
            wish = objects_of(objects_of(fetched[:-2])[0x50])
            result, text = self._done(wish, typed)
            response = tlv(0x81, wish[0x01]) + tlv(0x82, b"\x82\x81") + tlv(0x83, bytes((result,)))
            if text:
                response += tlv(0x8D, b"\x04" + text.encode())
            answer = self.uicc.apdu(b"\x80\x14\x00\x00" + bytes((len(response),)) + response)
        return int.from_bytes(answer[-2:], "big")

    def _done(self, wish: dict[int, bytes], typed: list[str]) -> tuple[int, str]:
        kind = wish[0x01][1]
        if kind == DISPLAY_TEXT:
            self.screens.append(gsm7_text(wish[0x0D][1:]))
            return DONE, ""
        if kind == GET_INPUT:
            return (DONE, typed.pop(0)) if typed else (ENDED, "")
        user_data = wish[0x0B][_SUBMIT_HEAD:]
        if self.relays:
            self.send(user_data)
        else:
            self.sent.append(user_data)
        return DONE, ""
