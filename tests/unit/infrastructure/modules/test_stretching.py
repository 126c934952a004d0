"""PINs are stretched apart: the same result, by processes that stand back, and never for ever."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.infrastructure.modules import stretching
from tallystick.infrastructure.modules.stretching import LEFTOVER, SHARE, StretchingApart
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.wallet import PinCost, stretched
from tallystick.kernel.errors import Malformed, Unavailable

CHEAP, DEAR = PinCost(memory_kib=64, passes=1), PinCost(memory_kib=65_536, passes=4)
SALT = bytes(range(16))
PIN = "739105"


@pytest.fixture
def apart():
    made = StretchingApart(os.urandom, patience_s=20.0)
    yield made
    made.close()


def state(pid: int) -> str:
    """What the kernel says of a process; gone without an entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1][0]
    except FileNotFoundError:
        return "gone"


def comes(what: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        if what():
            return True
        time.sleep(0.01)
    return False


def ended(pid: int) -> bool:
    return comes(lambda: state(pid) in ("gone", "Z"))


def test_it_gives_what_is_given_in_this_process(apart: StretchingApart) -> None:
    for digits, salt, cost in (
        ("7391", SALT, CHEAP), ("123456789012", bytes(16), CHEAP), (PIN, SALT, PinCost()),
        (PIN, SALT[::-1], PinCost(memory_kib=100, passes=3)),
    ):  # fmt: skip
        pin = ClearPin(digits)
        assert apart.stretch(pin, salt, cost) == stretched(pin, salt, cost)
    assert set(apart.pids()) == {LEFTOVER}
    assert apart.hurried == 0


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="the system has no idle class")
@pytest.mark.requirement("MFS-6.2.3-04")
@pytest.mark.threat("THR-NET-04")
def test_its_processes_stand_back_and_this_one_does_not() -> None:
    before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    apart = StretchingApart(os.urandom, patience_s=0.0)
    try:
        apart.stretch(ClearPin(PIN), SALT, CHEAP)
        apart.stretch(ClearPin(PIN), SALT, CHEAP)
        pids = apart.pids()
        assert set(pids) == {LEFTOVER, SHARE}
        assert comes(lambda: os.sched_getscheduler(pids[LEFTOVER]) == os.SCHED_IDLE)
        assert os.sched_getscheduler(pids[SHARE]) == os.SCHED_BATCH
        least = min(19, max(before[1], stretching.NICENESS))
        assert os.getpriority(os.PRIO_PROCESS, pids[SHARE]) == least
    finally:
        apart.close()
    assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before


@pytest.mark.requirement("MFS-6.2.3-04")
def test_a_pin_is_checked_while_others_want_every_core(apart: StretchingApart) -> None:
    """The first process is stopped, as one that never gets a core; the second one answers."""
    apart.stretch(ClearPin(PIN), SALT, CHEAP)
    first = apart.pids()[LEFTOVER]
    os.kill(first, signal.SIGSTOP)
    apart._patience_s = 0.05
    apart._least.clear()
    try:
        for digits in ("7391", "1357", "864209"):
            pin = ClearPin(digits)
            assert apart.stretch(pin, SALT, CHEAP) == stretched(pin, SALT, CHEAP)
        assert apart.hurried == 3
    finally:
        os.kill(first, signal.SIGCONT)
    apart._patience_s = 20.0
    assert comes(apart._lanes[LEFTOVER].free), "the late answer was taken"
    other = ClearPin("246813")
    assert apart.stretch(other, SALT, CHEAP) == stretched(other, SALT, CHEAP)
    assert apart.hurried == 3, "the first one is back at work"
    assert apart.pids()[LEFTOVER] == first


def test_a_process_that_was_killed_is_replaced(apart: StretchingApart) -> None:
    pin = ClearPin(PIN)
    apart.stretch(pin, SALT, CHEAP)
    first = apart.pids()[LEFTOVER]
    os.kill(first, signal.SIGKILL)
    assert ended(first)
    assert apart.stretch(pin, SALT, CHEAP) == stretched(pin, SALT, CHEAP)
    assert apart.pids()[LEFTOVER] != first


def test_a_process_that_is_killed_at_its_work_is_replaced(apart: StretchingApart) -> None:
    pin = ClearPin(PIN)
    apart.stretch(pin, SALT, CHEAP)
    first = apart.pids()[LEFTOVER]
    os.kill(first, signal.SIGSTOP)
    killer = threading.Timer(0.1, os.kill, (first, signal.SIGKILL))
    killer.start()
    assert apart.stretch(pin, SALT, DEAR) == stretched(pin, SALT, DEAR)
    killer.join()
    assert apart.pids()[LEFTOVER] != first


def test_where_no_process_can_be_started_it_says_so(monkeypatch, apart: StretchingApart) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable, match="no process"):
        apart.stretch(ClearPin(PIN), SALT, CHEAP)
    monkeypatch.undo()
    assert apart.stretch(ClearPin(PIN), SALT, CHEAP) == stretched(ClearPin(PIN), SALT, CHEAP)


@pytest.mark.parametrize(("salt", "cost"), [(SALT[1:], CHEAP), (SALT, PinCost(memory_kib=1))])
def test_what_argon2_does_not_take_is_refused_and_the_next_is_done(
    apart: StretchingApart, salt: bytes, cost: PinCost
) -> None:
    with pytest.raises(Malformed):
        apart.stretch(ClearPin(PIN), salt, cost)
    assert apart.stretch(ClearPin(PIN), SALT, CHEAP) == stretched(ClearPin(PIN), SALT, CHEAP)


@pytest.mark.requirement("MFS-7.3.4-05")
def test_no_pin_in_clear_goes_to_the_process(monkeypatch, apart: StretchingApart) -> None:
    sent: list[bytes] = []

    class Told(socket.socket):
        def sendall(self, octets, *rest):
            sent.append(bytes(octets))
            return super().sendall(octets, *rest)

    real = socket.socketpair

    def pair() -> tuple[socket.socket, socket.socket]:
        ours, theirs = real()
        return Told(fileno=ours.detach()), theirs

    monkeypatch.setattr(stretching.socket, "socketpair", pair)
    for _ in range(2):
        apart.stretch(ClearPin(PIN), SALT, CHEAP)
    key, *jobs = sent
    assert len(key) == 16
    assert len(jobs) == 2
    for job in jobs:
        assert PIN.encode() not in job
        assert bytes.fromhex(PIN) not in job
        assert SALT in job, "what was sent was seen"
    assert jobs[0][-16:] != jobs[1][-16:], "the same PIN is another block each time"


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_the_service_does_not_stop_a_pin_that_is_being_checked(
    apart: StretchingApart, told: signal.Signals
) -> None:
    pin = ClearPin(PIN)
    apart.stretch(pin, SALT, CHEAP)
    first = apart.pids()[LEFTOVER]
    os.kill(first, told)
    assert apart.stretch(pin, SALT, CHEAP) == stretched(pin, SALT, CHEAP)
    assert apart.pids()[LEFTOVER] == first


def test_its_processes_end_with_it_and_with_this_process() -> None:
    apart = StretchingApart(os.urandom, patience_s=0.0)
    for _ in range(2):
        apart.stretch(ClearPin(PIN), SALT, CHEAP)
    pids = apart.pids().values()
    lanes = list(apart._lanes.values())
    lanes[0]._sock.close()  # as when this process is gone
    assert ended(lanes[0].pid)
    apart.close()
    assert all(state(pid) == "gone" for pid in pids)
    assert not apart.pids()
