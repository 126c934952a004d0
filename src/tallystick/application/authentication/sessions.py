"""Live sessions: in memory only, their keys wrapped under a key that never leaves it.

The wrapping key is replaced daily; a session that was wrapped under the key before the last is
gone. Fronts ask for keys, the writer admits requests: alive, in its window, not seen before.

Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tallystick.application.authentication.model import Dialled, Session
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope import window
from tallystick.infrastructure.envelope.schedule import SessionKeys, kid_of
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.sealing import open_field, seal_field
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted, Unauthenticated
from tallystick.kernel.time import DAY_MS, Instant

_AAD = b"session keys"
_REPLAY_GUARD_MS = 10 * 60_000
"""How long the id of an ended session stays known; longer than a handshake's cookie lives."""


class Sessions:
    """Opens, admits and ends sessions.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, module: CryptoModule, *, hot_keys: int = 8192) -> None:
        """Keep up to `hot_keys` sessions' keys unwrapped for use.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        self._module = module
        self._sessions: dict[str, Session] = {}
        self._ended: dict[str, int] = {}
        self._hot: dict[str, SessionKeys] = {}
        self._hot_keys = hot_keys
        self._wraps: dict[int, KeyHandle] = {}
        self._of: dict[str, set[str]] = {}
        self._on_forget: Callable[[str], None] | None = None
        self.dialled: dict[str, Dialled] = {}

    def on_forget(self, action: Callable[[str], None]) -> None:
        """Call `action` with each session that ends, so that other processes forget its keys too.

        Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
        """
        self._on_forget = action

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, turn: Turn, session: Session, keys: SessionKeys) -> None:
        """Keep a new session, its keys wrapped.

        Raises Conflict for an id that was used before (a replayed handshake).
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if session.id in self._sessions or session.id in self._ended:
            raise Conflict("this handshake was completed before", remedy="begin a new one")
        day = turn.now // DAY_MS
        session.wrap_day = day
        session.wrapped = self._sealed(day, keys)
        self._sessions[session.id] = session
        self._of.setdefault(session.customer, set()).add(session.id)
        turn.on_undo(lambda: self._forget(session.id))

    def _sealed(self, day: int, keys: SessionKeys) -> bytes:
        octets = keys.octets().reveal()
        try:
            return seal_field(self._module, self._wrap(day), octets, _AAD)
        except NotFound:  # the module began anew, and its keys of memory are gone
            del self._wraps[day]
            return seal_field(self._module, self._wrap(day), octets, _AAD)

    def keys(self, session: str, now: Instant) -> SessionKeys:
        """The keys of a live session.

        Raises Unauthenticated for an unknown, ended or expired one.
        Source: ISO/TS 12812-2:2017, 3.22
        """
        hot = self._hot.get(session)
        if hot is not None:
            return hot
        keys = self.unwrapped(self.look(session, now))
        if len(self._hot) >= self._hot_keys:
            for old in list(self._hot)[: self._hot_keys // 8]:
                del self._hot[old]
        self._hot[session] = keys
        return keys

    def unwrapped(self, live: Session) -> SessionKeys:
        """The keys of `live`, unwrapped for this once.

        Raises Unauthenticated once the key that wrapped them is gone.
        Source: ISO/TS 12812-2:2017, 3.22
        """
        handle = self._wraps.get(live.wrap_day)
        if handle is None:
            raise _gone()
        try:
            octets = open_field(self._module, (handle,), live.wrapped, _AAD)
        except NotFound as error:
            raise _gone() from error
        return SessionKeys(kid_of(live.id), octets)

    def look(self, session: str, now: Instant) -> Session:
        """The live session, without counting as a use of it.

        Raises Unauthenticated.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live = self._sessions.get(session)
        if live is None:
            raise _gone()
        if now > live.expires_at or now - live.last_seen > live.idle_ms:
            raise Unauthenticated(
                "the session has expired", remedy="establish a new session", because="session times"
            )
        return live

    def admit(self, turn: Turn, session: str, sequence: int) -> Session:
        """The live session, with request number `sequence` used up and its idle time begun anew.

        Raises Unauthenticated, or Replayed for a number that was used.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.2.7
        """
        live = self.look(session, turn.now)
        high, bits, seen = live.window_high, live.window_bits, live.last_seen
        live.window_high, live.window_bits = window.mark(high, bits, sequence)
        live.last_seen = turn.now

        def undo() -> None:
            live.window_high, live.window_bits, live.last_seen = high, bits, seen

        turn.on_undo(undo)
        return live

    def touch(self, session: str, sequence: int, now: Instant) -> Session:
        """Admit a request that changes nothing else.

        Raises Unauthenticated, or Replayed for a number that was used.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.2.7
        """
        live = self.look(session, now)
        live.window_high, live.window_bits = window.mark(
            live.window_high, live.window_bits, sequence
        )
        live.last_seen = now
        return live

    def end(self, session: str, now: Instant) -> None:
        """End a session now; its keys are forgotten, its id is not used again.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._forget(session)
        self._ended[session] = now + _REPLAY_GUARD_MS

    def was_ended(self, session: str) -> bool:
        """Whether `session` was ended before its time, some minutes ago at most.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return session in self._ended

    def end_device(self, device: str, now: Instant) -> None:
        """End all sessions of a device.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        found = [live.id for live in self._sessions.values() if live.device == device]
        for session in found:
            self.end(session, now)

    def of(self, customer: str, now: Instant) -> list[Session | Dialled]:
        """The live sessions of `customer` over all channels, oldest first.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        found: list[Session | Dialled] = [
            self._sessions[one] for one in self._of.get(customer, ()) if one in self._sessions
        ]
        found += [one for one in self.dialled.values() if one.customer == customer]
        alive = [one for one in found if not _is_over(one, now)]
        return sorted(alive, key=lambda one: (one.established_at, one.id))

    def end_customer(self, customer: str, now: Instant, *, but: str = "") -> None:
        """End all sessions of `customer` but the one called `but`.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        for session in [one.id for one in self.of(customer, now) if one.id != but]:
            self.end(session, now)

    def make_room(self, turn: Turn, customer: str, at_most: int, *, replace: bool) -> None:
        """See to it that `customer` may open one more session where `at_most` may live (0: any).

        The oldest end with this commit if the newest is to `replace` them; raises NotPermitted
        otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        live = self.of(customer, turn.now)
        surplus = len(live) + 1 - at_most if at_most else 0
        if surplus <= 0:
            return
        if not replace:
            raise NotPermitted(
                "there are as many sessions as may be",
                because=f"at most {at_most} at once",
                remedy="end another one first",
            )
        for one in live[:surplus]:
            turn.on_durable(partial(self.end, one.id, turn.now))

    def strengthen(self, turn: Turn, live: Session, category: str) -> None:
        """Let one more factor stand behind `live`, given now.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        before = live.factors, live.factor_at
        live.factors = tuple(sorted({*live.factors, category}))
        live.factor_at = turn.now

        def undo() -> None:
            live.factors, live.factor_at = before

        turn.on_undo(undo)

    def dial(self, dialled: Dialled) -> None:
        """Keep a menu session of somebody who dials; an older one of its name is replaced.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.2.3
        """
        self.dialled[dialled.id] = dialled

    def sweep(self, now: Instant) -> int:
        """Forget what has expired, and the wrapping keys that nothing is wrapped under any more.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        for session in [id_ for id_, until in self._ended.items() if until < now]:
            del self._ended[session]
        expired = [
            live.id
            for live in self._sessions.values()
            if now > live.expires_at or now - live.last_seen > live.idle_ms
        ]
        for session in expired:
            self.end(session, now)
        for dialled in [one for one, at in self.dialled.items() if _is_over(at, now)]:
            del self.dialled[dialled]
        for day in [day for day in self._wraps if day < now // DAY_MS - 1]:
            with suppress(NotFound):  # the module began anew since
                self._module.destroy(self._wraps.pop(day))
        return len(expired)

    def _wrap(self, day: int) -> KeyHandle:
        handle = self._wraps.get(day)
        if handle is None:
            handle = self._wraps[day] = self._module.generate(Purpose.SESSION_WRAP)
        return handle

    def _forget(self, session: str) -> None:
        self.dialled.pop(session, None)
        gone = self._sessions.pop(session, None)
        if gone is not None:
            own = self._of.get(gone.customer, set())
            own.discard(session)
            if not own:
                self._of.pop(gone.customer, None)
        self._hot.pop(session, None)
        if self._on_forget is not None:
            self._on_forget(session)


def _is_over(one: Session | Dialled, now: Instant) -> bool:
    return now > one.expires_at or now - one.last_seen > one.idle_ms


def _gone() -> Unauthenticated:
    return Unauthenticated("there is no such session", remedy="establish a new session")
