"""The fleet of devices in numbers: what is stored of it now, and one line for every day.

    stored devices and customers -> counts by trust, tier, day of enrolment; signals by device
    CountFleet -> row of the day + event `fleet.counted` -> the trend, which anybody can prove

Nothing here names a customer.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 14.2.2
"""

from tallystick.application.fleet.counting import FLEET_EXECUTORS, CountFleet
from tallystick.application.fleet.store import FleetDay, fleet_days

__all__ = ["FLEET_EXECUTORS", "CountFleet", "FleetDay", "fleet_days"]
