"""Replays a recording of mobile payments through a provider: every row a secured payment.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.5
"""

from tallystick.entry.replay.report import Replayed
from tallystick.entry.replay.rows import Row, read_rows
from tallystick.entry.replay.run import replay

__all__ = ["Replayed", "Row", "read_rows", "replay"]
