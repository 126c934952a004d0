"""How sensitive each field of a message is, stated where the field is defined.

Every field of a protocol struct carries one of these marks through `typing.Annotated`; a field
without one fails the build (tests/architecture); what leaves the system is filtered by them.

Source: ISO/TS 12812-2:2017, 3.21; 7.3.4
"""

from enum import IntEnum


class Classification(IntEnum):
    """Sensitivity of a field, least first.

    Source: ISO/TS 12812-2:2017, 3.21
    """

    PUBLIC = 0
    INTERNAL = 1
    PERSONAL = 2
    SENSITIVE = 3
    CREDENTIAL = 4
    AUTHENTICATION = 5
    """Sensitive authentication data (PIN, one-time code): never stored after use, even sealed."""


PUBLIC = Classification.PUBLIC
INTERNAL = Classification.INTERNAL
PERSONAL = Classification.PERSONAL
SENSITIVE = Classification.SENSITIVE
CREDENTIAL = Classification.CREDENTIAL
AUTHENTICATION = Classification.AUTHENTICATION
