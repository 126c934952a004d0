"""Authentication: activation codes, enrolment of devices, establishment of sessions.

    issue -> SMS -> enrol(code, keys proved)          a code is single-use, short-lived, five tries
    handshake -> establish -> session                 a spent renewal suspends the device

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
"""

from tallystick.application.authentication.model import Activation, Dialled, Session
from tallystick.application.authentication.service import Access
from tallystick.application.authentication.sessions import Sessions

__all__ = ["Access", "Activation", "Dialled", "Session", "Sessions"]
