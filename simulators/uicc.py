"""A simulated UICC with the provider's toolkit application, spoken to by APDUs as a handset does.

    80 C2 ENVELOPE           a message for the SIM arrived, or a menu item was chosen
    80 12 FETCH              what the SIM wants the handset to do
    80 14 TERMINAL RESPONSE  what came of it

A status word 91 XX says that XX octets wait to be fetched. The keys come out of key blocks at
personalisation. The PIN is chosen on the SIM, checked by the SIM, and after three wrong tries the
application is blocked.

Source: ISO/TS 12812-2:2017, 7.2.4; 11.2.2; ETSI TS 102 221; ETSI TS 102 223; 3GPP TS 31.115
"""

from collections.abc import Generator
from dataclasses import dataclass

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.scp80 import (
    COMMAND_HEADER,
    Packet,
    build_packet,
    claimed,
    open_packet,
)
from tallystick.infrastructure.modules.block import BlockRoots, unwrap
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol import toolkit as said
from tallystick.protocol.gsm7 import gsm7_octets
from tallystick.protocol.payments import PaymentKind

DISPLAY_TEXT, GET_INPUT, SEND_MESSAGE = 0x21, 0x23, 0x13
ITEM_SEND, ITEM_BIND = 1, 2
DONE, ENDED = 0x00, 0x10
_OK, _UNKNOWN, _WRONG_DATA = 0x9000, 0x6D00, 0x6A80
_TRIES = 3
_HIDDEN = 0x04


