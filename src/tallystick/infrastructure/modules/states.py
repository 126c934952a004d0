"""The states of a key: which steps lead from one to another, and which uses each state leaves.

    pre-active -> active <-> suspended -> deactivated -> compromised -> destroyed

Steps and uses are data.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-57-1, 7
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from tallystick.kernel.errors import Conflict, NotPermitted


class KeyState(StrEnum):
    """Where a key is in its life.

    Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-57-1, 7
    """

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


class KeyUse(StrEnum):
    """What a use of a key does: it protects something new, or checks or opens what is there.

    Source: NIST SP 800-57-1, 7
    """

    PROTECT = "protect"
    CHECK = "check"
    OPEN = "open"


_S, _U = KeyState, KeyUse

STEPS: Final[Mapping[KeyState, frozenset[KeyState]]] = MappingProxyType(
    {
        _S.PRE_ACTIVE: frozenset({_S.ACTIVE, _S.COMPROMISED, _S.DESTROYED}),
        _S.ACTIVE: frozenset({_S.SUSPENDED, _S.DEACTIVATED, _S.COMPROMISED}),
        _S.SUSPENDED: frozenset({_S.ACTIVE, _S.DEACTIVATED, _S.COMPROMISED}),
        _S.DEACTIVATED: frozenset({_S.COMPROMISED, _S.DESTROYED}),
        _S.COMPROMISED: frozenset({_S.DESTROYED}),
        _S.DESTROYED: frozenset(),
    }
)
"""The steps that are allowed; only suspension is taken back."""

USES: Final[Mapping[KeyState, frozenset[KeyUse]]] = MappingProxyType(
    {
        _S.PRE_ACTIVE: frozenset(),
        _S.ACTIVE: frozenset(_U),
        _S.SUSPENDED: frozenset(),
        _S.DEACTIVATED: frozenset({_U.CHECK, _U.OPEN}),
        _S.COMPROMISED: frozenset({_U.OPEN}),
        _S.DESTROYED: frozenset(),
    }
)
"""What a key may still do. A thief can make what a compromised key would check."""


def check_step(before: KeyState, after: KeyState) -> None:
    """Return only if a key may go from one state to the other; raises Conflict otherwise.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    if after not in STEPS[before]:
        steps = ", ".join(sorted(STEPS[before])) or "nothing"
        raise Conflict(
            f"a key that is {before} does not become {after}",
            remedy=f"from {before} it becomes {steps}",
            because="key-state",
        )


def check_not_destroyed(state: KeyState) -> None:
    """Return only if a key in `state` may come into a module; raises NotPermitted otherwise.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if state is KeyState.DESTROYED:
        raise NotPermitted(
            "the key was destroyed and does not come back",
            because="key-state",
            remedy="use its successor; remove this copy of its block",
        )


class KeyStates(Protocol):
    """The states of the keys in a module; it refuses what the state of a key does not leave.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    def of(self, key_id: str) -> KeyState:
        """The state of a key; active where nothing else was said.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def put(self, key_id: str, state: KeyState) -> None:
        """Let the key of this id be in `state` from now on, loaded or not.

        Raises Conflict for a step that is not allowed from the state that the module knows.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def used(self, key_id: str) -> int:
        """How often a key was used that has a limit, as far as the module was told.

        Source: ISO 11568
        """
        ...

    def recall(self, key_id: str, used: int) -> None:
        """Go on counting a key that was used so often before, if it is loaded.

        Source: ISO 11568
        """
        ...


class KnownStates:
    """States of keys that are elsewhere: whoever uses one asks first.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_states", "_uses")

    def __init__(self) -> None:
        self._states: dict[str, KeyState] = {}
        self._uses: dict[str, int] = {}

    def of(self, key_id: str) -> KeyState:
        """See `KeyStates.of`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._states.get(key_id, KeyState.ACTIVE)

    def put(self, key_id: str, state: KeyState) -> None:
        """See `KeyStates.put`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        before = self._states.get(key_id)
        if before is not None and before is not state:
            check_step(before, state)
        self._states[key_id] = state

    def used(self, key_id: str) -> int:
        """See `KeyStates.used`.

        Source: ISO 11568
        """
        return self._uses.get(key_id, 0)

    def recall(self, key_id: str, used: int) -> None:
        """See `KeyStates.recall`.

        Source: ISO 11568
        """
        self._uses[key_id] = max(used, self.used(key_id))

    def count(self, key_id: str) -> None:
        """Count one use of a key.

        Source: ISO 11568
        """
        self._uses[key_id] = self.used(key_id) + 1

    def check(self, key_id: str, use: KeyUse, purpose: str) -> None:
        """Return only if the state of a key leaves this use; raises NotPermitted otherwise.

        Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-57-1, 7
        """
        state = self.of(key_id)
        if use not in USES[state]:
            raise NotPermitted(
                f"a {purpose} key that is {state} is not for this",
                because="key-state",
                remedy="use its successor",
            )

    def admit(self, key_id: str) -> None:
        """Return only if the key may come in; NotPermitted for a destroyed one.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        check_not_destroyed(self.of(key_id))
