"""The life of devices: every act on the one table of states, audited, told and with what follows.

    act -> step_of(state, act, who) -> row, event, notice, and what ends in the same turn

Source: ISO/TS 12812-2:2017, 7.2.2; 7.4.1; 7.4.5; 9.5
"""

from tallystick.application.devicelife.own import BlockByDialling, LivesOn, OwnDevices
from tallystick.application.devicelife.rules import LIFE, Act, By, Follow, acts_for, step_of
from tallystick.application.devicelife.service import DeviceDue, DeviceLife
from tallystick.application.devicelife.store import Wipe
from tallystick.application.devicelife.wiping import HearWipe, Wiping

__all__ = [
    "LIFE",
    "Act",
    "BlockByDialling",
    "By",
    "DeviceDue",
    "DeviceLife",
    "Follow",
    "HearWipe",
    "LivesOn",
    "OwnDevices",
    "Wipe",
    "Wiping",
    "acts_for",
    "step_of",
]
