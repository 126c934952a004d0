"""The policy in force and the versions before it.

    signed file -> officers' signatures -> compiled -> in force from the next command on

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.application.policing.service import Officers, PolicyInForce

__all__ = ["Officers", "PolicyInForce"]
