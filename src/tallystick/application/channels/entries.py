"""What was typed, looked up or held against a form.

Source: ISO/TS 12812-2:2017, 7.2.3
"""

import re
from collections.abc import Mapping
from typing import TypeVar

from tallystick.kernel.errors import Malformed

Chosen = TypeVar("Chosen")


def chosen(choices: Mapping[str, Chosen], entry: str) -> Chosen:
    """What `entry` chooses.

    Raises Malformed for what is not in the list.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if entry not in choices:
        raise Malformed("this is not in the list")
    return choices[entry]


def matching(form: re.Pattern[str], entry: str) -> str:
    """`entry`, if it has this form.

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if not form.match(entry):
        raise Malformed("this is not a code")
    return entry
