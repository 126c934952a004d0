"""A service tells its supervisor that it is ready and lives, and is silent when it stands still."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.services import Service

from tallystick.entry.supervising import Supervisor
from tallystick.infrastructure.crypto.signature import Es256SigningKey

PATIENCE_S = 0.6


class Listener:
    """What systemd hears."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)

    def next(self, within_s: float = 20.0) -> str:
        self._socket.settimeout(within_s)
        return self._socket.recv(4096).decode()

    def until(self, wanted: str) -> None:
        while self.next() != wanted:
            pass

    def is_silent_for(self, seconds: float) -> bool:
        try:
            self.next(seconds)
        except TimeoutError:
            return True
        return False

    def empty(self) -> None:
        while not self.is_silent_for(0.01):
            pass

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening(address: str) -> Iterator[Listener]:
    listener = Listener(address)
    try:
        yield listener
    finally:
        listener.close()


def test_each_state_is_a_datagram(tmp_path: Path) -> None:
    with listening(str(tmp_path / "notify")) as heard:
        named = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
        supervisor = Supervisor.named_in(named)
        paused: list[float] = []
        supervisor.ready("serves")
        supervisor.pausing(paused.append)(0.25)
        supervisor.ending()
        assert [heard.next() for _ in range(3)] == [
            "READY=1\nSTATUS=serves", "WATCHDOG=1", "STOPPING=1",
        ]  # fmt: skip
        assert paused == [0.25]


def test_an_address_may_be_abstract() -> None:
    name = f"tallystick-test-{id(object())}"
    with listening(f"\0{name}") as heard:
        Supervisor(f"@{name}").ready("stands by")
        assert heard.next() == "READY=1\nSTATUS=stands by"


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "many"}],
)
def test_nobody_need_listen(environment: dict[str, str]) -> None:
    supervisor = Supervisor.named_in(environment)
    supervisor.ready("serves")
    supervisor.alive()
    supervisor.ending()


def test_a_full_queue_does_not_hold_the_service_up(tmp_path: Path) -> None:
    with listening(str(tmp_path / "notify")) as heard:
        supervisor = Supervisor(str(tmp_path / "notify"), 1.0)
        for _ in range(2_000):
            supervisor.alive()
        assert heard.next() == "WATCHDOG=1"


def test_a_service_is_heard_while_its_loop_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smsc = Smsc()
    TourProvider(tmp_path, Es256SigningKey.generate(), smsc).set_up()
    services = []
    try:
        with listening(str(tmp_path / "a")) as first, listening(str(tmp_path / "b")) as second:
            monkeypatch.setenv("WATCHDOG_USEC", str(int(PATIENCE_S * 1_000_000)))
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "a"))
            services.append(Service(tmp_path, 0))
            services[0].until_serving()
            first.until("READY=1\nSTATUS=serves")
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "b"))
            services.append(Service(tmp_path, 0, "--standby"))
            second.until("READY=1\nSTATUS=stands by")
            second.until("WATCHDOG=1")
            services[0].process.send_signal(signal.SIGSTOP)
            first.empty()
            assert first.is_silent_for(2 * PATIENCE_S)
            services[0].process.send_signal(signal.SIGCONT)
            first.until("WATCHDOG=1")
            assert services[0].end(signal.SIGTERM) == 0
            first.until("STOPPING=1")
            second.until("READY=1\nSTATUS=serves")
            second.until("WATCHDOG=1")
    finally:
        for service in services:
            if service.process.poll() is None:
                service.end(signal.SIGTERM)
        smsc.close()
