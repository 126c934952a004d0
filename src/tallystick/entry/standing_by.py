"""Wait beside a writer until it has ended, or does not live any more, to take its place.

A writer that ended in good order has said so: its place is taken at once. One that was killed has
lost its lock; a few seconds are given to it, since it may only be connecting again. One that is
stopped keeps its lock but does not beat: after ten seconds its connection is ended. Nobody's clock
is compared with another's. On a file only the lock counts, which a stopped process keeps.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Callable

from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.opening import (
    Place,
    build_missing,
    is_being_written,
    open_reader,
)
from tallystick.infrastructure.store.postgres.lease import beat_of, is_held
from tallystick.kernel.errors import Broken, Unavailable

LOOK_S = 0.25
FREE_LOOKS = 12
"""How often in a row the place must be free, if its writer did not say that it ended."""

STILL_LOOKS = 40
"""How often in a row the beat must stand still before the place is taken by force."""


class Candidate:
    """Looks now and then whether the writer's place at `place` may be taken.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._beat = -1
        self._free = self._still = 0

    def look(self) -> bool | None:
        """Whether to take the place: None for not yet, True by force.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if not isinstance(self._place, Address):
            return None if is_being_written(self._place) else False
        try:
            held, beat = self._seen(self._place)
        except Unavailable:
            self._free = self._still = 0
            return None
        self._free = 0 if held else self._free + 1
        self._still = self._still + 1 if held and beat == self._beat else 0
        self._beat = beat
        if not held and (beat == 0 or self._free >= FREE_LOOKS):
            return False
        return True if self._still >= STILL_LOOKS else None

    def _seen(self, address: Address) -> tuple[bool, int]:
        with open_reader(address) as reader:
            there = any(shape.table == "writer_beat" for shape in reader.shapes())
            return is_held(reader), beat_of(reader) if there else 0


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
