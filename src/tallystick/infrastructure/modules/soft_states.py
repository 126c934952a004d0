"""The states of keys in the software module, held against its tables.

A key that may not be used stands in no table of the module, so that a key in its time costs no
decision, and one that is not is found by nobody.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-57-1, 7
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn, cast

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.modules.card_interface import CardOperation
from tallystick.infrastructure.modules.interface import (
    AES_256_CCM,
    AES_256_GCM,
    HKDF_CCM,
    HKDF_SHA256,
    TDEA_2KEY,
    TDEA_3KEY,
    KeyHandle,
)
from tallystick.infrastructure.modules.states import (
    USES,
    KeyState,
    KeyUse,
    check_not_destroyed,
    check_step,
)
from tallystick.infrastructure.modules.tables import KeyTables, Mac
from tallystick.kernel.errors import NotPermitted

_U = KeyUse
_O = CardOperation

CARD_READING: Final[Mapping[CardOperation, KeyUse]] = MappingProxyType(
    {
        _O.UNWRAP_KEY: _U.OPEN,
        _O.OPEN_PIN: _U.OPEN,
        _O.DETOKENISE: _U.OPEN,
        _O.DECRYPT_DATA: _U.OPEN,
        _O.VERIFY_PIN_VALUE: _U.CHECK,
        _O.VERIFY_CARD_VALUE: _U.CHECK,
        _O.VERIFY_MAC: _U.CHECK,
    }
)
"""Operations on cards that make nothing new; every other one protects."""

MOST_USES: Final[Mapping[str, int]] = MappingProxyType(
    {
        AES_256_GCM: 1 << 32,
        AES_256_CCM: 1 << 32,
        HKDF_SHA256: 1 << 32,
        HKDF_CCM: 1 << 32,
        TDEA_2KEY: 1 << 20,
        TDEA_3KEY: 1 << 20,
    }
)
"""How often a key of a mechanism is used at most: messages with random nonces, operations."""


_NO_LIMIT: Final = 1 << 63


class SoftStates:
    """The states of the keys in one module, held against its tables.

    A state is kept for a key that is not loaded as well: its block comes in later in that state,
    and not at all once it is destroyed.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = ("_states", "_tables")

    def __init__(self, tables: KeyTables) -> None:
        """Watch over `tables`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._tables = tables
        self._states: dict[str, KeyState] = {}

    def of(self, key_id: str) -> KeyState:
        """The state of a key; active where nothing else was said.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._states.get(key_id, KeyState.ACTIVE)

    def put(self, key_id: str, state: KeyState) -> None:
        """Let the key of this id be in `state` from now on; its uses follow at once.

        Raises Conflict for a step that is not allowed from the state that the module knows.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        before = self._states.get(key_id)
        if before is not None and before is not state:
            check_step(before, state)
        self._states[key_id] = state
        self.settle(key_id)

    def settle(self, key_id: str) -> None:
        """Put a key that is loaded where its state says: in its tables, aside, or nowhere.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        state, tables = self.of(key_id), self._tables
        if key_id not in tables.handles:
            return
        if state is KeyState.DESTROYED:
            tables.drop(key_id)
            return
        if state is KeyState.ACTIVE:
            tables.put_back(key_id, tables.parked.pop(key_id, {}))
            return
        parked = tables.parked.setdefault(key_id, {})
        parked.update(tables.take_out(key_id, opens=KeyUse.OPEN in USES[state]))
        card = tables.cards.get(key_id)
        if card is not None:
            card.narrow(
                one for one in card.operations if CARD_READING.get(one, _U.PROTECT) in USES[state]
            )

    def admit(self, key_id: str) -> None:
        """Return only if the block of this key may come in; NotPermitted for a destroyed one.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        check_not_destroyed(self.of(key_id))

    def opener(self, key_id: str) -> AeadKey | None:
        """What opens for a key that seals no more; None if it opens nothing either.

        Source: NIST SP 800-57-1, 7
        """
        found = self._tables.parked.get(key_id, {}).get("ciphers")
        allowed = KeyUse.OPEN in USES[self.of(key_id)]
        return found if allowed and isinstance(found, AeadKey) else None

    def checker(self, key_id: str) -> Mac | None:
        """What checks MACs for a key that makes no more; None if it checks none either.

        Source: NIST SP 800-57-1, 7
        """
        found = self._tables.parked.get(key_id, {}).get("prepared")
        allowed = KeyUse.CHECK in USES[self.of(key_id)]
        return cast("Mac", found) if allowed and callable(found) else None

    def count(self, key_id: str) -> None:
        """Count one use of a key; raises NotPermitted once it was used as often as it may be.

        Source: NIST SP 800-38D, 8.3; ISO 11568
        """
        tables = self._tables
        used = tables.uses.get(key_id, 0) + 1
        if used > tables.limits.get(key_id, 0):
            self._check_limit(key_id, used)
        tables.uses[key_id] = used

    def used(self, key_id: str) -> int:
        """How often a key was used that has a limit, as far as the module was told.

        Source: ISO 11568
        """
        return self._tables.uses.get(key_id, 0)

    def recall(self, key_id: str, used: int) -> None:
        """Go on counting a key that was used so often before, if it is loaded.

        Source: ISO 11568
        """
        if key_id in self._tables.handles:
            self._tables.uses[key_id] = max(used, self.used(key_id))

    def _check_limit(self, key_id: str, used: int) -> None:
        known = self._tables.handles[key_id]
        most = MOST_USES.get(known.mechanism, _NO_LIMIT)
        if used > most:
            raise NotPermitted(
                f"this {known.purpose.value} key was used as often as it may be",
                because="key-limit",
                remedy="let a successor take its place",
            )
        self._tables.limits[key_id] = most

    def refuse(self, known: KeyHandle, operation: str) -> NoReturn:
        """Say why a key is not for `operation`: its state, or its purpose.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        state = self.of(known.id)
        if state is not KeyState.ACTIVE:
            raise NotPermitted(
                f"a {known.purpose.value} key that is {state} is not for {operation}",
                because="key-state",
                remedy="use its successor",
            )
        raise NotPermitted(f"a {known.purpose.value} key is not for {operation}")
