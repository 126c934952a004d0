"""Who waits for news of requests, and whom a push service has to wake.

Both are told once a change is durable; nothing of it is stored, since a cursor finds everything.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
"""

from collections import deque
from collections.abc import Callable, Iterable

from tallystick.application.approvals.store import wakes_of
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import RateLimited

MOST_WAITING = 4
"""So many long polls and streams of one customer at a time."""

_MOST_WAKES = 4096


class Watching:
    """Tells whoever waits, once, that something changed for a customer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: dict[str, dict[int, Callable[[], None]]] = {}
        self._next = 0
        self.wakes: deque[str] = deque(maxlen=_MOST_WAKES)

    def wait(self, customer: str, action: Callable[[], None]) -> Callable[[], None]:
        """Call `action` at the next change for `customer`; gives what stops the waiting.

        Raises RateLimited for too many that wait.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        waiting = self._waiting.setdefault(customer, {})
        if len(waiting) >= MOST_WAITING:
            raise RateLimited("too many of your devices wait already", retry_after_s=5)
        self._next += 1
        place = self._next
        waiting[place] = action

        def stop() -> None:
            left = self._waiting.get(customer)
            if left is not None:
                left.pop(place, None)
                if not left:
                    self._waiting.pop(customer, None)

        return stop

    def changed(self, customers: Iterable[str]) -> None:
        """Tell all who wait for one of `customers`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for customer in customers:
            for action in list(self._waiting.pop(customer, {}).values()):
                action()

    def wake(self, customers: Iterable[str]) -> None:
        """Have the devices of `customers` woken; what does not fit is left to their polling.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        for customer in customers:
            self.wakes.extend(wakes_of(self._reader, customer))
