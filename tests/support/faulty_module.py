"""A module's process with faults to plant: run in the place of the real program by its keeper.

random(SUICIDE) kills the process
the known answer of ed25519 is wrong from its second run on, and in the profile `wrong` from the
first run of a process that was started again
"""

import os
import signal
import sys
from functools import partial

from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.remote import process
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Broken

PROGRAM = "tests.support.faulty_module"
SUICIDE = 13
WRONG = "ed25519"

_runs = iter(range(100))


def _wrong_from_the_second_run() -> None:
    if next(_runs):
        raise Broken("wrong answer")
    KNOWN_ANSWERS[WRONG]()


class FaultyModule(SoftModule):
    """A software module that dies of one call."""

    def random(self, length: int) -> bytes:
        if length == SUICIDE:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().random(length)


if __name__ == "__main__":
    answers = {**KNOWN_ANSWERS, WRONG: _wrong_from_the_second_run}
    process.SoftModule = partial(FaultyModule, known_answers=answers)  # type: ignore[misc, assignment]
    real = process._proved

    def proved(begin, lifeline):
        if begin.starts > 1 and begin.profile == "wrong":
            next(_runs)
        return real(begin, lifeline)

    process._proved = proved
    sys.exit(process._main())
