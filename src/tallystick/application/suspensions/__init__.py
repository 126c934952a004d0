"""Payments of a kind, or through a channel, that the provider suspended for everybody.

    suspend: one operator, at any hour -> the next quote and order is refused, and says why
    resume:  two people

Nothing of a refused order is kept: the same one is good once the service is resumed. People still
read their accounts and stop what is theirs to stop; whoever dials while that channel as such is
suspended, what takes no PIN. What operators do is never suspended.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
"""

from tallystick.application.suspensions.model import ALL, Suspension
from tallystick.application.suspensions.service import SuspendedServices

__all__ = ["ALL", "SuspendedServices", "Suspension"]
