"""The day book: each day is closed with a trial balance that goes into the tally.

    stored accounts -> trial balance even? covered? -> closing row + event

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3; 13.3
"""

from tallystick.application.daybook.service import Closing, DayBook

__all__ = ["Closing", "DayBook"]
