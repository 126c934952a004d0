"""What a provider tells a security monitoring system: what happened, how bad it is, which rows say.

Nothing personal and no secret is in it. Ids lead to the record, where those who may can read on.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4; RFC 5424, 6
"""

from enum import IntEnum
from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, Wire
from tallystick.protocol.receipt import EventKind, FieldName, Scalar


class Severity(IntEnum):
    """How bad it is, by the numbers of syslog: the smaller, the worse.

    Source: RFC 5424, 6.2.1
    """

    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6


class SecurityEvent(Wire, frozen=True, kw_only=True):
    """One thing that happened at `at` (ms): its kind, and details by name.

    Source: ISO/TS 12812-2:2017, 6.2.3; RFC 5424, 6.3
    """

    at: Annotated[Natural, PUBLIC]
    kind: Annotated[EventKind, PUBLIC]
    severity: Annotated[Severity, PUBLIC]
    details: Annotated[dict[FieldName, Scalar], INTERNAL]

    def says(self) -> str:
        """The event in one line: kind, then details.

        Source: RFC 5424, 6.4
        """
        shown = " ".join(f"{name}={value}" for name, value in sorted(self.details.items()))
        return f"{self.kind} {shown}".rstrip()
