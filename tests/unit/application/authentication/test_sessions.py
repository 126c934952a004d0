"""Live sessions: idle and absolute end, one use of each number, keys wrapped under a daily key."""

import pytest

from tallystick.application.authentication import Sessions
from tallystick.application.authentication.model import Session
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.schedule import KEYS_OCTETS, SessionKeys, kid_of
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Conflict, Replayed, Unauthenticated
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant, SimulatedClock

NOW = Instant(1_767_225_600_000)
IDLE_MS, ABSOLUTE_MS = 5 * MINUTE_MS, 12 * HOUR_MS
SESSION = random_id("ses", b"one".rjust(16))
OTHER = random_id("ses", b"other".rjust(16))
DEVICE = random_id("dev", bytes(16))


def turn_at(now: int) -> Turn:
    return Turn(now=Instant(now), first_event=0, provider="p", entropy=bytes)


@pytest.fixture
def module() -> SoftModule:
    return SoftModule(BlockRoots.derive(bytes(32), []), SimulatedClock(NOW))


@pytest.fixture
def sessions(module: SoftModule) -> Sessions:
    return Sessions(module)


def opened(sessions: Sessions, identifier: str = SESSION, at: int = NOW) -> Turn:
    turn = turn_at(at)
    session = Session(
        id=identifier,
        device=DEVICE,
        customer=random_id("cus", bytes(16)),
        account=random_id("acc", bytes(16)),
        channel="app",
        established_at=at,
        expires_at=at + ABSOLUTE_MS,
        idle_ms=IDLE_MS,
        last_seen=at,
        wrapped=b"",
        wrap_day=0,
        window_high=0,
        window_bits=0,
    )
    sessions.open(turn, session, SessionKeys(kid_of(identifier), bytes(range(KEYS_OCTETS))))
    return turn


@pytest.mark.requirement("MFS-7.3.2-03")
def test_an_idle_session_is_refused(sessions: Sessions) -> None:
    opened(sessions)
    sessions.admit(turn_at(NOW + IDLE_MS), SESSION, 1)
    sessions.admit(turn_at(NOW + 2 * IDLE_MS), SESSION, 2)
    with pytest.raises(Unauthenticated, match="expired"):
        sessions.admit(turn_at(NOW + 3 * IDLE_MS + 1), SESSION, 3)
    with pytest.raises(Unauthenticated, match="expired"):
        sessions.touch(SESSION, 3, Instant(NOW + 3 * IDLE_MS + 1))


@pytest.mark.requirement("MFS-7.3.2-03")
def test_a_session_that_is_used_all_the_time_ends_too(sessions: Sessions) -> None:
    opened(sessions)
    sequence = 0
    for at in range(NOW, NOW + ABSOLUTE_MS + 1, IDLE_MS):
        sequence += 1
        sessions.admit(turn_at(at), SESSION, sequence)
    with pytest.raises(Unauthenticated, match="expired"):
        sessions.admit(turn_at(NOW + ABSOLUTE_MS + 1), SESSION, sequence + 1)


def test_a_number_is_used_once_and_given_back_with_its_batch(sessions: Sessions) -> None:
    opened(sessions)
    turn = turn_at(NOW + 1)
    sessions.admit(turn, SESSION, 7)
    with pytest.raises(Replayed):
        sessions.admit(turn, SESSION, 7)
    for undo in reversed(turn.undo):
        undo()
    sessions.admit(turn_at(NOW + 2), SESSION, 7)


def test_an_opening_that_was_not_durable_leaves_nothing(sessions: Sessions) -> None:
    turn = opened(sessions)
    for undo in reversed(turn.undo):
        undo()
    with pytest.raises(Unauthenticated):
        sessions.look(SESSION, NOW)
    opened(sessions)


def test_a_handshake_is_completed_once(sessions: Sessions) -> None:
    opened(sessions)
    with pytest.raises(Conflict):
        opened(sessions)
    sessions.end(SESSION, NOW)
    with pytest.raises(Conflict):
        opened(sessions)


@pytest.mark.requirement("MFS-7.3.2-06")
def test_the_keys_are_those_that_were_wrapped_and_end_with_the_session(sessions: Sessions) -> None:
    opened(sessions)
    told: list[str] = []
    sessions.on_forget(told.append)
    assert sessions.keys(SESSION, NOW).octets().reveal() == bytes(range(KEYS_OCTETS))
    live = sessions.look(SESSION, NOW)
    assert bytes(range(KEYS_OCTETS)) not in live.wrapped
    sessions.end_device(DEVICE, NOW)
    assert told == [SESSION]
    with pytest.raises(Unauthenticated):
        sessions.keys(SESSION, NOW)


@pytest.mark.requirement("MFS-7.4.2-07")
def test_the_wrapping_key_is_replaced_daily_and_destroyed(
    sessions: Sessions, module: SoftModule
) -> None:
    opened(sessions)
    (first,) = module.handles()
    opened(sessions, OTHER, NOW + DAY_MS)
    assert len(module.handles()) == 2
    assert sessions.sweep(Instant(NOW + DAY_MS)) == 1, "the first has expired"
    assert first in module.handles(), "a session of yesterday may still live"
    sessions.sweep(Instant(NOW + 2 * DAY_MS))
    assert first not in module.handles()
    assert len(sessions) == 0


def test_what_is_wrapped_under_a_destroyed_key_is_gone(
    sessions: Sessions, module: SoftModule
) -> None:
    opened(sessions)
    live = sessions.look(SESSION, NOW)
    live.expires_at = NOW + 9 * DAY_MS
    live.idle_ms = 9 * DAY_MS
    sessions.sweep(Instant(NOW + 2 * DAY_MS))
    assert module.handles() == ()
    with pytest.raises(Unauthenticated, match="no such session"):
        sessions.keys(SESSION, Instant(NOW + 2 * DAY_MS))


def test_a_sweep_forgets_what_has_expired_and_in_time_its_id(sessions: Sessions) -> None:
    opened(sessions)
    assert sessions.sweep(Instant(NOW + IDLE_MS)) == 0
    assert sessions.sweep(Instant(NOW + IDLE_MS + 1)) == 1
    with pytest.raises(Conflict):
        opened(sessions)
    sessions.sweep(Instant(NOW + HOUR_MS))
    opened(sessions)


@pytest.mark.requirement("MFS-7.3.2-03")
def test_a_module_that_began_anew_ends_the_sessions_of_before_and_opens_new_ones(
    sessions: Sessions, module: SoftModule
) -> None:
    opened(sessions)
    (lost,) = module.handles()
    module.destroy(lost)
    with pytest.raises(Unauthenticated, match="no such session"):
        sessions.keys(SESSION, NOW)
    opened(sessions, OTHER)
    assert sessions.keys(OTHER, NOW).octets().reveal() == bytes(range(KEYS_OCTETS))
    (fresh,) = module.handles()
    assert fresh != lost
    module.destroy(fresh)
    assert sessions.sweep(Instant(NOW + 2 * DAY_MS)) == 2, "a key that is gone stops no sweep"
