"""Whether the module in use may serve what keys are wanted for; a refusal is an event.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 7.3.3
"""

from typing import Final

from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.interface import Capabilities
from tallystick.kernel.errors import NotPermitted
from tallystick.process.policy.backends import KeyUse, check_use
from tallystick.protocol.payments import Empty

REFUSED: Final = "keys.refused"
"""The kind of the event."""


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
