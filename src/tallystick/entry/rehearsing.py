"""Where acts are rehearsed: a second copy of the writer's state that nothing is written from.

    live:      module, store ---- desks -> turn -> rows, events -> COMMIT -> what follows
    rehearsal: lent module, reader ---- desks of its own -> turn -> told, and thrown away

The copy reads what is committed, over a connection that cannot write. Its turn is never stored, so
that nothing is sent; what follows a commit (sessions that end, keys that change their state, files
that are erased) never runs. It runs between the batches of the writer, on its thread.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3; 7.3.3
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import NoReturn

from tallystick.application.desks import Desks
from tallystick.application.operators.acts.rehearsing import (
    OTHERWISE,
    WITHHELD,
    Rehearsed,
    refused,
)
from tallystick.application.rehearsals import tell
from tallystick.application.turn import Turn
from tallystick.entry.grounds import Ground
from tallystick.entry.joining import join_desks
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.rehearsal import LentModule
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.errors import Broken, Conflict, MfsError, OutOfReach, Unavailable
from tallystick.protocol.operators import Act


@dataclass(frozen=True, slots=True)
class _Stage:
    """The second copy, and what it stands on."""

    desks: Desks
    module: LentModule
    reader: Connection

    def clear(self, turn: Turn) -> None:
        """Leave nothing of `turn`."""
        for action in reversed(turn.undo):
            action()
        self.desks.customers.let_go()
        self.module.end()

    def close(self) -> None:
        """Let go of what it stands on; a module that is away is not waited for."""
        try:
            with suppress(MfsError):
                self.desks.customers.let_go()
                self.module.close()
        finally:
            self.reader.close()


class Rehearsal:
    """Tries acts without any effect; the copy is made when the first one is tried.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
    """

    def __init__(self, on: Ground, live: Desks, reader: Callable[[], Connection]) -> None:
        """Copy `live`, which stands on `on`, over connections that `reader` opens.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._on = on
        self._live = live
        self._reader = reader
        self._stage: _Stage | None = None

    def rehearse(
        self, turn: Turn, name: str, body: bytes, signatures: tuple[str, ...], second: Act | None
    ) -> Rehearsed:
        """What the act `name` over `body` would come to at the moment of `turn`.

        With `second` also whether whoever signed that may second it.
        Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
        """
        try:
            return self._tried(turn, name, body, signatures, second)
        except OutOfReach as held:
            return refused(held)
        except Unavailable as away:
            self.close()
            return refused(away)
        except Broken:
            return refused(Conflict("it does not go together with what is stored"))
        except MfsError as refusal:
            return refused(refusal)
        except Exception:  # noqa: BLE001 - whoever only looks must not stop the writer
            self.close()
            return refused(Unavailable("it could not be tried", remedy="tell who runs the service"))

    def _tried(
        self, turn: Turn, name: str, body: bytes, signatures: tuple[str, ...], second: Act | None
    ) -> Rehearsed:
        stage = self._ready(turn)
        tried = Turn(
            now=turn.now,
            first_event=turn.next_event(),
            provider=turn.provider,
            entropy=_counting(),
        )
        try:
            if second is not None:
                stage.desks.operators.check_second(second, turn.now)
            acted = stage.desks.acts.perform(tried, name, body, signatures)
            stage.desks.book.collect(tried)
            told = tell(tried, stage.reader, self._on.settings.currency)
        finally:
            stage.clear(tried)
        says = WITHHELD if name in OTHERWISE else told.says(acted.says)
        return Rehearsed(says, told.lines)

    def close(self) -> None:
        """Let the copy go; the next rehearsal makes another one.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        stage, self._stage = self._stage, None
        if stage is not None:
            stage.close()

    def _ready(self, turn: Turn) -> _Stage:
        if self._stage is None:
            self._stage = self._made()
        else:
            self._stage.desks.reset(turn.now)
        return self._stage

    def _made(self) -> _Stage:
        module, reader = LentModule(self._on.module), self._reader()
        try:
            on = replace(self._on, module=module, reader=reader, apply_state=_never)
            desks, _, _ = join_desks(on, self._live)
        except BaseException:
            reader.close()
            module.close()
            raise
        module.keep()
        return _Stage(desks, module, reader)


def _never(key_id: str, state: object) -> NoReturn:
    raise Broken("a rehearsal was made durable")


def _counting() -> Callable[[int], bytes]:
    """What takes the place of chance where nothing is kept: other octets at each call."""
    calls = count()

    def drawn(length: int) -> bytes:
        octets = b""
        while len(octets) < length:
            octets += sha256(next(calls).to_bytes(8, "big"))
        return octets[:length]

    return drawn
