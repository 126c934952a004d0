"""What an enrolled device showed again, and how old that may be: by risk, as the policy says.

    challenge (used once) -> proof -> counter grew, or a copy is stopped
                                   -> evidence appraised, trust moved
    proof too old for the risk -> less trust for a while, or a step-up that says how fresh

Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 7.4.5
"""

from tallystick.application.deviceproofs.service import Asking, DeviceProofs, categories_of

__all__ = ["Asking", "DeviceProofs", "categories_of"]
