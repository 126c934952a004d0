"""An item of the list, and the module that is looked at.

Source: ISO/TS 12812-2:2017, 8.2.1; ISO/IEC 19790
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tallystick.infrastructure.modules.hardening import Hardening, hardening
from tallystick.infrastructure.modules.interface import Capabilities, CryptoModule, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import DoorOf, ModuleProcess
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock


class Holds(StrEnum):
    """What an item came to.

    Source: ISO/IEC 19790
    """

    SATISFIED = "satisfied"
    NOT = "not satisfied"
    NOT_HERE = "does not apply"


class Item(Record, frozen=True, kw_only=True):
    """One requirement: its section, what is asked, what it came to, and why.

    Source: ISO/IEC 19790
    """

    section: str
    name: str
    asks: str
    holds: Holds
    says: str


@dataclass(frozen=True, slots=True)
class Examined:
    """The module that is looked at, and what makes modules of a moment beside it.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    module: CryptoModule
    clock: Clock

    def told(self) -> Capabilities:
        """What the module says of itself.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        return self.module.capabilities()

    def hardened(self) -> Hardening:
        """What holds for the process that the keys are in.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        if isinstance(self.module, RemoteModule):
            return self.module.status().hardening
        return hardening()

    def beside(self, *, wrong: str = "") -> SoftModule:
        """A module of a moment; the known answer of the mechanism `wrong` fails.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """

        def failing() -> None:
            raise Broken("a known answer is wrong")

        planted = {wrong: failing} if wrong else {}
        answers = {**KNOWN_ANSWERS, **planted}
        return SoftModule(self._master().roots(Purpose), self.clock, known_answers=answers)

    def process_beside(self) -> ModuleProcess:
        """A process of a moment, with a door for quotes and one for control.

        Source: ISO/TS 12812-2:2017, 8.2.3
        """
        doors = [
            DoorOf(name="quotes", purposes=frozenset({Purpose.QUOTE})),
            DoorOf(name="control", purposes=frozenset(), may_control=True),
        ]
        return ModuleProcess.start(self._master().roots(Purpose), doors, profile="check")

    def _master(self) -> MasterKey:
        return MasterKey.generate(self.module.random)


def is_refused(act: Callable[[], object], *refusals: type[MfsError]) -> bool:
    """Whether `act`, which is forbidden, meets one of `refusals`; others are raised.

    Source: ISO/IEC 19790
    """
    try:
        act()
    except refusals:
        return True
    return False
