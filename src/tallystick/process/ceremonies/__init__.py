"""Key ceremonies: what is done with keys by several people in one room, as data and as a record.

    script + people -> plan -> step, signed -> step, signed -> ... -> transcript, signed by all

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from tallystick.process.ceremonies.model import (
    Act,
    Done,
    Person,
    Plan,
    Result,
    Role,
    Script,
    State,
    Step,
    check_plan,
    plan_digest,
)
from tallystick.process.ceremonies.scripts import every_script, script_called
from tallystick.process.ceremonies.transcript import (
    Transcript,
    check_state,
    digest_of,
    open_transcript,
    seal_transcript,
    sign_step,
)

__all__ = [
    "Act",
    "Done",
    "Person",
    "Plan",
    "Result",
    "Role",
    "Script",
    "State",
    "Step",
    "Transcript",
    "check_plan",
    "check_state",
    "digest_of",
    "every_script",
    "open_transcript",
    "plan_digest",
    "script_called",
    "seal_transcript",
    "sign_step",
]
