"""The policy in force and the versions before it, and what it has to know of what fails.

    signed file -> officers' signatures -> compiled -> in force from the next command on
                                                    -> or beside it, in shadow: counted, not obeyed
    signal that fails -> a tightening that officers signed -> never looser, until it is well again

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.application.policing.service import Officers, PolicyInForce
from tallystick.application.policing.shadow import Difference, Shadow
from tallystick.application.policing.tightening import Measures
from tallystick.application.policing.watch import Change, DependencyWatch
from tallystick.application.tightenings.sealing import Seal

__all__ = [
    "Change",
    "DependencyWatch",
    "Difference",
    "Measures",
    "Officers",
    "PolicyInForce",
    "Seal",
    "Shadow",
]
