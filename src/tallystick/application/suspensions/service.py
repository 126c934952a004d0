"""Which services are suspended now, as the writer knows it.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
"""

from collections.abc import Callable

from tallystick.application.suspensions.model import ALL, Suspension
from tallystick.application.suspensions.store import SUSPENSION, in_force
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import Conflict, NotFound, ServiceSuspended
from tallystick.kernel.model import replace, row_of
from tallystick.process.policy.facts import Channel


class SuspendedServices:
    """Suspends and resumes payments of a kind or through a channel; exact from the next command.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, reader: Reader) -> None:
        """Know nothing before `load`; `tell` hears of every beginning and end once it is durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._reader = reader
        self._current: tuple[Suspension, ...] = ()
        self.tell: Callable[[Suspension], None] = _nobody

    def load(self) -> None:
        """Read what is in force.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._current = tuple(in_force(self._reader))

    @property
    def current(self) -> tuple[Suspension, ...]:
        """What is in force, oldest first.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self._current

    def check(self, kind: str, channel: str) -> None:
        """Pass unless payments of `kind` through `channel` are suspended; operators' never are.

        Raises ServiceSuspended, with the reason.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.6
        """
        if channel == Channel.OPERATOR.value:
            return
        for one in self._current:
            if one.covers(kind, channel):
                raise _refusal(one)

    def check_channel(self, channel: Channel) -> None:
        """Pass unless `channel` as such is suspended.

        Raises ServiceSuspended, with the reason.
        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.6
        """
        for one in self._current:
            if (one.kind, one.channel) == (ALL, channel.value):
                raise _refusal(one)

    def is_closed(self, channel: Channel) -> bool:
        """Whether `channel` as such is suspended.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return any((one.kind, one.channel) == (ALL, channel.value) for one in self._current)

    def suspend(self, turn: Turn, kind: str, channel: str, because: str, by: str) -> Suspension:
        """Suspend payments of `kind` through `channel`.

        Raises Conflict for what is suspended already.
        Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
        """
        if any((one.kind, one.channel) == (kind, channel) for one in self._current):
            raise Conflict(
                "this service is suspended already",
                remedy="nothing is to be done; two operators resume it",
            )
        begun = Suspension(
            id=turn.new_id("ssp"),
            kind=kind,
            channel=channel,
            because=because,
            since=turn.now,
            begun_by=by,
            ended_at=0,
            ended_by="",
        )
        self._put(turn, begun, (*self._current, begun))
        return begun

    def resume(self, turn: Turn, kind: str, channel: str, by: str) -> Suspension:
        """End the suspension of payments of `kind` through `channel`.

        Raises NotFound for what is not suspended.
        Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
        """
        for one in self._current:
            if (one.kind, one.channel) == (kind, channel):
                ended = replace(one, ended_at=turn.now, ended_by=by)
                self._put(turn, ended, tuple(row for row in self._current if row is not one))
                return ended
        raise NotFound("this service is not suspended", remedy="look at what is suspended")

    def _put(self, turn: Turn, row: Suspension, current: tuple[Suspension, ...]) -> None:
        before = self._current

        def undo() -> None:
            self._current = before

        turn.on_undo(undo)
        turn.on_durable(lambda: self.tell(row))
        turn.changes.upsert(SUSPENSION, row.id, row_of(row))
        self._current = current


def _refusal(one: Suspension) -> ServiceSuspended:
    return ServiceSuspended(
        "this service is suspended for now",
        because=one.because,
        remedy="nothing was done; try again later",
    )


def _nobody(_: Suspension) -> None:
    """Tell nobody."""
