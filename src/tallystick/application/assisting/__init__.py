"""Agents who assist: where, when, how often, and while their training holds.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
"""

from tallystick.application.assisting.service import AgentBounds

__all__ = ["AgentBounds"]