@dataclass(frozen=True, slots=True)
class Wish:
    """A proactive command: its type, qualifier, and the text or message in it.

    Source: ETSI TS 102 223, 6.6
    """

    kind: int
    qualifier: int = 0
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What the handset says came of a wish.

    Source: ETSI TS 102 223, 6.8
    """

    result: int
    text: str = ""


_Flow = Generator[Wish, Response, None]


def tlv(tag: int, value: bytes) -> bytes:
    """A data object, with a length of one or two octets.

    Source: ETSI TS 102 220, 7.1
    """
    length = bytes((len(value),)) if len(value) < 0x80 else bytes((0x81, len(value)))
    return bytes((tag,)) + length + value


def objects_of(octets: bytes) -> dict[int, bytes]:
    """The data objects in `octets` by tag, the bit for comprehension left out. Raises Malformed.

    Source: ETSI TS 102 220, 7.1
    """
    found: dict[int, bytes] = {}
    at = 0
    while at + 2 <= len(octets):
        tag, length, start = octets[at] & 0x7F, octets[at + 1], at + 2
        if length == 0x81 and start < len(octets):
            length, start = octets[start], start + 1
        found[tag] = octets[start : start + length]
        at = start + length
    if at != len(octets):
        raise Malformed("the data objects do not end where they should")
    return found


def delivered(tpdu: bytes) -> bytes:
    """The user data of an SMS-DELIVER that carries octets. Raises Malformed.

    Source: 3GPP TS 23.040, 9.2.2.1
    """
    digits = tpdu[1] if len(tpdu) > 1 else 0
    at = 3 + (digits + 1) // 2 + 2 + 7
    if len(tpdu) <= at or tpdu[0] & 0x43 != 0x40:
        raise Malformed("this is no message with a header")
    return tpdu[at + 1 :]


class Uicc:
    """A SIM with this serial number and the keys of two blocks.

    Source: ISO/TS 12812-2:2017, 7.2.4
    """

    def __init__(self, iccid: str, roots: BlockRoots, packet: bytes, order: bytes) -> None:
        """Personalise: open the key blocks as the bureau does.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.iccid = iccid
        self._packets = Aes(unwrap(roots, packet)[1])
        self._orders = Aes(unwrap(roots, order)[1])
        self._pin = Secret("")
        self._tries = _TRIES
        self.counter = 0
        self._last_said = 0
        self._flow: _Flow | None = None
        self._wish: Wish | None = None
        self.shown: list[str] = []

    def apdu(self, command: bytes) -> bytes:
        """The response to a command APDU: data, then a status word.

        Source: ETSI TS 102 221, 10
        """
        try:
            data, status = self._handled(command)
        except MfsError:
            data, status = b"", _WRONG_DATA
        return data + status.to_bytes(2, "big")

    def _handled(self, command: bytes) -> tuple[bytes, int]:
        head, body = command[:2], command[5 : 5 + command[4]] if len(command) > 5 else b""
        if head == b"\x80\xc2":
            self._flow = self._enveloped(body)
            return b"", self._go_on(None)
        if head == b"\x80\x12" and self._wish is not None:
            return _proactive(self._wish), _OK
        if head == b"\x80\x14" and self._flow is not None:
            found = objects_of(body)
            result = found.get(0x03, bytes((ENDED,)))[0]
            text = found.get(0x0D, b"\x04")[1:].decode("ascii", "replace")
            return b"", self._go_on(Response(result, text))
        return b"", _UNKNOWN

    def _go_on(self, response: Response | None) -> int:
        """The status word after the flow took one step."""
        flow = self._flow
        if flow is None:
            return _OK
        try:
            self._wish = next(flow) if response is None else flow.send(response)
        except StopIteration:
            self._flow = self._wish = None
            return _OK
        return 0x9100 | min(len(_proactive(self._wish)), 0xFF)

    def _enveloped(self, body: bytes) -> _Flow:
        outer = objects_of(body)
        if 0x51 in outer:  # D1: a message for the SIM
            return self._message(delivered(objects_of(outer[0x51])[0x0B]))
        if 0x53 in outer:  # D3: a menu item was chosen
            item = objects_of(outer[0x53])[0x10]
            return self._bind() if item == bytes((ITEM_BIND,)) else self._ask()
        raise Malformed("the envelope is of no kind that is known")

    def _message(self, user_data: bytes) -> _Flow:
        packet = user_data.removeprefix(COMMAND_HEADER)
        if claimed(packet) != (said.SPI, said.TO_SIM):
            raise NotAuthentic("the packet is not protected as it must be")
        opened = open_packet(packet, self._packets.cmac)
        if opened.counter <= self._last_said:
            raise NotAuthentic("this packet came before")
        self._last_said = opened.counter
        digest, text = said.read_to_sim(opened.data)
        return self._order(digest, text) if digest else self._show(text)

    def _show(self, text: str) -> _Flow:
        self.shown.append(text)
        yield Wish(DISPLAY_TEXT, 0x81, gsm7_octets(text))

    def _order(self, digest: bytes, text: str) -> _Flow:
        self.shown.append(text)
        seen = yield Wish(DISPLAY_TEXT, 0x81, gsm7_octets(text))
        right = False
        while seen.result == DONE and self._tries > 0 and not right:
            typed = yield Wish(GET_INPUT, _HIDDEN, b"PIN?")
            if typed.result != DONE:
                break
            self._tries -= 1
            right = bool(self._pin.reveal()) and Secret(typed.text) == self._pin
        tag = b""
        if right:
            self._tries = _TRIES
            tag = self._orders.cmac(said.tagged(self.iccid, digest, text))
        yield self._send(said.say_agreed(self.iccid, digest, tag))

    def _ask(self) -> _Flow:
        payee = yield Wish(GET_INPUT, 0, b"To which number?")
        amount = yield Wish(GET_INPUT, 0, b"Amount?")
        if payee.result == amount.result == DONE:
            minor = Money.parse(amount.text, "KES").minor
            yield self._send(said.say_quote(self.iccid, PaymentKind.P2P, minor, payee.text))

    def _bind(self) -> _Flow:
        code = yield Wish(GET_INPUT, 0, b"Activation code?")
        pin = yield Wish(GET_INPUT, _HIDDEN, b"New PIN?")
        if code.result == pin.result == DONE:
            self._pin, self._tries = Secret(pin.text), _TRIES
            yield self._send(said.say_bind(self.iccid, Secret(code.text)))

    def _send(self, data: bytes) -> Wish:
        self.counter += 1
        packet = Packet(
            spi=said.SPI,
            kic=said.KIC,
            kid=said.KID,
            tar=said.TO_PROVIDER,
            counter=self.counter,
            data=data,
        )
        octets = build_packet(packet, self._packets.cmac)
        return Wish(SEND_MESSAGE, 0, COMMAND_HEADER + octets)


def _proactive(wish: Wish) -> bytes:
    """A proactive command as it is fetched."""
    details = tlv(0x81, bytes((1, wish.kind, wish.qualifier)))
    if wish.kind == SEND_MESSAGE:
        submit = b"\x41\x00\x05\x81\x83\x54\xf7\x7f\xf6" + bytes((len(wish.text),)) + wish.text
        inside = details + tlv(0x82, b"\x81\x83") + tlv(0x8B, submit)
    else:
        inside = details + tlv(0x82, b"\x81\x82") + tlv(0x8D, b"\x04" + wish.text)
    return tlv(0xD0, inside)
