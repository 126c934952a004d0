"""Recovery and events in the life of an account; no code that one may keep recovers anything.

    opened on proof -> cooling off: limits lowered, old channels told -> finished, or cancelled
    death, order of a court -> frozen on evidence -> released by two people

    rules     which event takes which way, who opens it, and every step that a state allows
    service   recoveries as the writer keeps and tells of them
    insession what a device signs, for its owner or as an agent (`application.assisting`)

Operators' acts are in `application.lives`.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from tallystick.application.recovery.insession import DialledStop, InLife, OwnRecovery
from tallystick.application.recovery.model import RecoveryDue, RecoveryRow
from tallystick.application.recovery.service import Assembly, Recovery

__all__ = [
    "Assembly",
    "DialledStop",
    "InLife",
    "OwnRecovery",
    "Recovery",
    "RecoveryDue",
    "RecoveryRow",
]
