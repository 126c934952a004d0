"""The requirements of ISO/IEC 19790 on a module, each tried or looked at, with the reason.

    model    an item, and the module that is looked at
    looking  the list, and how each item is tried

Nothing here is a validation: an item is what this program could see of itself.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3; ISO/IEC 19790
"""

from tallystick.entry.selfchecking.looking import examine_module
from tallystick.entry.selfchecking.model import Holds, Item

__all__ = ["Holds", "Item", "examine_module"]
