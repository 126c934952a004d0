"""Recovery and events in the life of an account; no code that one may keep recovers anything.

    opened on proof -> cooling off: limits lowered, old channels told -> finished, or cancelled
    death, order of a court -> frozen on evidence -> released by two people

    rules     which event takes which way, who opens it, and every step that a state allows
    bounds    where, when and how often an agent assists
    service   recoveries as the writer keeps and tells of them
    acts      what operators do about them

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from tallystick.application.recovery.acts import LifeActs
from tallystick.application.recovery.bounds import AgentBounds
from tallystick.application.recovery.insession import DialledStop, InLife, OwnRecovery
from tallystick.application.recovery.model import RecoveryDue, RecoveryRow
from tallystick.application.recovery.service import Assembly, Recovery

__all__ = [
    "AgentBounds",
    "Assembly",
    "DialledStop",
    "InLife",
    "LifeActs",
    "OwnRecovery",
    "Recovery",
    "RecoveryDue",
    "RecoveryRow",
]
