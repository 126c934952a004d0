"""PDUs of SMPP 3.4: headers and small bodies made here, messages by a library for the protocol.

    octets -> read_pdu -> Pdu -> message_of -> ShortMessage      what was typed is hidden at once
    ShortMessage -> octets_of -> octets

The library (`smpp34`, the extra `smpp`) makes and takes apart `submit_sm` and `deliver_sm`;
sessions, windows and time are this package's own. Nothing here writes a log.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.4; SMPP 3.4
"""

import asyncio
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

import smpp34

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

MAX_PDU = 8192
"""Longest PDU that is read, in octets."""

_HEADER = 16
_RESPONSE = 0x80000000


class Command(IntEnum):
    """What a PDU is for; a response has the highest bit set.

    Source: SMPP 3.4, 5.1.2
    """

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015


class Status(IntEnum):
    """How a request ended, as far as it matters here.

    Source: SMPP 3.4, 5.1.3
    """

    OK = 0x00
    BAD_LENGTH = 0x02
    BAD_COMMAND = 0x03
    BAD_BIND_STATE = 0x04
    SYSTEM_ERROR = 0x08
    BIND_FAILED = 0x0D
    BAD_PASSWORD = 0x0E
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TRY_AGAIN = 0x64
    REJECTED = 0x66


class Option(IntEnum):
    """Optional parameters that are used.

    Source: SMPP 3.4, 5.3.2
    """

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    ITS_SESSION_INFO = 0x1383


class UssdOp(IntEnum):
    """Which step of a menu session a message is.

    Source: SMPP 3.4, 5.3.2.44
    """

    BEGIN = 1
    ASK = 2
    NOTIFY = 3
    END = 17
    ANSWER = 18
    NOTIFIED = 19


class Pdu(NamedTuple):
    """A PDU as it came or goes: command, status, sequence number, and its body as it is.

    Source: SMPP 3.4, 3.2
    """

    command: int
    status: int
    sequence: int
    body: bytes = b""

    @property
    def answers(self) -> bool:
        """Whether it is a response.

        Source: SMPP 3.4, 5.1.2.1
        """
        return bool(self.command & _RESPONSE)

    def octets(self) -> bytes:
        """The PDU as it is sent.

        Source: SMPP 3.4, 3.2
        """
        words = (_HEADER + len(self.body), self.command, self.status, self.sequence)
        return b"".join(word.to_bytes(4, "big") for word in words) + self.body

    def __repr__(self) -> str:
        return f"Pdu({self.command:#010x}, {self.status:#x}, {self.sequence}, ***)"


class ShortMessage(Record, frozen=True, kw_only=True):
    """A message of either direction; `text` is hidden, since it may be a PIN.

    `options` are the optional parameters by tag. Numbers are as the network writes them, digits
    without a plus; `alphabetic` says that `source` is a name.
    Source: SMPP 3.4, 4.4.1; 4.6.1
    """

    source: str
    destination: str
    text: Secret[bytes]
    service_type: str = ""
    alphabetic: bool = False
    esm_class: int = 0
    protocol_id: int = 0
    registered: int = 0
    coding: int = 0
    options: Mapping[int, bytes] = {}

    def number(self, tag: int) -> int | None:
        """The optional parameter `tag` as a number, or None.

        Source: SMPP 3.4, 5.3.1
        """
        value = self.options.get(tag)
        return int.from_bytes(value, "big") if value else None

    def word(self, tag: int) -> str:
        """The optional parameter `tag` as text that ends with a nought; empty if there is none.

        Source: SMPP 3.4, 5.3.1
        """
        return self.options.get(tag, b"").rstrip(b"\x00").decode("ascii", "replace")


