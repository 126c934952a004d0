"""Devices: enrolled with two keys of their own, renewed at every session, suspended when copied.

    activation code -> keys proved -> Device row + certificate
    handshake -> renewal judged -> session, or suspension of a device whose copy came second

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1; 7.4.5
"""

from tallystick.application.devices.attesting import Attesting
from tallystick.application.devices.model import Device, DeviceStatus, Reason
from tallystick.application.devices.service import Devices

__all__ = ["Attesting", "Device", "DeviceStatus", "Devices", "Reason"]
