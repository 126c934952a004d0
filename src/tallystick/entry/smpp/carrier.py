"""Notices over SMPP: handed over once under their number, and what the centre says became of them.

    notice n -> submit_sm (user_message_reference n) -> message id
    message id or reference <- deliver_sm receipt -> state of notice n

A notice whose hand-over was answered too late is known to be taken when it is tried again, and not
sent twice. A receipt that comes before the answer is asked for again. After a restart a receipt is
matched by the reference that it repeats and the number that it is about.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; 7.3.6; SMPP 3.4, 5.2.28; B
"""

import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from tallystick.entry.smpp.pdus import Option, ShortMessage, Status
from tallystick.kernel.errors import Conflict, MfsError, NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.channels import SmsMessage, SmsReceipt, SmsState
from tallystick.protocol.gsm7 import gsm7_octets

_MOST = 10_000
_NOTICE = re.compile(r"notice-([1-9][0-9]{0,17})")
_RECEIPT_ID = re.compile(rb"\bid:([A-Za-z0-9_.-]{1,64})\b")
_RECEIPT_STATE = re.compile(rb"\bstat:([A-Z]{7})\b")
_WORDS = {
    "DELIVRD": SmsState.DELIVERED,
    "EXPIRED": SmsState.EXPIRED,
    "DELETED": SmsState.REJECTED,
    "UNDELIV": SmsState.REJECTED,
    "REJECTD": SmsState.REJECTED,
}
_NUMBERS = {
    2: SmsState.DELIVERED,
    3: SmsState.EXPIRED,
    4: SmsState.REJECTED,
    5: SmsState.REJECTED,
    8: SmsState.REJECTED,
}
_KIND, _IS_RECEIPT = 0x3C, 0x04

Told = Callable[[SmsReceipt], Awaitable[None]]
"""Keeps a receipt; raises Conflict for a notice that is not yet noted as taken."""

Find = Callable[[int, str], str]
"""The message id of the notice with this reference to this number; empty if there is none."""


class Hands(Protocol):
    """Takes messages over to the network.

    Source: SMPP 3.4, 4.4
    """

    async def submit(self, message: ShortMessage, reference: str = "") -> str:
        """The id at the centre of `message`, known here as `reference`.

        Source: SMPP 3.4, 4.4.2
        """
        ...


def is_receipt(message: ShortMessage) -> bool:
    """Whether `message` tells what became of another one.

    Source: SMPP 3.4, 5.2.12
    """
    return message.esm_class & _KIND == _IS_RECEIPT


class SmppCarrier:
    """Sends notices through `hands` and keeps receipts.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    def __init__(self, number: str, hands: Hands, told: Told, find: Find, clock: Clock) -> None:
        """Send as `number` where a message names no sender.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._number = number
        self._hands = hands
        self._told = told
        self._find = find
        self._clock = clock
        self._taken: dict[str, str] = {}
        self._of_centre: dict[str, str] = {}

    async def send(self, message: SmsMessage) -> bool:
        """Whether the centre took `message` over, now or at an earlier try.

        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.6
        """
        if message.id in self._taken:
            return True
        match = _NOTICE.fullmatch(message.id)
        reference = int(match.group(1)) % 65536 if match else 0
        outgoing = ShortMessage(
            source=message.sender or self._number,
            alphabetic=bool(message.sender),
            destination=message.to.removeprefix("+"),
            text=Secret(gsm7_octets(message.text)),
            registered=1,
            options={Option.USER_MESSAGE_REFERENCE: reference.to_bytes(2, "big")},
        )
        try:
            identifier = await self._hands.submit(outgoing, message.id)
        except MfsError:
            return message.id in self._taken
        self.late(message.id, identifier)
        return True

    def late(self, message: str, identifier: str) -> None:
        """Note that `message` was taken over, under this id at the centre.

        Source: SMPP 3.4, 4.4.2
        """
        self._taken[message] = identifier
        self._of_centre[identifier] = message
        for known in (self._taken, self._of_centre):
            while len(known) > _MOST:
                del known[next(iter(known))]

    async def receipt(self, message: ShortMessage) -> int:
        """Keep what a receipt says; the status to answer with.

        Raises NotFound for a receipt of a message that is none of ours.
        Source: ISO/TS 12812-2:2017, 7.3.6; SMPP 3.4, B
        """
        identifier, state = read_receipt(message)
        if state is None:
            return Status.OK
        ours = self._of_centre.get(identifier) or self._found(message)
        if not ours:
            return Status.TRY_AGAIN
        try:
            await self._told(SmsReceipt(id=ours, state=state, at=self._clock.now()))
        except Conflict:
            return Status.TRY_AGAIN
        except NotFound:
            return Status.REJECTED
        return Status.OK

    def _found(self, message: ShortMessage) -> str:
        reference = message.number(Option.USER_MESSAGE_REFERENCE)
        return "" if reference is None else self._find(reference, f"+{message.source}")


def read_receipt(message: ShortMessage) -> tuple[str, SmsState | None]:
    """The id at the centre, and the state that it reached; None while it is on its way.

    Source: SMPP 3.4, 5.3.2.12; 5.3.2.35; B
    """
    text = message.text.reveal()
    identifier = message.word(Option.RECEIPTED_MESSAGE_ID)
    if not identifier:
        found = _RECEIPT_ID.search(text)
        identifier = found.group(1).decode() if found else ""
    number = message.number(Option.MESSAGE_STATE)
    if number is not None:
        return identifier, _NUMBERS.get(number)
    word = _RECEIPT_STATE.search(text)
    return identifier, _WORDS.get(word.group(1).decode()) if word else None
