"""Self-care: factors given inside a session, and what a customer changes about themselves.

    code or PIN -> counted -> factor of the session, fresh
    sensitive change -> facts of the session -> policy -> done, or what would be enough

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from tallystick.application.selfcare.service import Crew, SelfCare

__all__ = ["Crew", "SelfCare"]
