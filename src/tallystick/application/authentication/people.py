"""Whom access leans on: keys, the capabilities that know who comes in, and who is told.

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.apps import Applications
from tallystick.application.attempts import Attempts
from tallystick.application.authentication.sessions import Sessions
from tallystick.application.customers import Customer, Customers
from tallystick.application.devicelife.service import DeviceLife
from tallystick.application.devices import Devices
from tallystick.application.notices import Notices
from tallystick.application.policing import PolicyInForce
from tallystick.application.signals import Signals
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle

Redeemed = Callable[[Turn, Customer, str, str], None]
"""Is told of a code that was right: whose it was, the activation, the device that it bound."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The handles that access needs.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    module: CryptoModule
    activation: KeyHandle


@dataclass(frozen=True, slots=True)
class People:
    """The capabilities that know who comes in.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    customers: Customers
    devices: Devices
    sessions: Sessions
    notices: Notices
    policy: PolicyInForce
    signals: Signals
    attempts: Attempts
    apps: Applications
    life: DeviceLife
