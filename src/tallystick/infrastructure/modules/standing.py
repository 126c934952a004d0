"""Whether a module serves: its states, and the tests that lead from one to the other.

    not tested --self-test--> serving --a test fails--> failed    (no way back but a restart)
                                 |
                                 `----- zeroise -----> zeroised   (no way back but another opening)

In `failed` and `zeroised` nothing comes out but the state itself.

Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from tallystick.kernel.errors import Broken, MfsError, Unavailable

KnownAnswer = Callable[[], None]


class State(StrEnum):
    """What a module is in.

    Source: ISO/IEC 19790
    """

    NOT_TESTED = "not-tested"
    SERVING = "serving"
    FAILED = "failed"
    ZEROISED = "zeroised"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.NOT_TESTED: frozenset({State.SERVING, State.FAILED, State.ZEROISED}),
    State.SERVING: frozenset({State.FAILED, State.ZEROISED}),
    State.FAILED: frozenset(),
    State.ZEROISED: frozenset(),
}
"""From each state, the states that a module may go to."""


class Standing:
    """The state of one module; `stopped` is called once, when service ends.

    Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
    """

    __slots__ = ("_answers", "_refusal", "_state", "_stopped", "proved")

    def __init__(self, answers: Mapping[str, KnownAnswer], stopped: Callable[[], None]) -> None:
        """Prove mechanisms by `answers`; a mechanism without one does not run.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        self._answers = answers
        self._stopped = stopped
        self._refusal: MfsError | None = None
        self._state = State.NOT_TESTED
        self.proved: set[str] = set()

    @property
    def state(self) -> State:
        """What the module is in now.

        Source: ISO/IEC 19790
        """
        return self._state

    @property
    def refusal(self) -> str:
        """Why there is no service; empty while there is.

        Source: ISO/IEC 19790
        """
        return "" if self._refusal is None else self._refusal.detail

    def check(self) -> None:
        """Return only if the module serves; raises what ended its service otherwise.

        Source: ISO/IEC 19790
        """
        if self._refusal is not None:
            raise type(self._refusal)(self._refusal.detail, remedy=self._refusal.remedy)

    def prove(self, mechanism: str) -> None:
        """Run the known answer of `mechanism`; a failure ends service and raises Broken.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        try:
            self._answers[mechanism]()
        except Exception as error:
            broken = Broken(
                f"the self-test of {mechanism} failed", remedy="stop; reinstall and test again"
            )
            self.stop(broken)
            raise broken from error
        self.proved.add(mechanism)
        if self._state is State.NOT_TESTED:
            self._state = State.SERVING

    def prove_all(self) -> tuple[str, ...]:
        """Run every known answer anew; the mechanisms that passed.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        self.check()
        self.proved.clear()
        for mechanism in self._answers:
            self.prove(mechanism)
        return tuple(self.proved)

    def zeroised(self) -> None:
        """End service because somebody asked for it.

        Source: ISO/IEC 19790
        """
        self.stop(Unavailable("the module was zeroised", remedy="unlock it again"))

    def stop(self, refusal: MfsError) -> None:
        """End service for good: `refusal` is what every later call meets.

        Source: ISO/IEC 19790
        """
        target = State.FAILED if isinstance(refusal, Broken) else State.ZEROISED
        if target in TRANSITIONS[self._state]:
            self._refusal, self._state = refusal, target
            self._stopped()
