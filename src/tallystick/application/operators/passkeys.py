"""The passkeys of operators: whose they are, how often they were used, and when one is a copy.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.5; W3C WebAuthn Level 3, 6.1.1
"""

from tallystick.application.operators.model import Passkey
from tallystick.application.operators.store import PASSKEY, passkeys_of
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound
from tallystick.kernel.model import replace

MOST_PASSKEYS = 8
"""How many passkeys an operator may have."""


class Passkeys:
    """Keeps passkeys, for the writer.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(self, reader: Reader, relying: Relying | None, *, capacity: int) -> None:
        """Take assertions made for `relying` only; with None no passkey signs anything.

        Source: W3C WebAuthn Level 3, 7.2
        """
        self._reader = reader
        self._rows = RowCache(PASSKEY, Passkey, reader, capacity=capacity)
        self.relying = relying

    def get(self, credential: str) -> Passkey:
        """The passkey of this id, if it may be used.

        Raises NotAuthentic for an unknown and a suspended one.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        row = self._rows.get(credential)
        if row is None or row.status != "active" or self.relying is None:
            raise NotAuthentic("the passkey is not known here", remedy="ask a security officer")
        return row

    def is_active(self, credential: str) -> bool:
        """Whether the passkey of this id may be used.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        row = self._rows.get(credential)
        return row is not None and row.status == "active"

    def of(self, operator: str) -> list[Passkey]:
        """The passkeys of `operator` that may be used, oldest first.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        rows = passkeys_of(self._reader, operator)
        return [one for one in rows if one.status == "active"]

    def add(self, turn: Turn, passkey: Passkey) -> None:
        """Keep a new passkey.

        Raises Conflict if its id is known, or its operator has enough of them.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        if self._rows.get(passkey.credential) is not None:
            raise Conflict("this passkey is registered already", remedy="sign in with it")
        if len(self.of(passkey.operator)) >= MOST_PASSKEYS:
            raise Conflict(
                f"an operator has {MOST_PASSKEYS} passkeys at most",
                remedy="remove one that you do not use",
            )
        self._rows.put(passkey.credential, passkey, turn.changes)

    def end(self, turn: Turn, operator: str, credential: str, *, other_way: bool) -> Passkey:
        """End a passkey of `operator` for good; `other_way` says that a key in a file remains.

        Raises NotFound for another's, Conflict for one that ended and for the only way to sign.
        Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
        """
        row = self._rows.get(credential)
        if row is None or row.operator != operator:
            raise NotFound("you have no such passkey", remedy="look at the list of your passkeys")
        if row.status != "active":
            raise Conflict("the passkey ended before", remedy="nothing is to be done")
        others = [self._rows.get(one.credential) for one in passkeys_of(self._reader, operator)]
        left = sum(one is not None and one.status == "active" for one in others) > 1
        if not left and not other_way:
            raise Conflict(
                "this is the only key that you sign with",
                remedy="add another passkey first, or let an operator suspend you",
            )
        ended = replace(row, status="removed")
        self._rows.put(credential, ended, turn.changes)
        return ended

    def used(self, turn: Turn, credential: str, counter: int, policy: int) -> bool:
        """Count a use; False, and the passkey is suspended, if its counter did not grow.

        An authenticator that does not count says 0 for ever.
        Source: W3C WebAuthn Level 3, 6.1.1
        """
        row = self.get(credential)
        if (counter or row.counter) and counter <= row.counter:
            self._rows.put(credential, replace(row, status="suspended"), turn.changes)
            turn.record("operator.passkey-copied", policy=policy, public={"operator": row.operator})
            return False
        if counter != row.counter:
            self._rows.put(credential, replace(row, counter=counter), turn.changes)
        return True

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()


def is_copied() -> NotAuthentic:
    """The refusal of a passkey whose counter did not grow.

    Source: W3C WebAuthn Level 3, 6.1.1
    """
    return NotAuthentic(
        "the passkey is suspended: its counter says that there is a copy",
        remedy="ask a security officer for a new invitation",
    )
