"""What is asked of approvals, as a command of the writer.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.turn import Outcome, Turn

ApprovalAct = Callable[[Turn], Outcome]
"""What is done about approvals in one step of the writer."""


@dataclass(frozen=True, slots=True)
class Approving:
    """Begins, signs, declines, ends or asks for a request.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    act: ApprovalAct
