"""What a simulated message centre shows, keeps and does wrong.

Source: ISO/TS 12812-2:2017, 7.2.3; D
"""

from dataclasses import dataclass

from tallystick.entry.smpp.pdus import ShortMessage
from tallystick.protocol.gsm7 import gsm7_text


@dataclass(slots=True)
class Faults:
    """What goes wrong next; each number counts down.

    `drop_answers` answers to submits are not sent, `late_answers` come after `late_s`, `throttle`
    and `refuse` submits are refused. `repeat` sends each message to the service twice, `swap` the
    next two in the other order.
    Source: ISO/TS 12812-2:2017, D
    """

    drop_answers: int = 0
    late_answers: int = 0
    late_s: float = 0.5
    throttle: int = 0
    refuse: int = 0
    repeat: bool = False
    swap: bool = False
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a telephone shows; after `ends` nothing more can be typed.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    text: str
    ends: bool
    number: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the centre took over, under its id.

    Source: SMPP 3.4, 4.4
    """

    id: str
    reference: int
    message: ShortMessage

    @property
    def text(self) -> str:
        """What the telephone shows.

        Source: 3GPP TS 23.038, 6.2.1
        """
        return gsm7_text(self.message.text.reveal())