async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
    """The next PDU.

    Raises Malformed for a length that no PDU has, and what the reader raises at the end.
    Source: SMPP 3.4, 3.2
    """
    head = await reader.readexactly(_HEADER)
    length, command, status, sequence = (
        int.from_bytes(head[at : at + 4], "big") for at in range(0, _HEADER, 4)
    )
    if not _HEADER <= length <= MAX_PDU:
        raise Malformed("a PDU has a length that none has")
    return Pdu(command, status, sequence, await reader.readexactly(length - _HEADER))


def octets_of(command: Command, sequence: int, message: ShortMessage) -> bytes:
    """`message` as `submit_sm` or `deliver_sm`.

    Raises Malformed for a text of more than 254 octets.
    Source: SMPP 3.4, 4.4.1; 4.6.1
    """
    made = smpp34.SubmitSm if command is Command.SUBMIT_SM else smpp34.DeliverSm
    ton, npi = (5, 0) if message.alphabetic else (1, 1)
    try:
        return made(
            message.source,
            message.destination,
            message.text.reveal(),
            service_type=message.service_type,
            source_addr_ton=ton,
            source_addr_npi=npi,
            dest_addr_ton=1,
            dest_addr_npi=1,
            esm_class=message.esm_class,
            protocol_id=message.protocol_id,
            registered_delivery=message.registered,
            data_coding=message.coding,
            tlvs=[smpp34.Tlv(tag, value) for tag, value in message.options.items()],
            sequence_number=sequence,
        ).encode()
    except (ValueError, smpp34.SmppError):
        # the library's words may quote what it was given
        raise Malformed("the message does not fit a PDU") from None


def message_of(pdu: Pdu) -> ShortMessage:
    """The message in a `submit_sm` or `deliver_sm`.

    Raises Malformed, without a word of what it says, for anything else.
    Source: SMPP 3.4, 4.4.1; 4.6.1
    """
    found: object = None
    try:
        found = smpp34.decode(pdu.octets())
    except (ValueError, smpp34.SmppError):
        found = None
    if not isinstance(found, smpp34.SubmitSm | smpp34.DeliverSm):
        raise Malformed("the PDU is no message")
    options = {one.tag: one.value for one in found.tlvs}
    return ShortMessage(
        source=found.source_addr,
        destination=found.destination_addr,
        text=Secret(options.pop(Option.MESSAGE_PAYLOAD, found.short_message)),
        service_type=found.service_type,
        alphabetic=found.source_addr_ton == 5,
        esm_class=found.esm_class,
        protocol_id=found.protocol_id,
        registered=found.registered_delivery,
        coding=found.data_coding,
        options=options,
    )


def bind_body(system_id: str, password: Secret[str], system_type: str = "") -> bytes:
    """The body of `bind_transceiver`.

    Raises Malformed for names or a password that do not fit.
    Source: SMPP 3.4, 4.1.5
    """
    words = ((system_id, 15), (password.reveal(), 8), (system_type, 12))
    if any(len(word) > most or not word.isascii() or "\x00" in word for word, most in words):
        raise Malformed("a name or the password of the bind does not fit", remedy="15, 8, 12")
    named = b"".join(word.encode("ascii") + b"\x00" for word, _ in words)
    return named + b"\x34\x00\x00\x00"


def bind_of(body: bytes) -> tuple[str, Secret[str]]:
    """System id and password of a `bind_transceiver`. Raises Malformed.

    Source: SMPP 3.4, 4.1.5
    """
    parts = body.split(b"\x00", 3)
    if len(parts) < 4:
        raise Malformed("the body is no bind")
    return parts[0].decode("ascii", "replace"), Secret(parts[1].decode("ascii", "replace"))


def word_body(word: str) -> bytes:
    """A body of one text that ends with a nought: message ids and system ids.

    Source: SMPP 3.4, 4.4.2
    """
    return word.encode("ascii") + b"\x00"


def word_of(body: bytes) -> str:
    """The first text of `body`, empty if there is none.

    Source: SMPP 3.4, 4.4.2
    """
    return body.partition(b"\x00")[0].decode("ascii", "replace")
