"""A token is taken away under load and brought back: no wrong answer, nothing acknowledged is lost.

The folder of a SoftHSM token is moved while threads sign, make codes, seal and open; the library is
ended under them too. Whoever asks hears an answer that verifies, or that the token is out of reach.
"""

import threading
import time

import pytest
from tests.support.softhsm import soft_token
from tests.unit.infrastructure.modules.test_device_module import module_on

from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.pkcs11.sessions import _LIBRARIES
from tallystick.kernel.errors import MfsError, NotFound, Unavailable

THREADS = 6


class Load:
    """Threads that ask for ever; they keep what was answered and what else came."""

    def __init__(self, module) -> None:
        self.module = module
        self.tally = module.generate(Purpose.TALLY)
        self.quote = module.generate(Purpose.QUOTE)
        self.store = module.generate(Purpose.STORE)
        self.public = verify_key("EdDSA", module.public_octets(self.tally))
        self.codes = {n: module.mac(self.quote, b"%d" % n) for n in range(8)}
        self.sealed = module.seal(self.store, bytes(12), b"kept", b"a")
        self.signed: list[tuple[bytes, bytes]] = []
        self.made: list = []
        self.answers = self.refusals = 0
        self.slowest = 0.0
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(THREADS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads)

    def _work(self, number: int) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            began = time.monotonic()
            try:
                self._ask(number, turn)
            except Unavailable:
                with self._lock:
                    self.refusals += 1
                time.sleep(0.01)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
                self.wrong.append(repr(error))
            else:
                with self._lock:
                    self.answers += 1
            if turn % 40 != 39:  # making a key may take longer than an act
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _ask(self, number: int, turn: int) -> None:
        module, n = self.module, turn % 8
        if turn % 40 == 39:
            self.made.append(module.generate(Purpose.TIME_STAMP))
        if n % 3 == 0:
            message = b"%d/%d" % (number, turn)
            self.signed.append((message, module.sign(self.tally, message)))
        elif n % 3 == 1:
            if module.mac(self.quote, b"%d" % n) != self.codes[n]:
                self.wrong.append("another code")
        elif module.open(self.store, bytes(12), self.sealed, b"a") != b"kept":
            self.wrong.append("another text")


def _end_the_library(token) -> None:
    """As somebody else in the process may; between calls, for amid them nothing is promised."""
    library = _LIBRARIES[token.place().library]
    with library._gate:
        assert library._gate.wait_for(lambda: not library._resetting, 5)
        library._resetting = True  # as a restart does: nobody else comes in
        try:
            assert library._gate.wait_for(lambda: library._inside == 0, 5)
            library._loaded.end()
        finally:
            library._resetting = False
            library._gate.notify_all()


def _until(load: Load, name: str, more: int = 20, within: float = 25.0) -> float:
    began, wanted = time.monotonic(), getattr(load, name) + more
    while getattr(load, name) < wanted:
        assert time.monotonic() - began < within, (name, load.answers, load.refusals, load.wrong)
        time.sleep(0.01)
    return time.monotonic() - began


# The driver's searches say on their way out that they could not be finished; nobody asked them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_token_lost_and_found_gives_no_wrong_answer() -> None:
    with soft_token() as token:
        module = module_on(token, sessions=3, wait_ms=500)
        with Load(module) as load:
            _until(load, "answers", 60)
            for _ in range(2):
                token.lose()
                _until(load, "refusals", 8)
                token.come_back()
                _until(load, "answers", 60)
            for _ in range(2):
                _end_the_library(token)
                _until(load, "answers", 60)
        assert not load.wrong, load.wrong[:5]
        assert load.slowest < 0.5 + 1.5, "the bound, and what a busy machine adds"
        for message, signature in load.signed:
            load.public.verify(signature, message)
        assert load.made, "keys were made under load"
        for handle in load.made:
            public = verify_key("ES256", module.public_octets(handle))
            public.verify(module.sign(handle, b"after"), b"after")
        module.zeroise()
        again = module_on(token, sessions=1)
        with pytest.raises(NotFound):
            again.sign(load.tally, b"not imported here")
        again.zeroise()


def test_who_asks_a_hanging_driver_waits_no_longer_than_was_said() -> None:
    with soft_token() as token:
        module = module_on(token, sessions=1, wait_ms=1000)
        tally = module.generate(Purpose.TALLY)
        inside, release = threading.Event(), threading.Event()

        def hang(_: object) -> None:
            inside.set()
            release.wait(60)

        hanging = threading.Thread(target=lambda: _quietly(lambda: module._sessions.ask(hang)))
        hanging.start()
        assert inside.wait(20)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            module.sign(tally, b"m")
        waited = time.monotonic() - began
        assert not release.is_set(), "the driver hangs all the while"
        assert 0.9 < waited < 5, "a second, and what a busy machine adds"
        release.set()
        hanging.join(20)
        assert len(module.sign(tally, b"m")) == 64
        module.zeroise()


def _quietly(call) -> None:
    try:
        call()
    except MfsError:
        return
