"""Sessions with a token: threads with one each, one login for all, the way back after loss.

The driver of a device is foreign code that may hang: whoever asks waits a bounded time, never in
the driver. When a token is lost the library is started again once for everybody; what was not
answered by then is asked once more, and only then does the asker hear that it is out of reach.

Source: PKCS #11 v3.0, 5.4 to 5.6; ISO/TS 12812-2:2017, 6.2.3; 8.2.2
"""

import queue
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from tallystick.infrastructure.modules.pkcs11.starting import Loaded, driver
from tallystick.kernel.errors import Conflict, MfsError, NotFound, NotPermitted, Unavailable
from tallystick.kernel.secret import Secret

T = TypeVar("T")
PAUSE_S: Final = 0.1
"""How long nobody tries again after a failed start of the library."""
_DRAIN_S: Final = 2.0
_ATTEMPTS: Final = 3
_GONE: Final = "the token is out of reach"
_SEE: Final = "see to the device and its link"
_LOST: Final = (
    "DeviceError", "DeviceMemory", "DeviceRemoved", "FunctionFailed",
    "GeneralError", "HostMemory", "KeyHandleInvalid", "NoSuchKey", "NoSuchToken",
    "ObjectHandleInvalid", "OperationActive", "OperationNotInitialized", "SessionClosed",
    "SessionCount", "SessionHandleInvalid", "SlotIDInvalid", "TokenNotPresent",
    "TokenNotRecognised", "UserNotLoggedIn",
)  # fmt: skip
_BAD_PIN: Final = (
    "PinExpired", "PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "UserPinNotInitialized",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Which token of which library is meant, and how it is used.

    `label`, `serial` or `slot` choose it; `wait_ms` bounds the wait for an answer.
    Source: PKCS #11 v3.0, 5.5; RFC 7512, 2.3
    """

    library: str
    pin: Secret[str]
    label: str = ""
    serial: str = ""
    slot: int | None = None
    sessions: int = 4
    wait_ms: int = 2_000


@dataclass(slots=True)
class Session:
    """One session as an act sees it; `keys` are the objects that were found in it.

    Source: PKCS #11 v3.0, 5.6
    """

    open: Any
    generation: int
    keys: dict[tuple[str, bytes], Any] = field(default_factory=dict[tuple[str, bytes], Any])


class Library:
    """A vendor's library in this process: initialised once, shared, and started anew after loss.

    Source: PKCS #11 v3.0, 5.4
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._gate = threading.Condition()
        self._login = threading.Lock()
        self._inside = 0
        self._resetting = False
        self._until = 0.0
        self._loaded: Loaded | None = None
        self._logins: dict[int, Any] = {}
        self._pins: dict[int, Secret[str]] = {}
        self._refused: dict[int, Secret[str]] = {}
        self.generation = 0
        self.users = 0

    @contextmanager
    def calling(self) -> Generator[None]:
        """Nobody starts the library anew as long as the block lasts.

        Source: PKCS #11 v3.0, 5.4
        """
        with self._gate:
            if not self._gate.wait_for(lambda: not self._resetting, _DRAIN_S):
                raise Unavailable(_GONE, remedy=_SEE)
            self._inside += 1
        try:
            yield
        finally:
            with self._gate:
                self._inside -= 1
                self._gate.notify_all()

    def restart(self, seen: int) -> None:
        """Start the library anew unless somebody did so since generation `seen`.

        Raises Unavailable where it does not start, or was tried a moment ago.
        Source: PKCS #11 v3.0, 5.4
        """
        with self._gate:
            if self.generation != seen:
                return
            if self._resetting or time.monotonic() < self._until:
                raise Unavailable(_GONE, remedy=_SEE, retry_after_s=1)
            self._resetting = True
            drained = self._gate.wait_for(lambda: self._inside == 0, _DRAIN_S)
        try:
            self._start(drained=drained)
        except Exception as error:
            self._until = time.monotonic() + PAUSE_S
            if isinstance(error, MfsError):
                raise
            raise Unavailable(_GONE, remedy=_SEE, retry_after_s=1) from error
        finally:
            with self._gate:
                self.generation += 1
                self._resetting = False
                self._gate.notify_all()

    def _start(self, *, drained: bool) -> None:
        if not drained:
            raise Unavailable("the driver does not come back", remedy="restart the service")
        self._logins.clear()
        if self._loaded is None:
            self._loaded = Loaded(self._path)
        else:
            self._loaded.start()

    def session(self, place: TokenPlace) -> Session:
        """A session with the token of `place`, logged in; to be called inside `calling`.

        Raises NotPermitted for a wrong PIN, which is not tried a second time, Conflict where more
        than one token fits, and what the driver raises.
        Source: PKCS #11 v3.0, 5.6
        """
        with self._login:
            if self._loaded is None:
                self._loaded = Loaded(self._path)
            found = self._find(place)
            slot = int(found.slot.slot_id)
            if self._refused.get(slot) == place.pin:
                raise _wrong_pin()
            if slot not in self._logins:
                try:
                    self._logins[slot] = found.open(rw=True, user_pin=place.pin.reveal())
                except named(*_BAD_PIN) as error:
                    self._refused[slot] = place.pin
                    raise _wrong_pin() from error
                self._pins[slot] = place.pin
            elif self._pins[slot] != place.pin:
                raise _wrong_pin()
            return Session(found.open(rw=True), self.generation)

    def mechanisms(self, place: TokenPlace) -> frozenset[str]:
        """The names of the mechanisms that the token lists.

        Source: PKCS #11 v3.0, 5.5
        """
        listed = self._find(place).slot.get_mechanisms()
        return frozenset(str(getattr(one, "name", one)) for one in listed)

    def release(self) -> None:
        """One user less; the last one logs out.

        Source: PKCS #11 v3.0, 5.6
        """
        with _REGISTER:
            self.users -= 1
            last = self.users == 0
        if not last or not self._login.acquire(timeout=_DRAIN_S):
            return
        try:
            for login in self._logins.values():
                with suppress(driver().PKCS11Error):
                    login.close()
            self._logins.clear()
            self._pins.clear()
        finally:
            self._login.release()

    def _find(self, place: TokenPlace) -> Any:
        slots = () if self._loaded is None else self._loaded.package.get_slots(token_present=True)
        fitting = [one for one in (slot.get_token() for slot in slots) if _fits(one, place)]
        if len(fitting) > 1:
            raise Conflict("more than one token fits", remedy="name its serial number")
        if not fitting:
            raise driver().NoSuchToken
        return fitting[0]


class Sessions:
    """What asks a token: `ask` runs an act in one of the sessions and waits for its result.

    Source: PKCS #11 v3.0, 5.6; ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, place: TokenPlace) -> None:
        """Start the threads; the token is asked when the first act comes.

        Raises NotPermitted where the extra is not installed.
        Source: PKCS #11 v3.0, 5.6
        """
        driver()
        self._place = place
        self._library = library(place.library)
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[Session], Any]] | None]
        self._waiting = queue.SimpleQueue()
        self._closed = False
        self._lost = (*named(*_LOST),)
        for number in range(place.sessions):
            thread = threading.Thread(target=self._serve, name=f"pkcs11-{number}", daemon=True)
            thread.start()

    def ask(self, act: Callable[[Session], T], *, unknown: bool = False, least_s: float = 0.0) -> T:
        """What `act` gives in a session; run again after a loss until the wait, or `least_s`, ends.

        A key that is not there is out of reach, but for one that is `unknown`: that is NotFound.
        Raises Unavailable where there is no answer in time, and what `act` raises.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        until = time.monotonic() + max(self._place.wait_ms / 1000, least_s)
        while True:
            self.check_open()
            try:
                return self._once(act, until - time.monotonic())
            except (Unavailable, NotFound) as error:
                if unknown and isinstance(error, NotFound):
                    raise
                if until - time.monotonic() < PAUSE_S:
                    raise Unavailable(error.detail, remedy=_SEE, retry_after_s=1) from error
                time.sleep(PAUSE_S)

    def _once(self, act: Callable[[Session], T], left_s: float) -> T:
        asked: Future[Any] = Future()
        self._waiting.put((asked, act))
        try:
            return cast("T", asked.result(left_s))
        except (TookTooLong, CancelledError) as error:
            asked.cancel()
            raise Unavailable("the token does not answer in time") from error

    def check_open(self) -> None:
        """Pass as long as nobody closed the sessions; raises Unavailable.

        Source: ISO/IEC 19790
        """
        if self._closed:
            raise Unavailable("the module was zeroised", remedy="unlock it again")

    def mechanisms(self) -> frozenset[str]:
        """The names of the mechanisms that the token lists.

        Source: PKCS #11 v3.0, 5.5
        """
        return self.ask(lambda _: self._library.mechanisms(self._place))

    def close(self) -> None:
        """Close every session; nothing is answered any more.

        Source: PKCS #11 v3.0, 5.6
        """
        if not self._closed:
            self._closed = True
            for _ in range(self._place.sessions):
                self._waiting.put(None)
            self._library.release()

    def _serve(self) -> None:
        own = _Own()
        while (waiting := self._waiting.get()) is not None:
            asked, act = waiting
            if not asked.set_running_or_notify_cancel():
                continue
            try:
                asked.set_result(self._run(own, act))
            except Exception as error:  # noqa: BLE001 - it is the asker's
                asked.set_exception(error)
        with suppress(MfsError), self._library.calling():
            own.drop()

    def _is_lost(self, error: Exception) -> bool:
        """Whether an error may come of a loss; the package has no class for a library that ended.

        Source: PKCS #11 v3.0, 5.1
        """
        return isinstance(error, self._lost) or type(error) is driver().PKCS11Error

    def _run(self, own: "_Own", act: Callable[[Session], T]) -> T:
        """The result of `act`, in the thread's own session or in one that takes its place."""
        for attempt in range(1, _ATTEMPTS + 1):
            seen = self._library.generation
            try:
                with self._library.calling():
                    seen = self._library.generation
                    if own.session is None or own.session.generation != seen:
                        own.session = self._library.session(self._place)
                    try:
                        return act(own.session)
                    except driver().PKCS11Error as error:
                        if self._is_lost(error):
                            own.drop()
                        raise
            except driver().PKCS11Error as error:
                if not self._is_lost(error):
                    says = f"the token refuses ({type(error).__name__})"
                    raise Unavailable(says, remedy=_SEE) from error
                if attempt == _ATTEMPTS:
                    raise _given_up(error) from error
                if attempt > 1:
                    self._library.restart(seen)
        raise Unavailable(_GONE, remedy=_SEE)


class _Own:
    """The session of one thread, if it has one."""

    __slots__ = ("session",)

    def __init__(self) -> None:
        self.session: Session | None = None

    def drop(self) -> None:
        """Close the session; one that is lost is closed already."""
        if self.session is not None:
            with suppress(Exception):
                self.session.open.close()
            self.session = None


_REGISTER = threading.Lock()
_LIBRARIES: dict[str, Library] = {}


def library(path: str) -> Library:
    """The library at `path`, one for the whole process, with one user more.

    Source: PKCS #11 v3.0, 5.4
    """
    with _REGISTER:
        found = _LIBRARIES.setdefault(path, Library(path))
        found.users += 1
        return found


def named(*names: str) -> tuple[type[Exception], ...]:
    """The driver's errors with these names, as far as it has them.

    Source: PKCS #11 v3.0, 5.1.6
    """
    package = driver()
    return tuple(getattr(package, name) for name in names if hasattr(package, name))


def _fits(found: Any, place: TokenPlace) -> bool:
    serial = bytes(found.serial).decode(errors="replace").strip("\x00 ")
    return (
        (not place.label or str(found.label) == place.label)
        and (not place.serial or serial == place.serial)
        and (place.slot is None or int(found.slot.slot_id) == place.slot)
    )


def _given_up(error: Exception) -> MfsError:
    if type(error).__name__ == "NoSuchKey":
        return NotFound("the key is not in the token", remedy="bring the token that has it")
    return Unavailable(_GONE, remedy=_SEE, retry_after_s=1)


def _wrong_pin() -> MfsError:
    return NotPermitted(
        "the token refuses the PIN",
        remedy="check its place; it is not tried again before the next start, so as not to lock it",
    )
