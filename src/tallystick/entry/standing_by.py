"""Wait beside a writer until it has ended, or does not live any more, to take its place.

A writer that ended in good order has said so: its place is taken at once. One that was killed has
lost its lock; a few seconds are given to it, since it may only be connecting again. One that is
stopped keeps its lock but does not beat: after ten seconds its connection is ended. Nobody's clock
is compared with another's. On a file only the lock counts, which a stopped process keeps.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Callable
from time import monotonic

from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.database import has_table
from tallystick.infrastructure.store.opening import (
    Place,
    build_missing,
    is_being_written,
    open_reader,
)
from tallystick.infrastructure.store.postgres.lease import beat_of, is_held
from tallystick.kernel.errors import Broken, Unavailable

LOOK_S = 0.25
FREE_S = 3.0
"""For how long the place must be free, if its writer did not say that it ended."""

STILL_S = 10.0
"""For how long the beat must stand still before the place is taken by force."""


class Candidate:
    """Looks now and then whether the writer's place at `place` may be taken.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, place: Place, now: Callable[[], float] = monotonic) -> None:
        """Look at `place`; `now` counts seconds, since a look may take some.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._place = place
        self._now = now
        self._beat = -1
        self._free_since: float | None = None
        self._still_since: float | None = None

    def look(self) -> bool | None:
        """Whether to take the place: None for not yet, True by force.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if not isinstance(self._place, Address):
            return None if is_being_written(self._place) else False
        try:
            held, beat = self._seen(self._place)
        except Unavailable:
            self._free_since = self._still_since = None
            return None
        now = self._now()
        still = held and beat == self._beat
        self._free_since = None if held else _or_else(self._free_since, now)
        self._still_since = _or_else(self._still_since, now) if still else None
        self._beat = beat
        if self._free_since is not None and (beat == 0 or now - self._free_since >= FREE_S):
            return False
        return (
            True if self._still_since is not None and now - self._still_since >= STILL_S else None
        )

    def _seen(self, address: Address) -> tuple[bool, int]:
        with open_reader(address) as reader:
            there = has_table(reader, "writer_beat")
            return is_held(reader), beat_of(reader) if there else 0


def _or_else(since: float | None, now: float) -> float:
    return now if since is None else since


def prepare(place: Place, tell: Callable[[str], None]) -> None:
    """Build what this version's steps index on a server, while the version before still writes.

    Where that fails the step itself builds it, once the place is taken.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        built = build_missing(place, MIGRATIONS)
    except (Unavailable, Broken) as error:
        tell(f"indexes are left for later: {error.detail}")
        return
    if built:
        tell(f"built beside the writer: {', '.join(built)}")


def stand_by(place: Place, pause: Callable[[float], None], tell: Callable[[str], None]) -> bool:
    """Wait until the writer's place at `place` can be taken; gives whether by force.

    `pause` waits some seconds and may raise to give up; `tell` hears once that there is a wait.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    candidate = Candidate(place)
    told = False
    while (taken := candidate.look()) is None:
        if not told:
            tell("another process is the writer: waiting to take its place")
            told = True
        pause(LOOK_S)
    return taken
