"""The register of applications at work: stated by officers, asked when a device comes in.

    statement (officers' signatures) -> register -> an event of the tally
    device, what it runs -> may run | is told | may only look | is refused

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 7.2.8
"""

from tallystick.application.apps.service import Applications
from tallystick.application.apps.store import AppRow, SeenRow

__all__ = ["AppRow", "Applications", "SeenRow"]
