"""One key of the provider as the record has it.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.infrastructure.modules.soft_states import MOST_USES
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS

EARLY_MS = 90 * DAY_MS
"""How long before its end a key is told of, if its life is not shorter itself."""


class KeyRow(Record, frozen=True, kw_only=True):
    """A key: whose, what for, by which mechanism, its life (ms), its state and since when.

    `owner` holds it, `parent` is the id of what wraps it or vouches for it (`master` for the
    master key), `ends_at` is 0 where the life of what it protects decides. `uses` counts what has
    a limit. `event` is the index of the last step in the tally.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    id: str
    purpose: str
    mechanism: str
    owner: str
    parent: str
    created_at: int
    ends_at: int
    state: str
    since: int
    because: str
    uses: int
    event: int

    def most_uses(self) -> int:
        """How often it may be used; 0 where nothing limits that.

        Source: ISO 11568; NIST SP 800-38D, 8.3
        """
        return MOST_USES.get(self.mechanism, 0)

    def ends_soon(self, now: int, ahead_ms: int = EARLY_MS) -> bool:
        """Whether an active key ends within `ahead_ms`, or within a quarter of a shorter life.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if not self.ends_at or self.state != KeyState.ACTIVE:
            return False
        return self.ends_at - now < min(ahead_ms, (self.ends_at - self.created_at) // 4)


def ending_keys(rows: Iterable[KeyRow], now: int, ahead_ms: int = EARLY_MS) -> list[KeyRow]:
    """The newest active key of each purpose and owner where it ends soon, not those of a day.

    Keys that live a day are replaced by the service itself. Keys of the payment cryptography door
    have an owner each, since none takes the place of another.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    newest: dict[tuple[str, str], KeyRow] = {}
    for row in rows:
        place = row.purpose, row.owner
        best = newest.get(place)
        if row.state == KeyState.ACTIVE and (best is None or best.created_at < row.created_at):
            newest[place] = row
    return [
        row
        for _, row in sorted(newest.items())
        if row.ends_at - row.created_at > DAY_MS and row.ends_soon(now, ahead_ms)
    ]


class SeenKey(Record, frozen=True, kw_only=True):
    """A key that was found: in the key store (`kept`), or known by its public half elsewhere.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    purpose: str
    mechanism: str
    owner: str
    parent: str
    created_at: int
    ends_at: int
    kept: bool
    uses: int = 0


class HeldCeremony(Record, frozen=True, kw_only=True):
    """A ceremony whose transcript verifies: its script, when it was held (ms), by how many people.

    `digest` is the SHA-256 of the transcript, base64url.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1
    """

    id: str
    script: str
    profile: str
    digest: str
    people: int
    held_at: int


class CeremonyRow(Record, frozen=True, kw_only=True):
    """A ceremony that is in the record, and the index of its event.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    digest: str
    event: int


@dataclass(frozen=True, slots=True)
class SeenKeys:
    """Every key that is there now, and every ceremony held; from this process only.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    keys: tuple[SeenKey, ...]
    ceremonies: tuple[HeldCeremony, ...] = ()
