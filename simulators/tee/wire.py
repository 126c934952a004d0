"""What goes over the two sockets of the simulated TEE: canonical JSON behind a length of 4 octets.

Source: ISO/TS 12812-2:2017, 8.1.3
"""

import socket
from typing import Any, Final

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.live import Tries
from tallystick.client.vault.sealing import KeptPair, ProviderPin
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError, Unavailable, error_by_code
from tallystick.kernel.model import Record

MOST: Final = 256 * 1024
APP: Final = "app.sock"
SCREEN: Final = "screen.sock"


class Asked(Record, frozen=True, kw_only=True):
    """One thing that an app asks; octets in base64url.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    does: str
    octets: str = ""
    shown: str = ""
    text: str = ""
    pairs: tuple[KeptPair, ...] = ()
    identity: EnrolledIdentity | None = None
    pin: ProviderPin | None = None


class Answer(Record, frozen=True, kw_only=True):
    """What the TEE answers; `error` is a code of the one error tree.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    octets: str = ""
    text: str = ""
    number: int = 0
    pairs: tuple[KeptPair, ...] = ()
    identity: EnrolledIdentity | None = None
    tries: Tries = Tries()
    error: str = ""
    remedy: str = ""
    because: str = ""


class Shown(Record, frozen=True, kw_only=True):
    """What the trusted screen shows.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """

    text: str


class Typed(Record, frozen=True, kw_only=True):
    """What the person did: typed a PIN, or said no.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """

    pin: str
    willing: bool = True


ASKED: Final[Decoder[Asked]] = Decoder(Asked, limit=MOST)
ANSWER: Final[Decoder[Answer]] = Decoder(Answer, limit=MOST)
SHOWN: Final[Decoder[Shown]] = Decoder(Shown)
TYPED: Final[Decoder[Typed]] = Decoder(Typed)


def send(link: socket.socket, message: Record) -> None:
    """Send one message; raises Unavailable if nobody takes it.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """
    body = encode_canonical(message)
    try:
        link.sendall(len(body).to_bytes(4, "big") + body)
    except OSError as error:
        raise Unavailable("the simulated TEE does not answer") from error


def receive(link: socket.socket) -> bytes:
    """One message; raises Unavailable if none comes, Malformed for one that is too long.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """
    length = int.from_bytes(_exactly(link, 4), "big")
    if length > MOST:
        raise Malformed("a message to the simulated TEE has at most 256 KiB")
    return _exactly(link, length)


def _exactly(link: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        try:
            more = link.recv(count - len(found))
        except OSError as error:
            raise Unavailable("the simulated TEE does not answer") from error
        if not more:
            raise Unavailable("the simulated TEE has gone away")
        found += more
    return found


def refusal(error: MfsError) -> Answer:
    """The answer that stands for `error`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return Answer(error=error.code, text=error.detail, remedy=error.remedy, because=error.because)


def raise_refusal(answer: Answer) -> None:
    """Raise what `answer` stands for; pass if it is none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if answer.error:
        details: dict[str, Any] = {"remedy": answer.remedy, "because": answer.because}
        raise error_by_code(answer.error)(answer.text, **details)
