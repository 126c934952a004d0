"""How often a serving process does what nobody asked for, and how it treats its memory.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import gc

HOUSEKEEPING_S = 1.0
FLUSH_S = 0.2
IDLE_S = 75.0
_NEW_OBJECTS = 20_000
"""How many more objects than now set the collector off; almost all of a request's die by count."""


def quiet_collector() -> None:
    """Take what is there now out of the collector's sight, and let it look less often.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
