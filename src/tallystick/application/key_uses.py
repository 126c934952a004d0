"""What the record says of the module: whether it may serve a use of keys, and when it came back.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 7.3.3
"""

from typing import Final

from tallystick.application.own_commands import NoteReturn
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.interface import Capabilities
from tallystick.kernel.errors import NotPermitted
from tallystick.process.policy.backends import KeyUse, check_use
from tallystick.protocol.payments import Empty

REFUSED: Final = "keys.refused"
"""The kind of the event of a refusal."""

RETURNED: Final = "module.returned"
"""The kind of the event of a process that took the place of a lost one."""


def decide_use(turn: Turn, policy: int, use: KeyUse, told: Capabilities) -> Outcome:
    """Nothing if `use` may be served by the module that `told` describes, else the refusal.

    The refusal names the row, and is recorded under the version of the `policy` in force.
    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 7.3.3
    """
    try:
        check_use(use, told, turn.now)
    except NotPermitted as refusal:
        index = turn.record(
            REFUSED,
            policy=policy,
            public={
                "use": use.value,
                "row": refusal.because,
                "module": told.name,
                "hardware": int(told.hardware_boundary),
                "validated": told.validated_as,
                "isolated": int(told.isolated_process),
            },
        )
        return Outcome(refusal, index)
    return Outcome(Empty())


def note_return(turn: Turn, policy: int, told: NoteReturn) -> Outcome:
    """Keep which process of the module serves now, and how the one before it ended.

    Source: ISO/TS 12812-2:2017, 8.2.3; 7.3.3
    """
    public: dict[str, str | int] = {"starts": told.starts, "ended": told.ended}
    return Outcome(Empty(), turn.record(RETURNED, policy=policy, public=public))
