"""A simulated push service: it takes names of devices to wake, and keeps whatever else it is told.

A real one belongs to somebody else and reads everything that it carries. This one is not one of
them: it stands for all, and shows that there is nothing to read.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.4
"""

from threading import Condition

from simulators.loopback import LoopbackServer, Request, Response


class SimulatedPushService:
    """The simulated push service on the loopback address.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(self) -> None:
        """Listen at once.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self.told: list[bytes] = []
        self._arrived = Condition()
        self._server = LoopbackServer(self._handle)

    @property
    def url(self) -> str:
        """Where it listens.

        Source: RFC 9112
        """
        return self._server.url + "/v1/wake"

    def wait(self, count: int, timeout_s: float) -> bool:
        """Whether `count` wakes arrived in time.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.told) >= count, timeout_s)

    def close(self) -> None:
        """Stop listening.

        Source: RFC 9112, 9.6
        """
        self._server.close()

    def _handle(self, request: Request) -> Response:
        with self._arrived:
            self.told.append(request.body)
            self._arrived.notify_all()
        return Response(200, b"{}")
