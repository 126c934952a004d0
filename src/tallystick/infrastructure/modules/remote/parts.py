"""The parts of a module in another process: each has the services that the part itself has.

Source: ISO/TS 12812-2:2017, 8.2.1; 7.4.2
"""

from collections.abc import Callable
from typing import Any

from tallystick.infrastructure.modules.remote.words import SERVICES, Service
from tallystick.infrastructure.modules.states import KeyState

Ask = Callable[[Service, tuple[Any, ...]], Any]
"""Gives the result of a service for its arguments."""

_OF, _PUT = SERVICES["states.of"], SERVICES["states.put"]
_USED, _RECALL = SERVICES["states.used"], SERVICES["states.recall"]


class RemoteStates:
    """The states of the keys there; what was said of a key is said again to a later process.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_ask", "_counted", "_told")

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._told: dict[str, KeyState] = {}
        self._counted: dict[str, int] = {}

    def of(self, key_id: str) -> KeyState:
        """See `KeyStates.of`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found: KeyState = self._ask(_OF, (key_id,))
        return found

    def put(self, key_id: str, state: KeyState) -> None:
        """See `KeyStates.put`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._ask(_PUT, (key_id, state))
        self._told[key_id] = state

    def said(self) -> list[tuple[Service, tuple[Any, ...]]]:
        """The calls that say to a fresh process what was said of every key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return [(_PUT, one) for one in list(self._told.items())]

    def count_again(self, key_id: str) -> None:
        """Let a key that was loaded again count on from where it was last known to be.

        Source: ISO 11568
        """
        used = self._counted.get(key_id)
        if used:
            self._ask(_RECALL, (key_id, used))

    def used(self, key_id: str) -> int:
        """See `KeyStates.used`.

        Source: ISO 11568
        """
        found: int = self._ask(_USED, (key_id,))
        found = max(found, self._counted.get(key_id, 0))
        if found:
            self._counted[key_id] = found
        return found

    def recall(self, key_id: str, used: int) -> None:
        """See `KeyStates.recall`.

        Source: ISO 11568
        """
        self._counted[key_id] = max(used, self._counted.get(key_id, 0))
        self._ask(_RECALL, (key_id, used))


class RemotePart:
    """The services of one part of the module, by the names that the part itself has.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    __slots__ = ("_ask", "_part")

    def __init__(self, part: str, ask: Ask) -> None:
        """Ask by `ask` for the services of `part`.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        self._part = part
        self._ask = ask

    def __getattr__(self, name: str) -> Callable[..., Any]:
        service = SERVICES.get(f"{self._part}.{name}")
        if service is None:
            raise AttributeError(name)

        def call(*given: Any, **named: Any) -> Any:
            return self._ask(service, service.ordered(given, named))

        return call
