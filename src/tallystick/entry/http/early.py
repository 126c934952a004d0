"""Refuses at the door, before anything is opened or verified, what would wait too long.

A refusal must cost little, or refusing takes the time that the accepted need: the answer is made
once, and one look at the clock decides. It leaves in clear, as every refusal before the session is
known.

Source: ISO/TS 12812-2:2017, 6.2.3; RFC 9110, 15.6.4
"""

from itertools import cycle

from tallystick.entry.accounting import Accounting
from tallystick.entry.admission import BEGINNINGS, RETRY_AFTER_S, Admission, overloaded
from tallystick.entry.http.operations import operation
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Unavailable
from tallystick.protocol.problems import problem_of

_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n"
    b"content-length: %d\r\nretry-after: %d\r\ncache-control: no-store\r\n\r\n%b"
)


class EarlyRefusal:
    """Decides on requests by their path alone.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, admission: Admission, accounting: Accounting) -> None:
        self._admission = admission
        self._accounting = accounting
        self._beginnings = {operation(name).path.encode(): name for name in sorted(BEGINNINGS)}
        self._answers = cycle([(one, _answer(one)) for one in map(overloaded, RETRY_AFTER_S)])

    def of(self, path: bytes) -> tuple[Unavailable, bytes] | None:
        """The refusal of a request for `path` and its whole answer; None if it may come in.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        name = self._beginnings.get(path)
        if name is None or not self._admission.full():
            return None
        self._accounting.overloaded(name)
        return next(self._answers)


def _answer(error: Unavailable) -> bytes:
    body = encode_canonical(problem_of(error))
    return _ANSWER % (len(body), error.retry_after_s or 1, body)


def is_whole(request: bytes) -> bool:
    """Whether `request` is one request with its body and nothing behind it, beyond doubt.

    What is not as simple as that goes the long way.
    Source: RFC 9112, 6.3
    """
    end = request.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = request[: end + 2].lower()
    at = head.find(b"\r\ncontent-length: ")
    if at < 0 or b"\r\nconnection:" in head or b"\r\ntransfer-encoding:" in head:
        return False
    length = head[at + 18 : head.find(b"\r\n", at + 2)]
    return length.isdigit() and len(request) == end + 4 + int(length)
