"""Compares what a deployment really offers with what its programme says that it offers.

    model         what was discovered, and in what the two differ
    discovering   listeners, links, operations, keys and accounts of a deployment
    comparing     each against the programme

No secret is needed and nothing is changed.

Source: ISO/TS 12812-2:2017, 6.2; 7.1
"""

from tallystick.entry.surface.comparing import compare
from tallystick.entry.surface.discovering import discover
from tallystick.entry.surface.model import Difference, Discovered, Side

__all__ = ["Difference", "Discovered", "Side", "compare", "discover"]
