"""What is answered to a request: the status, the refusal's code, and the content to be sealed.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9457
"""

from collections.abc import Callable
from typing import NamedTuple

from tallystick.application.turn import Recorded
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.model import Wire
from tallystick.protocol.problems import problem_of


class Answer(NamedTuple):
    """A finished answer; `code` is empty unless it is a refusal.

    Source: RFC 9457
    """

    status: int
    code: str
    content: bytes


Done = Callable[[Answer], None]
"""Takes the answer to a request, once."""


def success(reply: Wire) -> Answer:
    """The answer that carries `reply`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return Answer(200, "", encode_canonical(reply))


def refusal(error: MfsError) -> Answer:
    """The answer that carries `error` as a problem document.

    Source: RFC 9457, 3.1
    """
    return Answer(error.status, error.code, encode_canonical(problem_of(error)))


def answer_of(recorded: Recorded) -> Answer:
    """The answer to a command, out of what is durable: reply or problem, with its receipt.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    reply, receipt = recorded.outcome.reply, recorded.receipt
    if isinstance(reply, MfsError):
        content = encode_canonical(problem_of(reply, receipt))
        return Answer(reply.status, reply.code, content)
    if isinstance(reply, Wire):
        return success(reply)
    if receipt is None:
        return refusal(Broken("an answer lacks its receipt"))
    return success(reply.with_receipt(receipt))
