"""Attempts: a try is counted before anybody knows whether it was right, over all channels together.

    count(customer, device, source)  -> committed     then the PIN or code is checked
    right -> begun anew              wrong -> recorded, and the customer told once it blocks

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.application.attempts.model import AttemptRow, Subjects, not_right, reported_by
from tallystick.application.attempts.service import Attempts

__all__ = ["AttemptRow", "Attempts", "Subjects", "not_right", "reported_by"]
