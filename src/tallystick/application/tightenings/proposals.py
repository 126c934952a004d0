"""Tightenings beyond their caps, which wait for two officers: one row each, and until when.

A proposal changes nothing. It ends when two officers signed it, when its time is over, when its
signal is well again, or with the version of the policy that it is about.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Callable, Iterable
from typing import Final

from tallystick.application.tightenings.store import PROPOSAL, Waiting, every_proposal
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.caps import counts_of
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.measures import TighteningProposal

LIFE_MS: Final = 7 * DAY_MS
"""How long a proposal waits for officers."""

PROPOSED: Final = "policy.tightening-proposed"
ENDED: Final = "policy.proposal-ended"
APPROVED: Final = "approved"
EXPIRED: Final = "expired"
WELL: Final = "well again"
SUPERSEDED: Final = "superseded"
"""How a proposal ended."""


class Proposals:
    """The proposals that wait; changed by commands only. `tell` hears of each change, once durable.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: tuple[Waiting, ...] = ()
        self.tell: Callable[[Waiting], None] | None = None

    def load(self) -> None:
        """Take those from the store that wait.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self._waiting = tuple(one for one in every_proposal(self._reader) if not one.ended)

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Those that wait, oldest first.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._waiting

    def of(self, version: int, entry: str, now: int) -> Waiting | None:
        """The one that waits at `now` for `entry` of policy `version`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        for one in self._waiting:
            found = one.proposal()
            if (found.version, found.entry) == (version, entry) and now < one.until:
                return one
        return None

    def propose(self, turn: Turn, proposal: TighteningProposal) -> int:
        """Let `proposal` wait for officers; gives the event.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        index = turn.record(
            PROPOSED,
            policy=proposal.version,
            public={
                "proposal": proposal.id,
                "entry": proposal.entry,
                "cohort": proposal.cohort,
                "version": proposal.version,
                "until": proposal.until,
                "beyond": proposal.beyond,
                "evidence": proposal.evidence,
                **counts_of(proposal.touched),
            },
        )
        row = Waiting(
            id=proposal.id,
            until=proposal.until,
            ended="",
            body=encode_canonical(proposal).decode(),
            event=index,
            end_event=-1,
        )
        self._put(turn, row, (*self._waiting, row))
        return index

    def find(self, name: str) -> Waiting:
        """The one with this id that waits.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        for one in self._waiting:
            if one.id == name:
                return one
        raise NotFound("no such proposal waits", remedy="tallystick policy tightening show")

    def lapse(self, turn: Turn, name: str, seen: Seen | None) -> int:
        """End a proposal whose time is over, or whose signal is `seen` to be well; gives the event.

        Raises NotFound, Conflict while it has to wait.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        one = self.find(name)
        if turn.now >= one.until:
            return self.end(turn, one, EXPIRED)
        if seen is None or seen.failing:
            raise Conflict(
                "the proposal waits for officers",
                remedy="sign the proposal that waits, or let it lapse",
            )
        return self.end(turn, one, WELL)

    def end(self, turn: Turn, one: Waiting, how: str) -> int:
        """End `one`; gives the event.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        proposal = one.proposal()
        index = turn.record(
            ENDED,
            policy=proposal.version,
            public={
                "proposal": one.id,
                "entry": proposal.entry,
                "version": proposal.version,
                "ended": how,
            },
        )
        rest = tuple(other for other in self._waiting if other.id != one.id)
        self._put(turn, replace(one, ended=how, end_event=index), rest)
        return index

    def _put(self, turn: Turn, row: Waiting, waiting: Iterable[Waiting]) -> None:
        before, self._waiting = self._waiting, tuple(waiting)
        turn.changes.upsert(PROPOSAL, row.id, row_of(row))

        def undo() -> None:
            self._waiting = before

        def tell() -> None:
            if self.tell is not None:
                self.tell(row)

        turn.on_undo(undo)
        turn.on_durable(tell)
