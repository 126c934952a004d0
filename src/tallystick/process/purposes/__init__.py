"""Why somebody at the desk looks at a person, and what the reason lets them see.

Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
"""

from tallystick.process.purposes.rules import (
    LOOKING,
    PURPOSES,
    Part,
    Purpose,
    PurposeRule,
    masked_name,
    masked_number,
    purposes_for,
    visible,
)

__all__ = [
    "LOOKING",
    "PURPOSES",
    "Part",
    "Purpose",
    "PurposeRule",
    "masked_name",
    "masked_number",
    "purposes_for",
    "visible",
]
